"""Rules that business people write: expressions, checked when they are saved, evaluated over many records.

python -m examples.rules
"""

from __future__ import annotations

from sandbox import JSError, Limits, Sandbox
from sandbox.errors import JSSyntaxError

RULES = {
    "large order": "order.total > 1000",
    "new customer abroad": "customer.orders === 0 && customer.country !== 'DE'",
    "weekend": "[0, 6].includes(new Date(order.at).getUTCDay())",
    "typo": "customer.order.length > 3",
    "no expression": "if (order.total) {",
}
RECORDS = [
    {"order": {"total": 1200, "at": "2026-05-02T10:00:00Z"}, "customer": {"orders": 3, "country": "DE"}},
    {"order": {"total": 80, "at": "2026-05-04T10:00:00Z"}, "customer": {"orders": 0, "country": "FR"}},
]


def main() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.5)) as box:
        compiled = {}
        for name, text in RULES.items():
            try:
                # Whatever a rule makes of its brackets, it is compiled here and has this sandbox to itself.
                box.globals["text"] = text
                compiled[name] = box.eval("Function('order', 'customer', `return (${text}\\n)`)", filename=name)
            except JSSyntaxError as error:
                print(f"{name!r} cannot be saved: {error.message}")
        for number, record in enumerate(RECORDS, 1):
            for name, rule in compiled.items():
                try:
                    if rule(record["order"], record["customer"]):
                        print(f"order {number}: {name}")
                except JSError as error:
                    print(f"order {number}: the rule {name!r} failed: {error.message}")


if __name__ == "__main__":
    main()
