"""Rows that stream through a customer's filter: a generator of Python in, one of JavaScript out, one row at a time.

python -m examples.rows
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox import Sandbox

FILTER = """
function* clean(rows) {
  const seen = new Set();
  for (const row of rows) {
    const email = row.email?.trim().toLowerCase();
    if (!email || seen.has(email)) continue;
    seen.add(email);
    yield { ...row, email };
  }
}
"""

read = 0


def source() -> Iterator[dict[str, Any]]:
    """A million rows, if somebody wants so many; a file or a cursor in your application."""
    global read
    for number in range(1_000_000):
        read += 1
        yield {"id": number, "email": f" User{number // 2}@Example.com" if number % 5 else None}


def main() -> None:
    with Sandbox() as box:
        box.eval(FILTER)
        rows = box.call("clean", source())
        for row in rows:
            print(row)
            if row["id"] >= 8:
                break
        rows.close()
    print(f"{read} rows were read")


if __name__ == "__main__":
    main()
