"""A human in the loop: code that a model wrote asks the user in the middle of its work, and the chat goes on later.

`on_call` holds calls of tools that change something, without a change of the tools. When the user agrees, the tool is
called; if not, the program is told. The user's free answers come the same way, by a tool that always pauses.
"""

from __future__ import annotations

from sandbox import Call, Outcome, Pause, Sandbox, Snapshot

# What the model wrote.
PROGRAM = """
const mails = await searchMail("invoice");
const wanted = await askUser(`I found ${mails.length} invoices. Which month?`);
const chosen = mails.filter(mail => mail.month === wanted);
for (const mail of chosen) await deleteMail(mail.id);
`Deleted ${chosen.length} of ${mails.length}.`
"""

MAILS = {1: "May", 2: "June", 3: "June"}


async def search_mail(text: str) -> list[dict[str, object]]:
    return [{"id": number, "month": month} for number, month in MAILS.items()]


async def delete_mail(number: int) -> None:
    del MAILS[number]


async def ask_user(question: str) -> str:
    raise Pause(question)


TOOLS = {"searchMail": search_mail, "deleteMail": delete_mail, "askUser": ask_user}


def confirm(call: Call) -> None:
    raise Pause(f"May I call {call.name}({', '.join(map(str, call.arguments))})?")


HOOKS = {"delete*": confirm}


def reply(snapshot: bytes, text: str) -> Outcome:
    """One message of the user, in whatever process it arrives."""
    with Sandbox.restore(Snapshot.from_bytes(snapshot), functions=TOOLS, on_call=HOOKS) as box:
        (call,) = box.pending
        if call.name == "askUser":
            return box.resume(text)
        return box.resume(proceed=True) if text == "yes" else box.resume(error=PermissionError("the user said no"))


def main() -> None:
    with Sandbox(functions=TOOLS, on_call=HOOKS) as box:
        outcome = box.execute(PROGRAM)
    for text in ("June", "yes", "yes"):
        assert outcome.snapshot is not None
        kept = outcome.snapshot.to_bytes()  # in the row of the conversation
        print("assistant:", outcome.paused[0].reason)
        print("user:", text)
        outcome = reply(kept, text)
    print("assistant:", outcome.unwrap())
    print("left:", MAILS)


if __name__ == "__main__":
    main()
