"""Values that remember which of them have been asked for."""

from typing import Any


class Watched(dict):
    """A map that remembers which of its keys have been asked for."""

    def __init__(self, values: dict, path: str, seen: set[str]):
        super().__init__({name: watched(value, f"{path}.{name}".strip("."), seen) for name, value in values.items()})
        self._path, self._seen = path, seen

    def __getitem__(self, name):
        self._seen.add(f"{self._path}.{name}".strip("."))
        return super().__getitem__(name)

    def get(self, name, default=None):
        self._seen.add(f"{self._path}.{name}".strip("."))
        return super().get(name, default)

    def items(self):
        return [(name, self[name]) for name in self]


def watched(value: Any, path: str, seen: set[str]) -> Any:
    if isinstance(value, dict):
        return Watched(value, path, seen)
    return [watched(one, f"{path}[]", seen) for one in value] if isinstance(value, list) else value


def paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*[paths(one, f"{path}[]") for one in value])
    if not isinstance(value, dict) or not value:
        return set()
    return {f"{path}.{name}".strip(".") for name in value} | set().union(
        *[paths(inner, f"{path}.{name}".strip(".")) for name, inner in value.items()]
    )
