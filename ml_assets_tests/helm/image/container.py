"""The images of the Dockerfile, built by buildah as root, and their containers as Kubernetes runs them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ml_assets_tests.helm.charts import REPOSITORY

# A Python image that buildah has or can pull, and further options of `buildah build`.
PYTHON_IMAGE = os.environ.get("PYTHON_IMAGE", "localhost/python:3.11-slim-bookworm")
OPTIONS = os.environ.get("BUILDAH_OPTIONS", "").split()
# Read-only root, an empty /tmp, and the file systems that every container has; arguments: root, user, the command.
START = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp" && mount -o remount,ro,bind "$1"
root=$1 user=$2 && shift 2 && exec chroot --userspec="$user" "$root" "$@"
"""


def buildah(*arguments: str) -> str:
    """Run buildah, and return its output.

    Raises:
        AssertionError: with the end of its messages when it fails.
    """
    result = subprocess.run(["buildah", *arguments], capture_output=True, text=True, cwd=REPOSITORY)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout.strip()


def why_none() -> str | None:
    """Return why no image can be built here; None where one can."""
    if shutil.which("buildah") is None or os.geteuid() != 0:
        return "needs buildah, and root"
    if subprocess.run(["buildah", "inspect", "--type", "image", PYTHON_IMAGE], capture_output=True).returncode != 0:
        return f"needs the image {PYTHON_IMAGE}; PYTHON_IMAGE names another"
    return None


def _settings_of_pip() -> list[str]:
    """Return the options that give a build the index that pip has here, which no layer keeps."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    values = [line.split("=", 1)[-1].strip("'\"") for line in listed.splitlines()]
    words = {word.removeprefix("file://") for value in values for word in value.split()}
    words = {word.removesuffix("/simple") for word in words} | {"/etc/pip.conf", "/etc/xdg/pip"}
    mounts = [f"--volume={path}:{path}:ro" for path in sorted(words) if path.startswith("/") and Path(path).exists()]
    names = [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]
    return [*mounts, *(f"--env={name}={os.environ[name]}" for name in names)]


def build(target: str | None = None) -> str:
    """Build a stage of the Dockerfile, the last by default, and return the name of its image."""
    name = f"localhost/ml-assets-test:{target or 'all'}"
    buildah(
        "build",
        "--layers",
        "--isolation=chroot",
        "--network=host",
        f"--build-arg=PYTHON_IMAGE={PYTHON_IMAGE}",
        *([f"--target={target}"] if target else []),
        *_settings_of_pip(),
        *OPTIONS,
        f"--tag={name}",
        ".",
    )
    return name


class Container:
    """A container of an image that `build` names. root: its file system, mounted here. target: the stage; `all` for the
    last one.
    """

    def __init__(self, image: str):
        self.target = image.rpartition(":")[2]
        self._name = buildah("from", image)
        self.root = Path(buildah("mount", self._name))
        self.config = json.loads(buildah("inspect", "--type", "image", image))["OCIv1"]["config"]

    def run(self, script: str, user: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script as a user, by default the image's, with a read-only root and an empty /tmp."""
        environment = [*self.config["Env"], *(f"{name}={value}" for name, value in variables.items())]
        inside = ["env", "-i", *environment, "sh", "-c", f"cd {self.config['WorkingDir']} && {script}"]
        return subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "bash",
                "-ec",
                START,
                "start",
                self.root,
                user or self.config["User"],
                *inside,
            ],
            capture_output=True,
            text=True,
        )

    def remove(self) -> None:
        """Remove the container; its image stays."""
        buildah("rm", self._name)
