"""A server of the Model Context Protocol (the extra `mcp`): programs, sessions and files, as far as its owner allows.

    from sandbox.integrations.mcp import make_server

    make_server().run("stdio")

The command `sandbox mcp` does the same, with limits and grants as flags.
"""

from __future__ import annotations

import io
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from sandbox.errors import SandboxError
from sandbox.integrations._program import MAX_BYTES, Programs, Session, described, missing
from sandbox.previews import bounded

if TYPE_CHECKING:
    from sandbox import MemoryFiles
    from sandbox._languages import Language

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError as _error:
    raise missing("mcp", "mcp") from _error

__all__ = ["make_server"]

FILES: Final = "/files"
_READ_BYTES: Final = 1 << 20
_INSTRUCTIONS: Final = (
    "Runs JavaScript in sandboxes. `run` uses a new one for each program; a session keeps its variables. Answers have "
    "`ok`, then `value` or `error`, and `console`; `truncated` says that something long was cut."
)


def make_server(
    options: Mapping[str, Any] | None = None,
    *,
    files: MemoryFiles | None = None,
    max_sessions: int = 8,
    max_bytes: int = MAX_BYTES,
    language: Language | None = None,
) -> MCPServer[Any]:
    """Make a server of tools: `run`, and those of sessions and files where there are any.

    Args:
        options: Those of each `Sandbox`: limits, grants, functions; but for `console`.
        files: What programs find at `/files`, and the tools of files work on; None: there are no such tools.
        max_sessions: How many sessions may be open; 0: there are no tools for them.
        max_bytes: About how long an answer may be; what is longer is cut where its structure allows it.
        language: What programs are written in, `"ts"` for one; None: JavaScript.

    Raises:
        TypeError: `Sandbox` has no such option, or it is `console`, or `files` beside a store.
        ValueError: An option has no such value.
    """
    if max_sessions < 0:
        raise ValueError(f"max_sessions must not be negative, not {max_sessions}")
    given = dict(options or {})
    if files is not None:
        given["files"] = _mounted(given.get("files"), files)
    server: MCPServer[Any] = MCPServer(
        "sandbox", version=version("quickjs-sandbox"), instructions=_INSTRUCTIONS, log_level="WARNING"
    )
    programs = Programs(given, persistent=False, max_bytes=max_bytes, language=language)

    @server.tool(description=described(language))
    async def run(code: str) -> dict[str, Any]:
        return await _told(programs.run_async, code)

    if max_sessions:
        _add_sessions(server, lambda: Session(given, max_bytes, language), max_sessions)
    if files is not None:
        _add_files(server, files, max_bytes)
    return server


def _mounted(others: object, files: MemoryFiles) -> dict[str, Any]:
    if others is not None and not isinstance(others, Mapping):
        raise TypeError("files must be a mapping of paths to stores where a store for the tools is given")
    if others and FILES in others:
        raise ValueError(f"{FILES} is where the tools' files are")
    return {**(others or {}), FILES: files}


async def _told(run: Callable[[str], Any], code: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = await run(code)
    except SandboxError as error:
        raise ToolError(str(error)) from None
    return told


def _add_sessions(server: MCPServer[Any], make: Callable[[], Session], most: int) -> None:
    sessions: dict[str, Session] = {}
    lock = threading.Lock()

    def find(session: str) -> Session:
        with lock:
            if session not in sessions:
                shown, _ = bounded(session, max_bytes=100)
                raise ToolError(f"there is no session {shown}; session_list tells which there are")
            return sessions[session]

    @server.tool(description=f"Open a session: a sandbox that keeps its variables. At most {most} are open.")
    def session_create() -> dict[str, Any]:
        with lock:
            if len(sessions) >= most:
                raise ToolError(f"{most} sessions are open, and no more may be: close one with session_close")
            name = secrets.token_hex(4)
            sessions[name] = make()
        return {"session": name}

    @server.tool(description="Run a program in a session, where it finds the variables of the programs before it.")
    async def session_eval(session: str, code: str) -> dict[str, Any]:
        return await _told(find(session).run_async, code)

    @server.tool(description="The open sessions, and what each has used.")
    def session_list() -> dict[str, Any]:
        with lock:
            open_ones = dict(sessions)
        return {
            "sessions": [
                {
                    "session": name,
                    "runs": session.box.usage.runs,
                    "cpu_seconds": round(session.box.usage.cpu_seconds, 6),
                    "memory_bytes": session.box.usage.memory_bytes,
                }
                for name, session in open_ones.items()
            ]
        }

    @server.tool(description="Close a session and free its memory.")
    def session_close(session: str) -> dict[str, Any]:
        found = find(session)
        found.box.interrupt()
        with lock:
            sessions.pop(session, None)
        with suppress(SandboxError):  # what runs ends now, and its sandbox is freed with it
            found.close()
        return {"closed": session}


def _add_files(server: MCPServer[Any], files: MemoryFiles, max_bytes: int) -> None:
    @server.tool(description=f"The files that programs find at {FILES}, with their sizes in bytes.")
    def files_list() -> dict[str, Any]:
        names, is_cut = bounded({path: len(content) for path, content in files.files().items()}, max_bytes=max_bytes)
        return {"files": names, "truncated": is_cut}

    @server.tool(description="The text of a file, from a byte on. `next_offset` is where to read on, if there is more.")
    def files_read(path: str, offset: int = 0) -> dict[str, Any]:
        place = _place(path)
        try:
            data = files.read(place, max(offset, 0), min(max_bytes, _READ_BYTES))
            size = files.stat(place).size
        except OSError as error:
            raise ToolError(f"{place}: {error.strerror}") from None
        end = max(offset, 0) + len(data)
        told: dict[str, Any] = {"text": data.decode("utf-8", "replace"), "bytes": len(data)}
        return told | ({"next_offset": end} if end < size else {})

    @server.tool(description="Write a text to a file, in place of what it had; directories are made.")
    def files_write(path: str, text: str) -> dict[str, Any]:
        place = _place(path)
        data = text.encode("utf-8", "replace")
        try:
            directory = ""
            for name in place.split("/")[:-1]:
                directory = f"{directory}/{name}" if directory else name
                with suppress(FileExistsError):
                    files.make_directory(directory)
            files.write(place, io.BytesIO(data))
        except OSError as error:
            raise ToolError(f"{place}: {error.strerror}") from None
        return {"path": f"{FILES}/{place}", "bytes": len(data)}


def _place(path: str) -> str:
    """A path below the store, as the store wants it."""
    inner = path.removeprefix(FILES).strip("/")
    parts = inner.split("/")
    is_text = all(ord(char) >= 32 and not 0xD800 <= ord(char) < 0xE000 for char in inner)
    if not is_text or any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts):
        raise ToolError(f"{bounded(path, max_bytes=200)[0]!r} is no path of a file; {FILES}/data.csv is one")
    return inner
