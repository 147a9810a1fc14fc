"""Where the guest's modules come from."""

from sandbox.modules.node import NodeModules
from sandbox.modules.source import Importer, ModuleLoader, ModuleResolver, ModuleSource
from sandbox.modules.tree import SourceTree

__all__ = ["Importer", "ModuleLoader", "ModuleResolver", "ModuleSource", "NodeModules", "SourceTree"]
