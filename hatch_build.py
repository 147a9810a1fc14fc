"""Build hook: puts the guest module into the package before a wheel is made, also for an editable install."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GuestBuildHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
    """Builds `sandbox/_artifacts` from `wasm/` and `bindings/`, or takes it from the user's build cache."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the guest; ends the build with one message when that fails.

        Args:
            version: `standard` or `editable`; both get the same artefacts.
            build_data: What the wheel is made with; it stays pure Python, for the module runs everywhere.
        """
        del version, build_data
        sys.path.insert(0, self.root)
        from wasm.build import build
        from wasm.errors import BuildError

        try:
            build(progress=self.app.display_info)
        except BuildError as error:
            self.app.abort(f"quickjs-sandbox: {error}")
