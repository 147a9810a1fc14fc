"""A tool of LangChain (the extra `langchain`) that runs JavaScript.

from sandbox.integrations.langchain import SandboxTool

model.bind_tools([SandboxTool()])
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Unpack

from sandbox.integrations._program import MAX_BYTES, NAME, Programs, described, missing

try:
    from langchain_core.tools import BaseTool
    from pydantic import BaseModel, Field, PrivateAttr
except ImportError as _error:
    raise missing("langchain-core", "langchain") from _error

if TYPE_CHECKING:
    from sandbox._languages import Language
    from sandbox._option_types import SandboxOptions

__all__ = ["SandboxTool"]


class _Arguments(BaseModel):
    code: str = Field(description="The program.")


class SandboxTool(BaseTool):
    """The tool `run_javascript`. Its content is the answer as JSON; its artifact is the answer itself."""

    name: str = NAME
    description: str = described(None)
    args_schema: Any = _Arguments
    response_format: Any = "content_and_artifact"
    _programs: Programs = PrivateAttr()

    def __init__(
        self,
        *,
        persistent: bool = False,
        max_bytes: int = MAX_BYTES,
        name: str = NAME,
        description: str | None = None,
        language: Language | None = None,
        **options: Unpack[SandboxOptions],
    ) -> None:
        """Make the tool.

        Args:
            persistent: Whether all programs run in one sandbox, and find the variables of those before.
            max_bytes: About how long an answer may be; what is longer is cut where its structure allows it.
            name: What the model calls the tool.
            description: What the model is told of it; None: in general what it does.
            language: What programs are written in, `"ts"` for one; None: JavaScript.
            **options: Those of `Sandbox`, but for `console`.

        Raises:
            TypeError: `Sandbox` has no such option, or it is `console`.
            ValueError: An option has no such value.
        """
        super().__init__(name=name, description=described(language) if description is None else description)
        self._programs = Programs(options, persistent=persistent, max_bytes=max_bytes, language=language)

    def _run(self, code: str) -> tuple[str, dict[str, Any]]:
        told = self._programs.run(code)
        return json.dumps(told, ensure_ascii=False), told

    async def _arun(self, code: str) -> tuple[str, dict[str, Any]]:
        told = await self._programs.run_async(code)
        return json.dumps(told, ensure_ascii=False), told

    def close(self) -> None:
        """Free the sandbox of a persistent tool; idempotent."""
        self._programs.close()
