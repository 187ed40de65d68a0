"""The folder of a pyfunc model from code, with the files that `mlflow.pyfunc.save_model` writes.

Reason: `save_model` takes 50 ms of CPU time for a small model. It compares the requirements with the installed
packages, copies each artifact in a thread of its own, and writes `MLmodel` twice. All of this gives the same result for
every model of a process, except for the model's own files.
Public API that would replace it: a `save_model` that does not check requirements passed to it.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import Model

CONDA, VIRTUALENV, REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"


def write_model_folder(
    folder: Path,
    description: "Model",
    model_code: Path,
    artifacts: Mapping[str, bytes],
    source: Path,
    example: "pd.DataFrame",
    requirements: Sequence[str],
) -> None:
    """Write the folder of a model, as `save_model` does.

    The origin of each artifact in `MLmodel` is its path within the folder; `save_model` writes a temporary path there.

    Args:
        folder: a folder that does not exist yet.
        description: MLflow's description of the model, with its signature; the files are added to it.
        model_code: the Python file that sets the model.
        artifacts: content of the artifacts by name.
        source: a Python file that goes into the folder `code`.
        example: the input example.
        requirements: requirements of pip, without MLflow.
    """
    import mlflow.pyfunc
    import yaml
    from mlflow.models.utils import _Example
    from mlflow.pyfunc.loaders import code_model

    for name, content in artifacts.items():
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    saved_example = _Example(example)
    saved_example.save(str(folder))
    description.saved_input_example_info = saved_example.info
    shutil.copyfile(model_code, folder / model_code.name)
    description.model_size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    (folder / "code").mkdir()
    shutil.copyfile(source, folder / "code" / source.name)
    mlflow.pyfunc.add_to_model(
        description,
        code_model.__name__,
        code="code",
        conda_env=CONDA,
        python_env=VIRTUALENV,
        streamable=False,
        model_code_path=str(model_code),
        cloudpickle_version=version("cloudpickle"),
        artifacts={name: {"path": f"artifacts/{name}", "uri": f"artifacts/{name}"} for name in artifacts},
    )
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    # This dumper has the same output as `Model.save` in a tenth of the time.
    (folder / "MLmodel").write_text(yaml.dump(description.to_dict(), Dumper=dumper, default_flow_style=False))
    for name, content in _environment(tuple(requirements)).items():
        (folder / name).write_bytes(content)


@cache
def _environment(requirements: Sequence[str]) -> Mapping[str, bytes]:
    """Return the files that describe the environment, by name; they are the same for all models of a process."""
    import mlflow
    import yaml
    from mlflow.utils.environment import _mlflow_conda_env, _PythonEnv

    lines = [f"mlflow=={mlflow.__version__}", *requirements]
    conda = _mlflow_conda_env(additional_pip_deps=lines, install_mlflow=False)
    with TemporaryDirectory() as directory:
        virtualenv = Path(directory, VIRTUALENV)
        _PythonEnv.current().to_yaml(str(virtualenv))
        return {
            CONDA: yaml.safe_dump(conda, default_flow_style=False).encode(),
            VIRTUALENV: virtualenv.read_bytes(),
            REQUIREMENTS: "\n".join(lines).encode(),
        }
