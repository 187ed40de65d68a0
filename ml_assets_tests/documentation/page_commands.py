"""Find the commands of a page, and run them one after another in one shell, as a reader does who follows the page."""

import os
import re
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_assets_tests.support.http_server import free_port

BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SHELLS = ("console", "bash", "sh")
# A server answers on its port until Ctrl-C.
SERVERS = {"ml-assets ui": 3000, "ml-assets serve": 8000, "ml-assets mlflow": 5000, "mlflow models serve": 5001}
PORT = re.compile(r"(?<=--port )\d+|(?<=localhost:)\d+|(?<=web-port )\d+")
SECONDS = 1200
# An answer that is an error counts as a failure; so does a service without its model.
FUNCTIONS = r"""set -m
exec 2>&1 </dev/null
curl() { command curl --fail-with-body "$@"; }
end() { printf "\n::end %s\n" "$1 $2"; }
stop() { test -z "$server" || { kill -INT -- "-$server"; wait "$server"; end "$started" $?; }; server=; }
wait_for() { until command curl --silent --output /dev/null "$@"; do kill -0 "$server" || break; sleep 0.3; done; }
"""


@dataclass(frozen=True)
class Result:
    """A command as it ran, its exit code and what it printed."""

    command: str
    code: int
    output: str


def commands_of(text: str) -> list[str]:
    """List the commands of a page's shell blocks; one may have several lines, and a comment does nothing."""
    commands = []
    for indent, language, content in BLOCK.findall(text):
        if language not in SHELLS:
            continue
        lines = textwrap.dedent(content).splitlines() if indent else content.splitlines()
        if language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        command = ""
        for line in lines:
            command += line if not command else f"\n{line}"
            if _is_complete(command):
                commands.append(command)
                command = ""
        assert not command.strip(), f"not a complete command: {command}"
    return [command for command in commands if command.strip()]


def blocks_without_language(text: str) -> list[str]:
    """List the first lines of blocks that do not say what they hold."""
    return [content.partition("\n")[0] for _, language, content in BLOCK.findall(text) if not language]


def run_commands(commands: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> list[Result]:
    """Run commands in one shell, whose folder and variables they change; servers get Ctrl-C when the next one starts.

    Args:
        commands: the commands.
        folder: where the shell starts.
        environment: the variables with which it starts.
        log: the file that gets what is printed.
    """
    ports: dict[str, int] = {}
    script = FUNCTIONS
    for number, command in enumerate(commands):
        server = next((name for name in SERVERS if command.startswith(name) and "--help" not in command), None)
        line = command.partition("  #")[0] if server else command
        if server and "--port" not in line:
            line += f" --port {SERVERS[server]}"
        line = PORT.sub(lambda match: str(ports.setdefault(match.group(), free_port())), line)
        if server:
            port = line.partition("--port ")[2].split()[0]
            address = f"localhost:{port}/ready --fail" if server == "ml-assets serve" else f"localhost:{port}"
            script += f"stop\n{line} & server=$! started={number}\nwait_for {address}\n"
        else:
            script += f"{line}\nend {number} $?\n"
    with log.open("w") as output:
        shell = ["bash", "-c", f"{script}stop\n"]
        subprocess.run(shell, cwd=folder, env=environment, stdout=output, timeout=SECONDS)
    printed = log.read_text()
    parts = re.split(r"^::end (\d+) (\d+)\n", printed, flags=re.MULTILINE)
    results = {
        int(number): (int(code), output)
        for output, number, code in zip(parts[0:-1:3], parts[1::3], parts[2::3], strict=True)
    }
    assert len(results) == len(commands), printed
    return [Result(command, *results[number]) for number, command in enumerate(commands)]


def _is_complete(command: str) -> bool:
    if command.endswith("\\"):
        return False
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, env={"PATH": os.environ["PATH"]})
    return checked.returncode == 0
