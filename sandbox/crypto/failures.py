"""How an operation fails: for the program to see, or because no binding asks such a thing."""

from __future__ import annotations


class Refused(Exception):
    """What no binding asks."""


class Failure(Exception):
    """What the program's promise is rejected with.

    Attributes:
        name: Of the DOMException, or `TypeError`.
        text: What it says; never a text of `cryptography`, which may tell of the host.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


def data_error(text: str) -> Failure:
    """The key that is imported is none, or not of this kind."""
    return Failure("DataError", text)


def operation_error(text: str) -> Failure:
    """What was asked for cannot be done."""
    return Failure("OperationError", text)


def access_error(text: str) -> Failure:
    """The key must not be used so."""
    return Failure("InvalidAccessError", text)


def unsupported(text: str) -> Failure:
    """There is no such thing here."""
    return Failure("NotSupportedError", text)


def bad_usages() -> Failure:
    """The usages do not fit the algorithm."""
    return Failure("SyntaxError", "Cannot create a key using the specified key usages.")
