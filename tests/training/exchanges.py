"""What hosts do with a guest, for the profile: values of all kinds in and out, calls both ways, many small scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sandbox import AsyncSandbox, JSError, Sandbox

if TYPE_CHECKING:
    from sandbox.limits import Limits


def _record(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"person {number}",
        "email": f"p{number}@example.org",
        "score": number / 7,
        "active": number % 3 == 0,
        "tags": ["new", "größer", f"t{number % 5}"],
        "address": {"street": "Main Street", "number": number % 90, "zip": None},
    }


def values(box: Sandbox) -> None:
    """Records, lists, sets, dates, bytes, big integers, texts of both widths; in, out, and there and back."""
    records = [_record(number) for number in range(200)]
    box.eval("var back = (value) => value, kept; const keep = (value) => { kept = value; return 1 }")
    back = box.eval("back")
    for value in (
        records,
        list(range(2000)),
        [number / 3 for number in range(500)],
        {
            "when": datetime(2026, 3, 4, tzinfo=UTC),
            "all": {1, 2, 3},
            "none": None,
            "many": {n: str(n) for n in range(50)},
        },
        bytes(range(256)) * 40,
        [1 << 70, -(1 << 80), 0],
        "a text of some length, " * 100,
        "κείμενο και 字 " * 100,
    ):
        assert back(value)
        box.globals["given"] = value
    box.eval("globalThis.shared = [given]; shared.push(shared[0], {again: shared[0]}); 1")
    for text in (
        "shared",
        "new Map([[1, {a: 1}], ['b', [2]]])",
        "new Set('abc')",
        "[/a+/gi, new Date(5), 5n, undefined]",
    ):
        box.eval(text)
    box.eval("new Float64Array(500).map((_, i) => i / 3)")


def calls(box: Sandbox) -> None:
    """The program calls the host, and the host calls the program."""
    table = {number: _record(number) for number in range(50)}

    def fail() -> None:
        raise LookupError("no such record")

    box.globals["lookup"] = lambda number: table[number]
    box.globals["add"] = lambda one, other: one + other
    box.globals["store"] = lambda record: table.__setitem__(record["id"], record)
    box.globals["fail"] = fail
    box.eval("""
        let total = 0, failed = 0;
        for (let i = 0; i < 300; i++) total = add(total, i);
        for (let i = 0; i < 100; i++) { const record = lookup(i % 50); store({...record, score: record.score + i}); }
        for (let i = 0; i < 20; i++) { try { fail() } catch (error) { failed += error.message.length } }
        total + failed
    """)
    price = box.eval("(order) => order.lines.reduce((sum, line) => sum + line.count * line.price, 0)")
    for number in range(100):
        assert price({"lines": [{"count": n, "price": number} for n in range(5)]}) == 10 * number


def scripts(box: Sandbox) -> None:
    """Many small ones, as in a chat with a model; some fail."""
    for number in range(60):
        box.eval(f"{number} + {number}")
        box.eval(f"const v{number} = {{a: {number}, b: [1, 2, 3].map((x) => x * {number})}}; v{number}.b.length")
        box.eval(f"function f{number}(a, b = 2) {{ if (a > b) return a; return f{number}(a + 1, b) }} f{number}(0)")
    for text in ("let x = ;", "null.x", "throw new TypeError('no')", "missing", "JSON.parse('{')"):
        with suppress(JSError):
            box.eval(text)


def waiting(limits: Limits) -> None:
    """Programs that await the host, on the other face."""

    async def answer(number: int) -> dict[str, Any]:
        await asyncio.sleep(0)
        return _record(number)

    async def run() -> None:
        async with AsyncSandbox(limits=limits, functions={"answer": answer}) as box:
            await box.eval("""
                let seen = 0;
                for (let i = 0; i < 40; i++) seen += (await answer(i)).id;
                const all = await Promise.all(Array.from({length: 40}, (_, i) => answer(i)));
                await new Promise((resolve) => setTimeout(resolve, 1));
                seen + all.length
            """)

    asyncio.run(run())


WITH_A_SANDBOX: Final[tuple[Callable[[Sandbox], None], ...]] = (values, calls, scripts)
