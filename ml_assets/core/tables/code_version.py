"""The code version of a stage, from the source of every module that determines its results."""

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from ml_assets.core.tables.fingerprint import digest

CORE, PIPELINE, SPECIFICATION = "ml_assets.core", "ml_assets.pipeline", "ml_assets.core.model_spec"
# The one module of the specification that decides results: which metrics are compared, and which direction is better.
METRICS = "ml_assets.core.model_spec.types.metric_names"
# Fields of statements that hold further statements.
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


@cache
def code_version(stage: str, *hooks: str, counts_itself: bool = False) -> str:
    """Digest the code that a stage runs, so that nobody has to remember to bump a version.

    The digest covers the source of every module of the core that the stage imports, directly or through other modules
    of the core or the pipeline, at module level or inside a function. Imports for type checkers do not count. The
    specification is left out, except the names of metrics, because each stage adds the part that it reads to its
    fingerprints. The modules of the pipeline are also left out, because they only connect the core to Dagster.

    Args:
        stage: dotted name of the module of the stage.
        hooks: dotted names of the modules with user functions. They are included together with the modules that they
            import from their own package or, for a single file, from their own folder.
        counts_itself: whether to include the source of the stage's module although it belongs to the pipeline.

    Returns:
        64 hexadecimal digits.

    Raises:
        ModuleNotFoundError: when the stage or a hook does not exist or has no source file.
    """
    sources = _sources(stage, lambda name: _is_in(name, CORE) or _is_in(name, PIPELINE))
    for hook in hooks:
        sources |= _sources(hook, lambda name, hook=hook: _is_in(name, CORE) or _belongs_to(name, hook))
    digests = [(name, hashlib.sha256(source).hexdigest()) for name, source in sources.items()]
    own = {stage} if counts_itself else set()
    return digest(sorted(pair for pair in digests if pair[0] in own or not _is_in(pair[0], PIPELINE)))


def _sources(root: str, is_followed: Callable[[str], bool]) -> dict[str, bytes]:
    """Sources, by module, of `root` and of each followed module that it imports, directly or indirectly."""
    sources, waiting = {}, [root]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            path = _path(name)
            if path is None:
                raise ModuleNotFoundError(
                    f"{name} has no Python source file, so its code version cannot be computed; "
                    "install it with its sources"
                )
            sources[name] = path.read_bytes().replace(b"\r\n", b"\n")
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            imported = (other for other in _imports(sources[name], package) if is_followed(other))
            waiting += [other for other in imported if _counts(other) and _path(other)]
    return sources


def _counts(name: str) -> bool:
    return name == METRICS or not _is_in(name, SPECIFICATION)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _belongs_to(name: str, hook: str) -> bool:
    """Return whether a module that a hook imports is part of the user's own code."""
    top = hook.partition(".")[0]
    if top == "ml_assets":
        return _is_in(name, hook.rpartition(".")[0])
    if "." in hook:
        return _is_in(name, top)
    hook_path, path = _path(hook), None if "." in name else _path(name)
    if hook_path is None or path is None:
        return False
    return hook_path.parent == path.parent and "site-packages" not in path.parts


@lru_cache(maxsize=1024)
def _imports(source: bytes, package: str) -> tuple[str, ...]:
    """Dotted names in the import statements of a source: `from a import b` gives a and a.b, which may be a module.

    Args:
        source: source of a module.
        package: package of the module, from which relative imports start.
    """
    names: dict[str, None] = {}
    for node in _statements(ast.parse(source).body):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(alias.name for alias in node.names)
        else:
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names |= dict.fromkeys([base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")])
    return tuple(names)


def _statements(statements: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """All import statements in a block, nested blocks included, except in the body of `if TYPE_CHECKING`.

    Only blocks of statements are searched, because expressions, which make up most of a tree, contain no imports.
    """
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and _is_type_check(statement.test):
            yield from _statements(statement.orelse)
        else:
            for block in BLOCKS:
                yield from _statements(getattr(statement, block, ()))


def _is_type_check(test: ast.expr) -> bool:
    match test:
        case ast.Name("TYPE_CHECKING") | ast.Attribute(ast.Name("typing"), "TYPE_CHECKING"):
            return True
    return False


# Most modules are imported by several others, and by several stages.
@cache
def _path(module: str) -> Path | None:
    """The source file of a module; None if there is none.

    Only the top-level package is looked up by Python's import system, which would import every package on the path.
    """
    top, *parts = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:
        return None
    if spec is None or not parts:
        return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    for location in spec.submodule_search_locations or ():
        path = Path(location, *parts)
        for source in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if source.is_file():
                return source
    return None
