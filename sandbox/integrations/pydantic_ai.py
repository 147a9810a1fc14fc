"""A toolset of pydantic-ai (the extra `pydantic-ai`) that runs JavaScript.

from pydantic_ai import Agent
from sandbox.integrations.pydantic_ai import SandboxToolset

agent = Agent("openai:...", toolsets=[SandboxToolset()])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from sandbox.integrations._program import MAX_BYTES, NAME, Programs, described, missing

try:
    from pydantic_ai import FunctionToolset
except ImportError as _error:
    raise missing("pydantic-ai", "pydantic-ai") from _error

if TYPE_CHECKING:
    from sandbox._languages import Language
    from sandbox._option_types import SandboxOptions

__all__ = ["SandboxToolset"]


class SandboxToolset(FunctionToolset[Any]):
    """One tool, `run_javascript`. Cancelling the agent's run stops the program."""

    def __init__(
        self,
        *,
        persistent: bool = False,
        max_bytes: int = MAX_BYTES,
        tool_name: str = NAME,
        description: str | None = None,
        language: Language | None = None,
        **options: Unpack[SandboxOptions],
    ) -> None:
        """Make the toolset.

        Args:
            persistent: Whether all programs run in one sandbox, and find the variables of those before.
            max_bytes: About how long an answer may be; what is longer is cut where its structure allows it.
            tool_name: What the model calls the tool.
            description: What the model is told of it; None: in general what it does.
            language: What programs are written in, `"ts"` for one; None: JavaScript.
            **options: Those of `Sandbox`, but for `console`.

        Raises:
            TypeError: `Sandbox` has no such option, or it is `console`.
            ValueError: An option has no such value.
        """
        super().__init__()
        self._programs = Programs(options, persistent=persistent, max_bytes=max_bytes, language=language)

        async def run_javascript(code: str) -> dict[str, Any]:
            return await self._programs.run_async(code)

        told = described(language) if description is None else description
        self.add_function(run_javascript, name=tool_name, description=told)

    def close(self) -> None:
        """Free the sandbox of a persistent toolset; idempotent."""
        self._programs.close()
