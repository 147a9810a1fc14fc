"""Code that a model wrote: run it, show the model what went wrong, run what it writes next.

    python -m examples.model_code

The model is a list of answers here; put a call of yours in the place of `ask_model`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox import JSError, Limits, Sandbox, SandboxError

TASK = "Which product sold best? `sales` is an array of {product, count}. Tools: priceOf(product)."
SALES = [{"product": "tea", "count": 40}, {"product": "mug", "count": 12}, {"product": "tea", "count": 2}]
PRICES = {"tea": 4.25, "mug": 9.5}

ANSWERS = iter(
    [
        "const best = sales.sort((a, b) => b.total - a.total)[0];\nreturn best.name.toUpperCase()",
        "for (;;) { }",
        """const totals = {};
for (const { product, count } of sales) totals[product] = (totals[product] ?? 0) + count;
const [[product, count]] = Object.entries(totals).sort((a, b) => b[1] - a[1]);
return { product, count, revenue: count * priceOf(product) }""",
    ]
)


def ask_model(messages: list[str], answers: Iterator[str] = ANSWERS) -> str:
    """What a model would write, given what was said so far."""
    assert messages
    return next(answers)


def price_of(product: str) -> float:
    return PRICES[product]


def attempt(code: str) -> object:
    """One program in a sandbox of its own: what it leaves behind, the next attempt does not see."""
    limits = Limits(cpu_seconds=0.2, memory_bytes=16 << 20)
    with Sandbox(functions={"priceOf": price_of}, globals={"sales": SALES}, limits=limits) as box:
        return box.eval(f"(() => {{ {code}\n}})()", filename="attempt.js")


def main() -> None:
    messages = [TASK]
    for number in range(1, 4):
        code = ask_model(messages)
        try:
            value = attempt(code)
        except JSError as error:
            problem = error.render()  # the message, the line and a frame of code, as models read them best
        except SandboxError as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            print(f"attempt {number}: {value}")
            return
        messages += [code, f"That failed:\n{problem}"]
        print(f"attempt {number} failed:\n{problem}\n")


if __name__ == "__main__":
    main()
