"""The test environment's questions: what a snapshot should be, and tests that ended beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from sandbox._abi import CAP_COVERED_POINTS
from sandbox.capabilities.base import Capability, Handler, Malformed

_NO_SNAPSHOTS: Final = "this sandbox keeps no snapshots"
_MAX_TEXT_CHARS: Final = 1 << 20
_POINT_BYTES: Final = 8


@runtime_checkable
class SuiteListener(Protocol):
    """What a guest with the test environment talks to. All it says is the guest's: check it."""

    def match(
        self, test: int, hint: str, text: str, inline: str | None, place: str | None
    ) -> tuple[bool, str | None, str]:
        """Compare a value with the snapshot that was kept of it.

        Args:
            test: The id of the test.
            hint: What tells several of one test apart; may be empty.
            text: The value.
            inline: The snapshot, where it stands in the program; None: there is none yet.
            place: The line of the stack where it stands or is to stand; None: it is kept elsewhere.

        Returns:
            Whether it fits, what it should be, and why it does not fit.
        """

    def ended(self, test: int, errors: Sequence[Any], milliseconds: float) -> object:
        """A test that ran beside others has ended.

        Args:
            test: Its id.
            errors: Records of its errors.
            milliseconds: How long it took.
        """


@runtime_checkable
class CoverageListener(SuiteListener, Protocol):
    """One that is also told which statements were executed, by a guest that was asked to tell."""

    def points(self, file: str, first: int, places: bytes) -> object:
        """A module was compiled.

        Args:
            file: What it is called.
            first: The number of its first point. Points of this number and higher ones that were told before are no
                more: the guest is what it was before they were.
            places: For each point its line and its offset in bytes, u32 each, as `[op.testing]` says.
        """

    def passed(self, counts: bytes) -> object:
        """Points were passed.

        Args:
            counts: Numbers of points and how often they were passed since the last time, u32 each.
        """


class TestingCapability(Capability):
    """Serves the questions; it is part of the sandboxes alone that were granted the test environment."""

    __test__ = False
    stem: ClassVar[str] = "testing"
    titles: ClassVar[Mapping[str, str]] = {"match": "toMatchSnapshot"}
    quiet: ClassVar[frozenset[str]] = frozenset({"match", "ended", "points", "counts"})

    def __init__(self, listener: SuiteListener | None) -> None:
        """Make it.

        Args:
            listener: Who is asked; None: nobody, and no snapshot fits.
        """
        self._listener = listener

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"match": self._match, "ended": self._ended, "points": self._points, "counts": self._counts}

    def _match(self, test: object, hint: object, text: object, inline: object, place: object) -> list[Any]:
        if (
            isinstance(test, bool)
            or not isinstance(test, int)
            or not isinstance(hint, str)
            or not isinstance(text, str)
        ):
            raise TypeError("a snapshot is asked for by test, hint and text")
        if not isinstance(inline, str | None) or not isinstance(place, str | None):
            raise TypeError("an inline snapshot is a text")
        if max(map(len, (hint, text, inline or "", place or ""))) > _MAX_TEXT_CHARS:
            raise ValueError("the snapshot is too long")
        if self._listener is None:
            return [False, None, _NO_SNAPSHOTS]
        return list(self._listener.match(test, hint, text, inline, place))

    def _ended(self, test: object, errors: object, milliseconds: object) -> None:
        if isinstance(test, bool) or not isinstance(test, int) or not isinstance(errors, list):
            raise TypeError("a test ends with its id and a list")
        if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
            raise TypeError("a time is a number")
        if self._listener is not None:
            self._listener.ended(test, errors, float(milliseconds))

    def _points(self, file: object, first: object, places: object) -> None:
        if not isinstance(file, str) or isinstance(first, bool) or not isinstance(first, int):
            raise Malformed("the points of a module have its name and the number of the first")
        if not isinstance(places, bytes) or len(places) % _POINT_BYTES or len(file) > _MAX_TEXT_CHARS:
            raise Malformed("the points of a module are pairs of numbers")
        if first < 0 or first + len(places) // _POINT_BYTES > CAP_COVERED_POINTS:
            raise Malformed("there are too many points")
        if isinstance(self._listener, CoverageListener):
            self._listener.points(file, first, places)

    def _counts(self, counts: object) -> None:
        if not isinstance(counts, bytes) or len(counts) % _POINT_BYTES:
            raise Malformed("counts are pairs of numbers")
        if isinstance(self._listener, CoverageListener):
            self._listener.passed(counts)
