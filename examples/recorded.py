"""A failure in production, done again at a desk: recorded there, replayed without the network and the functions.

python -m examples.recorded
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from sandbox import JSError, Sandbox, replay

PROGRAM = """
const rates = [];
for (let day = 0; day < 5; day++) rates.push(rateOf(day));
const highest = Math.max(...rates);
if (highest > 0) throw new RangeError(`a rate of ${highest} on day ${rates.indexOf(highest)}`);
"""


def rate_of(day: int) -> float:
    return random.random() * day  # noqa: S311 - what nobody can foresee at the desk


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory) / "failure.record"
        with Sandbox(functions={"rateOf": rate_of}, record=record) as box:
            try:
                box.eval(PROGRAM, filename="rates.js")
            except JSError as error:
                happened = error.message
        again = replay(record)
        calls = [event.text for event in again.events() if event.what == "request"]
        with again.start() as moment:
            while (event := moment.step()) is not None and event.text != calls[-1]:
                pass
            seen = moment.show("rates.length")
        errors = [event.text for event in again.events() if event.what == "error"]
        print(f"asked: {', '.join(calls)}")
        print(f"before the last answer there were {seen} rates")
        print("the same failure:", happened in errors[0])


if __name__ == "__main__":
    main()
