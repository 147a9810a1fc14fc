"""Where the guest's modules come from."""

from sandbox.modules.source import Importer, ModuleLoader, ModuleResolver, ModuleSource

__all__ = ["Importer", "ModuleLoader", "ModuleResolver", "ModuleSource"]
