"""The flags that grant something: what a program may reach of the network and of the files of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sandbox.cli._flags import UsageError

if TYPE_CHECKING:
    from sandbox.files.contract import FileStore

_GRANTS: Final = "Grants"
# What patterns begin with that are of one capability only.
_WEBSOCKET: Final = ("ws://", "wss://")
_FETCH: Final = ("http://", "https://")

AllowNet = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-net",
        metavar="HOST",
        rich_help_panel=_GRANTS,
        help="Let the program fetch from a host, and open WebSockets to it: api.example.com, *.example.com, "
        "https://example.com/v1, localhost:8000. May be given several times.",
    ),
]
AllowPrivate = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-private",
        metavar="NETWORK",
        rich_help_panel=_GRANTS,
        help="Let those hosts have private addresses in a network such as 127.0.0.0/8. May be given several times.",
    ),
]
AllowRead = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-read",
        metavar="DIR",
        rich_help_panel=_GRANTS,
        help="Let the program read the files in a directory; PATH=DIR: under another path. May be given several times.",
    ),
]
AllowWrite = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-write",
        metavar="DIR",
        rich_help_panel=_GRANTS,
        help="The same, and make, change and remove them.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class GrantFlags:
    """The flags that grant something; nothing is granted that none of them names."""

    allow_net: AllowNet = None
    allow_private: AllowPrivate = None
    allow_read: AllowRead = None
    allow_write: AllowWrite = None

    def make(self) -> dict[str, Any]:
        """The options of a sandbox that grant what they say.

        Raises:
            UsageError: A flag makes no sense, or a directory is none; the text names the flag.
        """
        grants: dict[str, Any] = {}
        if self.allow_private and not self.allow_net:
            raise UsageError(
                "--allow-private: it says which addresses the hosts of --allow-net may have, and there are none"
            )
        if self.allow_net:
            grants |= _network(self.allow_net, self.allow_private or ())
        if self.allow_read or self.allow_write:
            grants["files"] = _files({"--allow-read": self.allow_read or (), "--allow-write": self.allow_write or ()})
        return grants


def _network(patterns: Sequence[str], private: Sequence[str]) -> dict[str, Any]:
    from sandbox import Fetch, WebSockets

    try:
        Fetch(private=private)
    except ValueError as error:
        raise UsageError(f"--allow-private: {error}") from None
    fetched = [pattern for pattern in patterns if not pattern.lower().startswith(_WEBSOCKET)]
    connected = [pattern for pattern in patterns if not pattern.lower().startswith(_FETCH)]
    try:
        return {"fetch": Fetch(fetched, private=private), "websocket": WebSockets(connected, private=private)}
    except ValueError as error:
        raise UsageError(f"--allow-net: {error}") from None


def _files(flags: dict[str, Sequence[str]]) -> dict[str, FileStore]:
    from sandbox import DirectoryFiles
    from sandbox.files.mounts import mounts_of

    stores: dict[str, FileStore] = {}
    places: dict[str, str] = {}
    for flag, texts in flags.items():
        for text in texts:
            path, directory = _place(flag, text)
            try:
                store = DirectoryFiles(directory, write=flag == "--allow-write")
                if path in stores and not Path(directory).samefile(places[path]):
                    raise ValueError(f"the program would find both {places[path]!r} and {directory!r} under {path}")
                stores[path], places[path] = store, directory
                mounts_of(stores)
            except OSError as error:
                raise UsageError(f"{flag}: {directory}: {error.strerror or error}") from None
            except (ValueError, NotImplementedError) as error:
                raise UsageError(f"{flag}: {error}") from None
    return stores


def _place(flag: str, text: str) -> tuple[str, str]:
    """Under which path a program finds a directory: the one that is named, from the top, if no other is said."""
    path, separator, directory = text.partition("=")
    if separator and path.startswith("/"):
        return path, directory
    parts = PurePosixPath("/", text).parts[1:]
    if ".." in parts:
        raise UsageError(f"{flag}: say under which path the program finds {text!r}: /PATH={text}")
    return "/" + "/".join(parts), text
