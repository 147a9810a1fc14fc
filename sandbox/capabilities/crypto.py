"""crypto.subtle: what the guest asks of keys. `sandbox.crypto` answers; it is imported when first asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Capability, Handler, Malformed
from sandbox.crypto import has_crypto

if TYPE_CHECKING:
    from sandbox.crypto.service import Service

# Operation -> the method that answers, and how many arguments it has.
_QUESTIONS: Final[Mapping[str, tuple[str, int]]] = {
    "digest": ("digest", 2),
    "generate": ("generate", 3),
    "import": ("import_key", 5),
    "export": ("export_key", 2),
    "encrypt": ("encrypt", 3),
    "decrypt": ("decrypt", 3),
    "sign": ("sign", 3),
    "verify": ("verify", 4),
    "deriveBits": ("derive_bits", 3),
    "deriveKey": ("derive_key", 5),
    "wrap": ("wrap", 4),
    "unwrap": ("unwrap", 7),
}
# Operation -> the method of crypto.subtle, where that has another name.
_METHODS: Final = {
    "generate": "generateKey",
    "import": "importKey",
    "export": "exportKey",
    "wrap": "wrapKey",
    "unwrap": "unwrapKey",
}
# Operation -> which of its arguments are keys.
_KEYS: Final = {
    "import": (1,),
    "export": (1,),
    "encrypt": (1,),
    "decrypt": (1,),
    "sign": (1,),
    "verify": (1,),
    "deriveBits": (1,),
    "deriveKey": (1,),
    "wrap": (1, 2),
    "unwrap": (1, 2),
}
_GIVE_KEYS: Final = frozenset({"generate", "import", "export", "deriveKey", "wrap", "unwrap"})
_SECRET_BYTES: Final = 32
_MISSING: Final = "NotSupportedError: The host has no cryptography."
_FAILED: Final = "OperationError: The operation failed."


class Crypto(Capability):
    """Serves the guest's `crypto.subtle`. Keys are not kept: what the guest holds of one is the key itself, sealed."""

    stem: ClassVar[str] = "crypto"
    titles: ClassVar[Mapping[str, str]] = {
        name: f"crypto.subtle.{_METHODS.get(name, name)}" for name in (*_QUESTIONS, "available")
    }
    quiet: ClassVar[frozenset[str]] = frozenset({"available"})

    def __init__(self, charge: Callable[[int], object], seconds_left: Callable[[float], float]) -> None:
        """Make the capability.

        Args:
            charge: Gets the nanoseconds that an answer took, which count as time of the guest.
            seconds_left: How long the guest may still wait, when it was not told yet of so many seconds.
        """
        self._charge = charge
        self._seconds_left = seconds_left
        self._began_ns = 0
        self._service: Service | None = None
        self._secret: bytes | None = None
        self._has_lost = False

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`. A failure that the program sees is a text: the name of the error, and what it says."""
        handlers: dict[str, Handler] = {name: partial(self._ask, name) for name in _QUESTIONS}
        handlers["available"] = has_crypto
        return handlers

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """See `Capability`: keys are nobody's business."""
        keys = _KEYS.get(operation, ())
        return ["[key]" if place in keys else argument for place, argument in enumerate(arguments)]

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: likewise."""
        if isinstance(answer, str):
            return RuntimeError(answer)
        return "[key]" if operation in _GIVE_KEYS else answer

    def close(self) -> None:
        """See `Capability`: without its secret nobody opens a key."""
        self._service = self._secret = None

    def save(self, secrets: dict[str, Any]) -> Any:  # noqa: ANN401 - plain data
        """See `Capability`: whether the guest may hold keys of this life, and of an earlier one that are lost."""
        secret = self._secret if self._service is None else self._service.vault.secret
        if secret is not None:
            secrets[self.stem] = secret
        return [secret is not None, self._has_lost]

    def load(self, saved: Any, secret: Any) -> None:  # noqa: ANN401 - plain data
        """See `Capability`."""
        if type(saved) is not list or [type(each) for each in saved] != [bool, bool]:
            raise ValueError(saved)
        has_keys, has_lost = saved
        if has_keys and type(secret) is bytes and len(secret) == _SECRET_BYTES:
            self._secret = secret
        self._has_lost = has_lost or (has_keys and self._secret is None)

    def _begin(self) -> Service:
        from sandbox.crypto.service import Service

        self._service = Service(
            lambda: self._seconds_left((time.perf_counter_ns() - self._began_ns) / 1e9),
            self._secret,
            has_lost=self._has_lost,
        )
        return self._service

    def _ask(self, question: str, *arguments: object) -> Any:  # noqa: ANN401 - any value
        if not has_crypto():
            return _MISSING
        service = self._service or self._begin()  # what is imported for that is not the guest's to pay for
        from sandbox.crypto.failures import Failure, Refused

        method, count = _QUESTIONS[question]
        if len(arguments) != count:
            raise TypeError("not the right number of arguments")
        answer: Callable[..., Any] = getattr(service, method)
        self._began_ns = time.perf_counter_ns()
        try:
            return answer(*arguments)
        except Failure as failure:
            return str(failure)
        except Refused as error:
            raise Malformed(str(error)) from None
        except Exception:  # noqa: BLE001 - whatever it is, its text may tell of the host
            return _FAILED
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of the library, which is no Exception
                raise
            return _FAILED
        finally:
            self._charge(time.perf_counter_ns() - self._began_ns)
