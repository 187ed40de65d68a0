"""Definitions of one document of a YAML file of components, from the parsed document.

Reason: a component tree parses a whole file itself, so that one broken document prevents all others in its file from
loading, and every file is parsed twice.
Public API that would replace it: a function that loads a component from the content of a document.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster.components.core.decl import YamlFileDecl, build_component_decl_from_yaml_document
from dagster.components.core.defs_module import ComponentPath
from dagster_shared.yaml_utils.source_position import (
    LineCol,
    SourcePosition,
    SourcePositionTree,
    ValueAndSourcePositionTree,
)

from ml_assets.core.model_spec.defs_yaml.document import YamlDocument

if TYPE_CHECKING:
    import yaml


def build_document_defs(tree: dg.ComponentTree, document: YamlDocument) -> dg.Definitions:
    """Build the definitions of one document.

    Args:
        tree: a component tree of the folder of the document's file, which is not used for other documents.
        document: the document.
    """
    _declare(tree, document)
    return tree.build_defs(document.path.parent)


def load_document_component(tree: dg.ComponentTree, document: YamlDocument) -> dg.Component:
    """Load the component of one document, without its definitions; arguments as for `build_document_defs`."""
    return _declare(tree, document)._load_component()


def _declare(tree: dg.ComponentTree, document: YamlDocument) -> Any:
    folder = document.path.parent
    file, component = ComponentPath.from_path(folder), ComponentPath.from_path(folder, document.position)
    context = tree.decl_load_context.for_component_loc(file)
    content = ValueAndSourcePositionTree(document.content, _positions(document.path, document.root))
    declaration = build_component_decl_from_yaml_document(context.for_component_loc(component), content, component)
    tree.state_tracker.set_cache_data(component, component_decl=declaration)
    tree.state_tracker.set_cache_data(
        file,
        component_decl=YamlFileDecl(
            loc=file,
            context=context,
            decls=[declaration],  # type: ignore[list-item]
            source_positions=[content.source_position_tree.position],
        ),
    )
    return declaration


def _positions(path: Path, node: "yaml.Node", key: "yaml.Node | None" = None) -> SourcePositionTree:
    """Return the positions of a node and its descendants; a member of a mapping has the position of its key."""
    import yaml

    children: dict[Any, SourcePositionTree] = {}
    if isinstance(node, yaml.MappingNode):
        children = {name.value: _positions(path, value, name) for name, value in node.value}
    elif isinstance(node, yaml.SequenceNode):
        children = {number: _positions(path, value) for number, value in enumerate(node.value)}
    start, end = (key or node).start_mark, (key or node).end_mark
    position = SourcePosition(
        str(path), LineCol(start.line + 1, start.column + 1), LineCol(end.line + 1, end.column + 1)
    )
    return SourcePositionTree(position, children)
