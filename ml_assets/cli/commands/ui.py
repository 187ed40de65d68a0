"""Dagster's and MLflow's servers for the project of this process."""

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points

from ml_assets.cli.command_inputs import require_settings
from ml_assets.cli.project import current_project
from ml_assets.defs.environment import activate_environment, serve_store


def start_dagster(host: str, port: int) -> None:
    """Run `dg dev` in the folder of the project.

    Args:
        host: the address to listen on.
        port: the port of the webserver.

    Raises:
        SystemExit: with a message, when an environment variable is not valid; with the exit code of `dg dev`.
        click.UsageError: when there is no project.
    """
    root = current_project().root
    require_settings()
    print(f"Dagster opens at http://{'localhost' if host == '0.0.0.0' else host}:{port}", flush=True)
    os.chdir(root)
    # At a lower log level, Dagster warns that the dagster.yaml of this repository is not used, although the home links
    # to it.
    command_line = _command_line("dg", "dev", "--host", host, "--port", str(port), "--log-level", "error")
    # `dg dev` ends webserver, daemon and code server. A signal to the processes of runs would fail the runs.
    _supervise(command_line, ends_its_processes=True)


def start_mlflow(host: str, port: int) -> None:
    """Run MLflow's server on the store of the settings; if the store is a server, print its address instead.

    Args:
        host: the address to listen on.
        port: the port of the server.

    Raises:
        SystemExit: with a message, when an environment variable is not valid; with the exit code of the server.
    """
    settings = require_settings()
    if settings.mlflow.startswith(("http://", "https://")):
        print(f"MLflow runs as a separate server: {settings.mlflow}")
        return
    print(f"MLflow opens at http://{host}:{port}", flush=True)
    serve_store(settings.mlflow)
    # One worker is enough for one user. With several, the server ends when one of them takes more than 5 s to start.
    arguments = ["--host", host, "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    _supervise(_command_line("mlflow", "server", *arguments))


def _supervise(command_line: list[str], ends_its_processes: bool = False) -> None:
    """Run a server that gets SIGTERM when this process is interrupted, instead of the terminal's Ctrl-C, on which its
    processes would print stack traces.

    Args:
        command_line: the command line of the server.
        ends_its_processes: whether the signal is for the server alone, which ends those of its processes that shall
            end; otherwise all of them get it.
    """
    if sys.platform == "win32":
        sys.exit(subprocess.run(command_line).returncode)
    # What a script starts in the background ignores SIGINT, and a server of Dagster that does ignores SIGTERM too.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    server = subprocess.Popen(command_line, process_group=0)
    signal.signal(signal.SIGINT, inherited)

    def end_server(*_: object) -> None:
        if ends_its_processes:
            server.terminate()
        else:
            os.killpg(server.pid, signal.SIGTERM)

    signal.signal(signal.SIGHUP, end_server)
    try:
        sys.exit(server.wait())
    except KeyboardInterrupt:
        end_server()
        server.wait()
        raise


def _command_line(command: str, *arguments: str) -> list[str]:
    """Return the command line of a command of the same environment, and prepare the environment for it."""
    # Two packages of MLflow declare this entry point.
    entry = next(entry for entry in entry_points(group="console_scripts") if entry.name == command)
    code = f"import sys; from {entry.module} import {entry.attr}; sys.argv[0] = {command!r}; sys.exit({entry.attr}())"
    sys.stdout.flush()
    activate_environment()
    return [sys.executable, "-c", code, *arguments]
