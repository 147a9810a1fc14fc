"""A durable workflow: steps that take days are plain `await`s, and every step survives the end of the process.

Each `await step(...)` ends the process's part: the program is put into the database with the step that it wants done.
Whoever does the step gives its result, and the program goes on, in any worker.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from examples.paused_store import PausedStore
from sandbox import Limits, Pause, Sandbox

PROGRAM = """
const order = {id: "A-17", items: ["tea", "mug"]};
const reserved = await Promise.all(order.items.map(item => step("reserve", item)));
const payment = await step("charge", order.id, reserved.length * 10);
let parcel;
for (let attempt = 1; !parcel; attempt++) {
  try {
    parcel = await step("ship", order.id, attempt);
  } catch (error) {
    if (attempt === 3) throw error;
  }
}
`${order.id}: ${payment}, ${parcel}`
"""


async def step(name: str, *arguments: object) -> None:
    raise Pause(name, arguments=list(arguments))


def perform(name: str, arguments: list[Any]) -> dict[str, str]:
    """The steps themselves, wherever they are done: a queue, a person, another service."""
    if name == "ship" and arguments[1] < 2:
        return {"error": "no courier today"}
    return {"value": f"{name}({', '.join(map(str, arguments))})"}


def work(path: str) -> bool:
    """One visit of a worker: do a step that is asked for, and go on with a program; whether there was something."""
    store = PausedStore(path)
    try:
        for _, question in store.questions(most=1):
            store.answer(question.token, perform(question.reason, question.details["arguments"]))
        for each in store.take():
            with Sandbox.restore(each.snapshot, functions={"step": step}, limits=Limits(wall_seconds=5)) as box:
                if "error" in each.answer:
                    outcome = box.resume(error=RuntimeError(each.answer["error"]), call=each.token)
                else:
                    outcome = box.resume(each.answer["value"], call=each.token)
            done = next(call for call in each.snapshot.paused if call.token == each.token)
            store.commit(each, outcome, [f"{done.reason} {list(done.details['arguments'])} -> {each.answer}"])
            return True
        return False
    finally:
        store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "workflows.db")
        store = PausedStore(path)
        with Sandbox(functions={"step": step}) as box:
            number = store.add(box.execute(PROGRAM), [])
        while work(path):  # each of these could be another process, on another day
            pass
        for effect in store.effects(number):
            print(effect)
        print(store.result(number))
        store.close()


if __name__ == "__main__":
    main()
