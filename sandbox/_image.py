"""The compiled guest: an engine and a pre-linked module for each way of metering, checked against the ABI table.

Compiling takes most of a second, so the machine code is cached for the user, see `sandbox/_code_cache.py`.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from sandbox import _abi, _faults
from sandbox._code_cache import ADVICE, ARTIFACTS, compiled, digest_after, digest_in, manifest
from sandbox._engine import Engine, Module
from sandbox.errors import ArtifactError

if TYPE_CHECKING:
    from sandbox._epochs import Epochs
    from sandbox.limits import Metering

# The engine's own check sees the stack in linear memory, of which it uses 1.4 MiB; wasmtime's native stack must not end
# before that one. The hungriest recursion that is known takes 6.5 MiB of it with the clock as meter, 6.4 MiB with fuel;
# tests/test_recursion.py fails from 6.75 MiB on.
NATIVE_STACK_BYTES: Final = 7 << 20
# A memory that never moves lets the host keep its address; 4 GiB of address space is what that costs an instance.
MEMORY_RESERVATION_BYTES: Final = 4 << 30

# By what stops an instance, and whether the host tells its time.
KINDS: Final = ("fuel", "clock", "fuel, told", "clock, told")

# How the build begins the manifest of a guest that fits. To read the rest takes a tenth of what the first result does.
_OPENING: Final = f'{{\n  "abi_version": {_abi.VERSION},\n  "sha256": "'.encode()

_lock = threading.Lock()


def kind_of(metering: Metering, clock: int) -> str:
    """The kind of image with this way of metering, and with a function that tells the time or 0."""
    return f"{metering}, told" if clock else metering


class Image:
    """The guest, compiled and linked to its imports; instances are made from it. Thread-safe.

    Attributes:
        sha256: Of the wasm module, in hex: equal images make equal programs.
        metering: How its instances are stopped: see `Limits`.
        kind: One of `KINDS`.
        epochs: What moves the engine's epoch; None: it has none, instances have fuel.
        engine_address: The wasmtime engine.
        pre_address: The module with its imports resolved.
        memory_bytes: Linear memory that every instance has from its start.
        control_address: Of the control block in every instance; None until the first one was asked.
        heap_bytes: What the engine's heap holds from the start; likewise.
    """

    engine_address: int
    epochs: Epochs | None
    kind: str
    memory_bytes: int
    pre_address: int
    sha256: str

    def __init__(self, host_call: int, directory: str = ARTIFACTS, metering: Metering = "fuel", clock: int = 0) -> None:
        """Load the guest.

        Args:
            host_call: The address of the function behind the import `sandbox.call`.
            directory: Where `guest.wasm` and `manifest.json` are.
            metering: How instances are to be stopped.
            clock: The address of the function that tells the time; 0: it is the machine's.

        Raises:
            ArtifactError: The guest is missing, damaged, or made for another ABI.
        """
        self.sha256 = image_digest(directory)
        self.metering = metering
        self.kind = kind_of(metering, clock)
        engine = Engine(metering, stack_bytes=NATIVE_STACK_BYTES, reservation_bytes=MEMORY_RESERVATION_BYTES)
        _faults.remember()
        module = compiled(engine, "guest.wasm", self.sha256, metering, directory)
        exports = _check_boundary(module)
        functions = {("sandbox", "call"): ("iii", host_call)}
        if clock:
            functions["wasi_snapshot_preview1", "clock_time_get"] = ("ili", clock)
        # Of WASI only the clock can be reached: the module imports nothing else.
        self._linked = module.link(engine, functions)
        self._engine = engine
        self.memory_bytes = sum(exports.values())
        self.control_address: int | None = None
        self.heap_bytes = 0
        self.engine_address = engine.address
        self.epochs = _epochs_of(engine) if metering == "clock" else None
        self.pre_address = self._linked.address


def _epochs_of(engine: Engine) -> Epochs:
    from sandbox._epochs import Epochs  # only for who counts time in place of fuel

    return Epochs(engine.address, engine)


def image_digest(directory: str = ARTIFACTS) -> str:
    """The hash of the compiled guest, as `Image.sha256`.

    Raises:
        ArtifactError: It cannot be used.
    """
    if digest := digest_after(_OPENING, directory):
        return digest
    facts = manifest(directory)
    if facts.get("abi_version") != _abi.VERSION:
        versions = f"ABI {facts.get('abi_version')}, this package {_abi.VERSION}"
        raise ArtifactError(f"the compiled guest speaks {versions}; {ADVICE}")
    return digest_in(facts)


def _check_boundary(module: Module) -> dict[str, int]:
    imports, exports = module.imports(), module.exports()
    wanted = {"memory", *_abi.EXPORTS}
    if imports - set(_abi.IMPORTS) or wanted != exports.keys():
        odd = sorted(
            [f"{where}.{name}" for where, name in imports - set(_abi.IMPORTS)] + sorted(wanted ^ exports.keys())
        )
        raise ArtifactError(f"the compiled guest does not fit this package's ABI: {', '.join(odd)}")
    return exports


_loaded: dict[str, Image] = {}


def _forget_lock() -> None:
    """Whatever thread held the lock, it is not in a forked child."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


def image(host_call: int, metering: Metering, clock: int = 0) -> Image:
    """The process's image of one kind, loaded at the first call with that call's functions. Thread-safe.

    Raises:
        ArtifactError: See `Image`.
    """
    key = kind_of(metering, clock)
    found = _loaded.get(key)
    if found is None:
        with _lock:
            found = _loaded.get(key)
            if found is None:
                found = _loaded[key] = Image(host_call, metering=metering, clock=clock)
    return found
