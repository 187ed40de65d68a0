"""Values that record which of them are read."""

from typing import Any


class Watched(dict):
    """A mapping that records which of its keys are read."""

    def __init__(self, values: dict, path: str, read_paths: set[str]):
        super().__init__(
            {name: watched(value, f"{path}.{name}".strip("."), read_paths) for name, value in values.items()}
        )
        self._path = path
        self._read_paths = read_paths

    def __getitem__(self, name):
        self._read_paths.add(f"{self._path}.{name}".strip("."))
        return super().__getitem__(name)

    def get(self, name, default=None):
        self._read_paths.add(f"{self._path}.{name}".strip("."))
        return super().get(name, default)

    def items(self):
        return [(name, self[name]) for name in self]


def watched(value: Any, path: str, read_paths: set[str]) -> Any:
    if isinstance(value, dict):
        return Watched(value, path, read_paths)
    return [watched(item, f"{path}[]", read_paths) for item in value] if isinstance(value, list) else value


def paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*[paths(item, f"{path}[]") for item in value])
    if not isinstance(value, dict) or not value:
        return set()
    return {f"{path}.{name}".strip(".") for name in value} | set().union(
        *[paths(inner, f"{path}.{name}".strip(".")) for name, inner in value.items()]
    )
