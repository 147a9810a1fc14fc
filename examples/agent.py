"""A small agent: a model writes programs, sees what became of them, and writes the next one, until it has an answer.

The model here is a list of programs, so that the loop can be seen without a network. It makes the mistakes that models
make: a property that is not there, too large a result, a loop without end. What it is told each time is
`Outcome.preview`: bounded, valid, with the place of the error. `answer` ends the task from within the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from sandbox import Limits, Outcome, Sandbox, Stop, declarations


class Order(TypedDict):
    """An order of the shop."""

    id: int
    customer: str
    cents: int


ORDERS: list[Order] = [
    {"id": number, "customer": ["Ada", "Grace", "Alan"][number % 3], "cents": 500 + number * 7}
    for number in range(1_000)
]


async def orders(customer: str | None = None) -> list[Order]:
    """All orders, oldest first.

    Args:
        customer: Only those of this customer.
    """
    return [order for order in ORDERS if customer in (None, order["customer"])]


def answer(text: str) -> None:
    """Give the answer to the user, which ends the task."""
    raise Stop(text, reason="answered")


TOOLS = {"orders": orders, "answer": answer}
INSTRUCTIONS = f"You have these functions:\n\n{declarations(TOOLS)}\nWrite a program. Which customer spent most?"


def model() -> Iterator[str]:
    """What a model would send, one program for each thing it is told."""
    yield "const all = await orders();\nall"
    yield "const sums = {};\nfor (const order of all) {\n  sums[order.customer.name] += order.price.cents;\n}\nsums"
    yield "let i = 0;\nwhile (i < all.length) {\n  // forgot to count\n}"
    yield (
        "const totals = Object.groupBy(all, order => order.customer);\n"
        "for (const name in totals) totals[name] = totals[name].reduce((sum, order) => sum + order.cents, 0);\n"
        "console.log(totals);\n"
        "const [best] = Object.entries(totals).sort((a, b) => b[1] - a[1]);\n"
        "answer(`${best[0]} spent most: ${best[1] / 100}`);"
    )


def run() -> str:
    """Let the model work until it answers; every turn is a run of one sandbox, so its variables stay."""
    print(INSTRUCTIONS)
    with Sandbox(functions=TOOLS, limits=Limits(cpu_seconds=0.5, memory_bytes=64 << 20)) as box:
        for turn, program in enumerate(model(), 1):
            outcome: Outcome = box.execute(program, filename=f"turn {turn}", timeout=10, max_host_calls=20)
            if outcome.stopped:
                return str(outcome.value)
            print(f"--- turn {turn}: the model is told, in {len(outcome.preview(max_bytes=400).encode())} bytes")
            print(outcome.preview(max_bytes=400))
    raise RuntimeError("the model has no answer")


if __name__ == "__main__":
    print("--- the answer\n" + run())
