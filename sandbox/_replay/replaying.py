"""Records, from outside: what is in one, whether its guest does it again, and the way to a place in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox._image import image_digest
from sandbox._records import field, record
from sandbox._replay.files import head_of, read
from sandbox._replay.moments import Moment
from sandbox._replay.timeline import ReplayEvent, Timeline
from sandbox.errors import RecordError, SandboxError
from sandbox.limits import Limits

if TYPE_CHECKING:
    from sandbox._replay.entries import Entry

_SHOWN_DIGITS: Final = 12


@record(slots=True)
class Replayed:
    """What a guest did again, all of it as in its record.

    Attributes:
        events: How many events there were.
        turns: How often the host has entered the guest.
        fuel: What they have burnt together; 0 where fuel was not counted.
        results: What runs ended with, in order: a value, or the exception that the guest threw. Those that a limit or
            an interruption ended are not among them.
        logs: Texts of the console's entries.
    """

    events: int = 0
    turns: int = 0
    fuel: int = 0
    results: list[Any] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)


class Replay:
    """A record, which can be listed, replayed, and stopped at any of its events. Nothing of the host takes part in it.

    Attributes:
        path: The file.
        limits: Those of the sandbox that was recorded.
        began_ns: When the record began, in nanoseconds since the Unix epoch.
        package: The version of this package that made it.
    """

    began_ns: int
    limits: Limits
    package: str
    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Look at a file.

        Args:
            path: Where it is.

        Raises:
            OSError: It cannot be read.
            RecordError: It is no record, is damaged at its beginning, or was made with another image of the guest.
        """
        self.path = Path(path)
        head = head_of(next(read(path)))
        self.limits = _limits(head.get("limits"))
        self.began_ns = _number(head.get("began_ns"))
        self.package = str(head.get("package"))
        image, ours = head.get("image"), image_digest()
        if image != ours:
            raise RecordError(
                f"the record was made with image {str(image)[:_SHOWN_DIGITS]} of the guest, this is "
                f"{ours[:_SHOWN_DIGITS]}; install the version that made it, which calls itself {self.package[:40]}"
            )

    def events(self) -> Iterator[ReplayEvent]:
        """The events, read from the file without running anything.

        Raises:
            RecordError: The record is damaged or cut off where it is raised.
        """
        timeline = Timeline()
        for entry in read(self.path):
            yield from timeline.feed(entry)

    def run(self) -> Replayed:
        """Run the guest again from the beginning to the end, and compare all that it does with the record.

        It compares every request with its arguments, every console entry, every result, and the fuel of every turn,
        byte by byte.

        Returns:
            What it did.

        Raises:
            ReplayDiverged: It did something else.
            RecordTruncated: The record was cut off; up to there the guest did what it says.
            RecordError: The record is damaged.
        """
        replayed = Replayed()
        with self.start() as moment:
            while (event := moment.step()) is not None:
                _note(replayed, event, moment)
        return replayed

    def to(self, number: int) -> Moment:
        """Run the guest again up to an event.

        Args:
            number: Of the event; see `events`.

        Returns:
            The guest as it was after that event. It holds memory until it is closed.

        Raises:
            IndexError: There are fewer events.
            BaseException: As `run`.
        """
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"number must be an int, not {type(number).__name__}")
        moment = self.start()
        try:
            while number >= 0 and (event := moment.step()) is not None:
                if event.number == number:
                    return moment
            raise IndexError(f"the record has no event {number:,}")
        except BaseException:
            moment.close()
            raise

    def start(self) -> Moment:
        """The guest before the first event, to `step` through the record. It holds memory until it is closed."""
        return Moment(self._entries(), self.limits)

    def _entries(self) -> Iterator[Entry]:
        return read(self.path)

    def __repr__(self) -> str:
        return f"<Replay {str(self.path)!r}>"


def replay(path: str | os.PathLike[str]) -> Replay:
    """Open a record that a sandbox has made; see `Sandbox.record`.

        replay("run.record").run().results

    Args:
        path: The file.

    Returns:
        The record: list its `events`, `run` it, or go `to` one of them and look at the guest there.

    Raises:
        OSError: It cannot be read.
        RecordError: It is no record, is damaged at its beginning, or was made with another image of the guest.
    """
    return Replay(path)


def _note(replayed: Replayed, event: ReplayEvent, moment: Moment) -> None:
    replayed.events += 1
    match event.what:
        case "turn" | "crash":
            replayed.turns += 1
            replayed.fuel += event.fuel
        case "log":
            replayed.logs.append(_log_text(_decoded(moment.codec.decode, event)))
        case "result":
            replayed.results.append(_decoded(moment.codec.decode, event))
        case "error":
            replayed.results.append(_decoded(moment.thrown, event))


def _decoded(decode: Callable[[bytes], Any], event: ReplayEvent) -> Any:  # noqa: ANN401 - any value
    try:
        return decode(event.message)
    except SandboxError as error:  # a value without a Python form, or a guest that has sent nonsense
        return error


def _log_text(arguments: object) -> str:
    match arguments:
        case [{"text": str(text)}]:
            return text
    return ""


def _limits(told: object) -> Limits:
    names = {each.name for each in fields(Limits)}
    try:
        if not isinstance(told, dict):
            raise TypeError
        return Limits(**{name: value for name, value in told.items() if name in names})
    except (TypeError, ValueError):
        raise RecordError("the record has impossible limits") from None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
