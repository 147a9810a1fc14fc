"""How the embedder's functions are found again when a sandbox is restored: by the globals it has put them into."""

from __future__ import annotations


class Labels:
    """Names what is bound while one global is encoded.

    The global itself, if it is a function, goes by the global's name; functions inside it by that and their own, in the
    order of their encoding where that is not enough: `db.find`, `db.find#1`.
    """

    def __init__(self, name: str, value: object) -> None:
        """Begin with a global."""
        self._name = name
        self._value = value
        self._counts: dict[str, int] = {}

    def next(self, function: object, name: str) -> str:
        """The label of the next function that is bound, which has such a name."""
        label = f"{self._name}.{name}" if name and function is not self._value else self._name
        count = self._counts[label] = self._counts.get(label, -1) + 1
        return f"{label}#{count}" if count else label
