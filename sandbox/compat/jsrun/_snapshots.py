"""Runtimes that begin with what scripts have prepared."""

from __future__ import annotations

from sandbox.compat.jsrun._config import RuntimeConfig
from sandbox.compat.jsrun._runtime import Runtime


class SnapshotBuilder:
    """Runs classic scripts, and makes of what they leave the `snapshot` of a `RuntimeConfig`.

    The bytes are a snapshot of this package: those that V8 made cannot be used.
    """

    def __init__(self, *, bootstrap: str | None = None, enable_console: bool = False) -> None:
        """Begin.

        Args:
            bootstrap: The first script.
            enable_console: See `RuntimeConfig`.

        Raises:
            JavaScriptError: The script threw.
        """
        self._runtime: Runtime | None = Runtime(RuntimeConfig(bootstrap=bootstrap, enable_console=enable_console))

    def execute_script(self, name: str, source: str) -> None:
        """Run a script.

        Args:
            name: What stacks call it.
            source: The script.

        Raises:
            JavaScriptError: It threw.
            RuntimeError: The snapshot was built.
        """
        self._needed().execute_script(name, source)

    def build(self) -> bytes:
        """Take the snapshot, once.

        Raises:
            RuntimeError: It was built.
        """
        runtime, self._runtime = self._needed(), None
        with runtime:
            return runtime.snapshot_bytes()

    def _needed(self) -> Runtime:
        if self._runtime is None:
            raise RuntimeError("Snapshot already built")
        return self._runtime
