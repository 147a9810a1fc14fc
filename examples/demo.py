"""A program in the sandbox, its limits, and what they cost nobody else. Run it with `make demo`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import anyio
from rich import box as box_styles
from rich.console import Console
from rich.padding import Padding
from rich.pretty import Pretty
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from sandbox import ConsoleEntry, JSError, Limits, Sandbox, SandboxError
from sandbox.errors import LimitExceeded

PROGRAM = Path(__file__).with_name("orders.js")
LINKS = [
    "https://shop.example/order?sku=MUG:2&sku=TEA&for=Ada",
    "https://shop.example/order?sku=POT&sku=MUG:40&for=Gr%C3%A9goire",
    "https://shop.example/order?sku=TEA:3&for=Mallory",
]
PRICES = {"MUG": 950, "TEA": 425, "POT": 3200}
STOCK = {"MUG": 12, "TEA": 80, "POT": 1}
STYLES = {"warn": "yellow", "error": "red", "debug": "dim"}


def price_of(sku: str) -> int:
    """A host function the guest waits for inside one expression."""
    return PRICES[sku]


async def stock_of(sku: str) -> int:
    """A host function that is a promise to the guest; all the guest asks for runs at the same time."""
    await anyio.sleep(0.03)
    return STOCK[sku]


class Payments:
    """A payment service that is slow the first time and refuses one customer."""

    def __init__(self) -> None:
        self.calls = 0

    async def charge(self, customer: str, cents: int) -> str:
        self.calls += 1
        await anyio.sleep(0.01)
        if self.calls == 1:
            raise TimeoutError("the payment service is busy")
        if customer == "Mallory":
            raise PermissionError("the card was refused")
        return f"P-{1000 + self.calls}-{cents}"


def show_entry(out: Console) -> Callable[[ConsoleEntry], None]:
    """Print what the guest's console says, marked as the guest's."""

    def show(entry: ConsoleEntry) -> None:
        if entry.type in ("groupEnd", "time"):
            return
        for line in str(entry).splitlines():
            out.print(Text.assemble(("  js │ ", "blue"), (line, STYLES.get(entry.level, ""))), soft_wrap=True)

    return show


def show_step(out: Console, title: str) -> None:
    out.print()
    out.print(Rule(Text(title, "bold"), align="left", style="blue"))


def show_code(out: Console, code: str) -> None:
    out.print(Syntax(code, "javascript", theme="ansi_dark", background_color="default", padding=(0, 2)))


def show_failure(out: Console, box: Sandbox, code: str) -> None:
    """Run code that fails, and show the error the embedder gets."""
    show_code(out, code)
    started = time.perf_counter()
    try:
        box.eval(code, filename="guest.js")
    except LimitExceeded as error:
        seconds = time.perf_counter() - started
        out.print(Text.assemble(("  " + type(error).__name__, "bold red"), f" after {seconds:.2f} s"))
        used = "unknown" if error.used is None else f"{error.used:,}"
        out.print(f"  limit={error.limit:,}  used={used}  unit={error.unit!r}", highlight=True)
        out.print(Text("  " + error.advice, "dim"))
    except JSError as error:
        out.print(Padding(Text.from_ansi(error.render(color=True)), (0, 2)))


def show_state(out: Console, name: str, box: Sandbox) -> None:
    """Say whether a sandbox still works."""
    try:
        box.eval("1 + 1")
    except SandboxError as error:
        out.print(f"  {name}: [yellow]{error}[/yellow]")
    else:
        out.print(f"  {name}: [green]still works[/green]")


def show_usage(out: Console, boxes: dict[str, Sandbox]) -> None:
    table = Table(header_style="bold", border_style="blue", box=box_styles.ROUNDED)
    for heading in ("sandbox", "CPU time", "memory", "fuel", "host calls", "turns"):
        table.add_column(heading, justify="left" if heading == "sandbox" else "right")
    for name, box in boxes.items():
        usage = box.usage
        table.add_row(
            name,
            f"{usage.cpu_seconds * 1000:,.1f} ms",
            f"{usage.memory_bytes / (1 << 20):.1f} MB",
            f"{usage.fuel:,}",
            f"{usage.host_calls}",
            f"{usage.turns}",
        )
    out.print(Padding(table, (1, 2, 0, 2)))


def main(out: Console) -> None:
    """Play the whole demo to a console."""
    show_step(out, "1. A program: orders.js, with three functions and some data from Python")
    shop = Sandbox(
        limits=Limits(cpu_seconds=0.5, memory_bytes=32 << 20),
        functions={"priceOf": price_of, "stockOf": stock_of, "charge": Payments().charge},
        globals={"links": LINKS},
        console=show_entry(out),
    )
    endless, greedy = Sandbox(limits=Limits(cpu_seconds=0.25)), Sandbox(limits=Limits(memory_bytes=16 << 20))
    with shop, endless, greedy:
        shop.eval(PROGRAM.read_text("utf-8"), filename=PROGRAM.name)
        receipts = shop.call("processAll")
        out.print(Text("\n  What Python gets back:", "dim"))
        out.print(Padding(Pretty(receipts[0]), (0, 2)))

        show_step(out, "2. A mistake in the program: the author's own line and column")
        show_failure(out, shop, "refund({ customer: 'Ada' })")

        show_step(out, "3. A program that never ends, with 0.25 s of CPU time")
        show_failure(out, endless, "let n = 0;\nwhile (true) n++;")
        show_state(out, "the same sandbox", endless)

        show_step(out, "4. A program that wants all the memory, with 16 MB of it")
        show_failure(out, greedy, "const hoard = [];\nfor (;;) hoard.push(new ArrayBuffer(1 << 20));")
        show_state(out, "the same sandbox", greedy)

        show_step(out, "5. Nobody else noticed")
        out.print("  the shop refunds " + shop.call("refund", receipts[0]))
        show_usage(out, {"shop": shop, "endless": endless, "greedy": greedy})


if __name__ == "__main__":
    main(Console(highlight=False))
