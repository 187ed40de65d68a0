"""Search for a Python module without importing it or its parents."""

import sys


def missing_module(module: str) -> str | None:
    """Return the shortest prefix of a dotted module name that cannot be found, or None when the module exists.

    `importlib.util.find_spec` would import the parents of the module and everything that they import.
    """
    parts = module.split(".")
    path = None
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        if (count > 1 and path is None) or not parts[count - 1].isidentifier():
            return name
        if name in sys.modules:
            path = getattr(sys.modules[name], "__path__", None)
            continue
        module_spec = next((spec for finder in sys.meta_path if (spec := finder.find_spec(name, path))), None)
        if module_spec is None:
            return name
        path = module_spec.submodule_search_locations
    return None
