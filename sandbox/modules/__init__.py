"""Where the guest's modules come from."""

from typing import TYPE_CHECKING, Any

from sandbox.modules.source import Importer, ModuleLoader, ModuleResolver, ModuleSource

if TYPE_CHECKING:
    from sandbox.modules.node import NodeModules
    from sandbox.modules.tree import SourceTree

__all__ = ["Importer", "ModuleLoader", "ModuleResolver", "ModuleSource", "NodeModules", "SourceTree"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - one of two classes
    """Load what looks at the disk when it is first used; most programs do without."""
    if name not in ("NodeModules", "SourceTree"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sandbox.modules import node, tree

    globals().update(NodeModules=node.NodeModules, SourceTree=tree.SourceTree)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
