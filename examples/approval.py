"""Approval: a program may transfer small amounts by itself; a person says yes or no to the others, days later.

Three processes in real life: one that runs programs, a web page that shows questions, a worker that goes on. They share
nothing but the database.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from examples.paused_store import PausedStore
from sandbox import Pause, Sandbox

KEY = b"32 bytes from your secret store."

PROGRAM = """
const done = [];
for (const [to, amount] of [["Ada", 20], ["Grace", 900], ["Alan", 5000]]) {
  try {
    done.push(await transfer(to, amount));
  } catch (error) {
    done.push(`${to}: ${error.message}`);
  }
}
done
"""


def functions(effects: list[str]) -> dict[str, Any]:
    async def transfer(to: str, amount: int) -> str:
        if amount > 100:
            raise Pause("approve this transfer", to=to, amount=amount)
        effects.append(f"{amount} to {to}")
        return f"{to}: {amount}"

    return {"transfer": transfer}


def begin(store: PausedStore) -> int:
    effects: list[str] = []
    with Sandbox(functions=functions(effects)) as box:
        return store.add(box.execute(PROGRAM), effects)


def go_on(store: PausedStore) -> None:
    """What a worker does. An approved transfer is made in the transaction that moves the program on."""
    for work in store.take(most=10):
        effects: list[str] = []
        (call,) = work.snapshot.paused
        with Sandbox.restore(work.snapshot, functions=functions(effects)) as box:
            if work.answer:
                to, amount = call.arguments
                effects.append(f"{amount} to {to}")
                outcome = box.resume(f"{to}: {amount}")
            else:
                outcome = box.resume(error=PermissionError("refused"))
        store.commit(work, outcome, effects)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = PausedStore(str(Path(folder) / "programs.db"), KEY)
        number = begin(store)
        for decision in (True, False):
            ((_, question),) = store.questions()
            print(f"{question.reason}: {question.details['amount']} to {question.details['to']}? {decision}")
            print("first answer:", store.answer(question.token, decision), store.answer(question.token, not decision))
            go_on(store)
        print(store.result(number))
        print("transferred:", store.effects(number))
        store.close()


if __name__ == "__main__":
    main()
