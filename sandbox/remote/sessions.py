"""One client of a daemon: what it may ask, and which of its requests go to which worker. Values are bytes to it."""

from __future__ import annotations

import hmac
import itertools
import secrets
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from sandbox import _abi
from sandbox._records import field, record
from sandbox.remote.bodies import Bodies
from sandbox.remote.events import Answered, Asked, Cancelled, Event, Greeted, Refused, Stream
from sandbox.remote.protocol import REASONS, VERSION, Code, Kind, Refusal, check_parameters, pack

if TYPE_CHECKING:
    from sandbox.remote.books import Bounds, Census, Spaces
    from sandbox.remote.peers import Peer
    from sandbox.remote.statistics import Statistics
    from sandbox.remote.workers import WorkerProcess, Workers


_MOST_LINES: Final = 64  # of a worker: each takes a thread or two
_line_numbers: Final = itertools.count(1)  # of all sessions: a number is never given twice


@record(slots=True)
class House:
    """What all sessions of a daemon share.

    Attributes:
        bounds: What it allows.
        tokens: Owners by token.
        workers: Its processes.
        spaces: Its namespaces.
        census: Its sandboxes.
        statistics: What it has counted.
        sessions: Who is connected.
        tickets: Workers and numbers of lines by what a client says who opens one.
        is_draining: Whether it is about to stop.
    """

    bounds: Bounds
    tokens: Mapping[str, str]
    workers: Workers
    spaces: Spaces
    census: Census
    statistics: Statistics
    sessions: dict[Session, Peer] = field(default_factory=dict)
    tickets: dict[str, tuple[WorkerProcess, int]] = field(default_factory=dict)
    is_draining: bool = False

    def facts(self) -> dict[str, Any]:
        """What a client is told that was let in."""
        return {
            "daemon": f"sandbox {version('quickjs-sandbox')}",
            "abi": _abi.VERSION,
            "sandboxes": self.bounds.sandboxes_each,
            "memory_bytes": self.bounds.memory_bytes,
            **self.workers.facts,
        }

    def counts(self) -> dict[str, int]:
        """The statistics."""
        calls, asks = self.workers.of_lines()
        counts = self.statistics.read(
            {
                "connections": sum(bool(session.owner) for session in self.sessions),
                "sandboxes": len(self.census),
                "owners": self.census.owners,
                "workers": len(self.workers.ready),
                "namespaces": len(self.spaces),
                "namespaces_in_use": self.spaces.in_use,
                "namespace_bytes": self.spaces.kept_bytes,
            }
        )
        counts["calls_total"] += calls
        counts["asks_total"] += asks
        return counts


class Session:
    """What one connection has: sandboxes, namespaces in use, requests on their way. All of it ends with it.

    Attributes:
        owner: Who it is of; empty until it is let in.
    """

    def __init__(self, house: House, peer: Peer, default_owner: str) -> None:
        """Begin with nothing.

        Args:
            house: What all sessions share.
            peer: The client.
            default_owner: Who it is, if there are no tokens.
        """
        self.owner: str = ""
        self._house, self._peer, self._default_owner = house, peer, default_owner
        self._sandboxes: dict[int, tuple[WorkerProcess, int]] = {}
        self._lost: set[int] = set()
        self._under_way: dict[int, tuple[WorkerProcess, int]] = {}
        self._asks: dict[int, tuple[WorkerProcess, int]] = {}
        self._spaces: set[str] = set()
        self._lines: dict[WorkerProcess, tuple[int, str]] = {}
        self._bodies = Bodies(peer.connection)

    def on_event(self, event: Event) -> None:
        """Something came of the client."""
        if isinstance(event, Greeted):
            self._greet(event.facts)
        elif isinstance(event, Asked):
            self._on_asked(event)
        elif isinstance(event, Answered | Refused):
            self._on_answer(event)
        elif isinstance(event, Cancelled):
            if (way := self._under_way.get(event.number)) is not None:
                way[0].cancel(way[1])
        else:
            for whole in self._bodies.take(event):
                if isinstance(whole, Asked):
                    self._do(whole)

    def end(self) -> None:
        """The client is gone: stop what runs for it, and let others have what it had."""
        for worker, number in self._sandboxes.values():
            self._house.census.leave(self.owner)
            worker.sandboxes.pop(number, None)
            if not worker.peer.is_gone:
                worker.send("abandon", {"sandbox": number}, None, lambda _answer: None)
        self._sandboxes.clear()
        for worker in list(self._lines):
            self._cut(worker)
        for worker, number in self._asks.values():
            if not worker.peer.is_gone:
                worker.peer.connection.refuse(number, Code.GONE)
                worker.peer.flush()
        self._asks.clear()
        for name in self._spaces:
            self._house.spaces.leave(self.owner, name, self, is_lost=True)
            self._house.statistics.count("namespaces_lost_total")
        self._spaces.clear()

    # --- who it is ---

    def _greet(self, facts: dict[str, Any]) -> None:
        house = self._house
        if "line" in facts:
            self._hand_over(facts)
            return
        owner = owner_of(facts.get("token"), house.tokens, self._default_owner)
        if owner is None:
            house.statistics.count("connections_refused_total")
            self._peer.close(Code.UNAUTHORIZED)
            return
        if house.is_draining:
            self._peer.close(Code.DRAINING)
            return
        self.owner = owner
        house.statistics.count("connections_total")
        self._peer.connection.welcome({"owner": owner, **house.facts()})

    # --- lines ---

    def _offer_line(self, asked: Asked) -> None:
        """Let the client call one of its sandboxes over a connection of its own to the worker."""
        worker, number = self._placed(asked.parameters["sandbox"])
        if worker not in self._lines and len(worker.lines) >= _MOST_LINES:
            raise Refusal(Code.LIMIT, f"a worker has {_MOST_LINES} lines at most")
        line, before = self._lines.get(worker) or (next(_line_numbers), "")
        ticket = secrets.token_hex(32)
        worker.lines.add(line)
        self._lines[worker] = line, ticket
        self._house.tickets.pop(before, None)
        self._house.tickets[ticket] = worker, line

        def on_answer(answer: Answered | Refused | None) -> None:
            if isinstance(answer, Answered):
                told = {"worker": worker.pid, "sandbox": number, "ticket": ticket}
                self._peer.connection.answer(asked.number, told)
                self._peer.flush()
            else:
                self._refuse(asked, Refusal(Code.WORKER_LOST))

        worker.send("grant", {"line": line, "sandbox": number}, None, on_answer)

    def _hand_over(self, facts: dict[str, Any]) -> None:
        """Somebody has a ticket: the connection becomes the worker's."""
        ticket, peer = facts["line"], self._peer
        worker, line = self._house.tickets.pop(ticket, (None, 0)) if isinstance(ticket, str) else (None, 0)
        if worker is None or peer.descriptor < 0 or worker.peer.is_gone:
            self._house.statistics.count("connections_refused_total")
            peer.close(Code.UNAUTHORIZED)
            return
        if peer.connection.state != "greeting" or peer.connection.unread_bytes:
            peer.close(Code.UNEXPECTED, "nothing is sent over a line before its greeting was answered")
            return
        greeting = pack([Kind.HELLO, {"versions": [VERSION], "max_body_bytes": facts["max_body_bytes"]}])
        try:
            worker.hand_over(line, greeting, peer.descriptor)
        except OSError:
            peer.close(Code.TOO_MANY)
        else:
            peer.end()

    def _cut(self, worker: WorkerProcess) -> None:
        line, ticket = self._lines.pop(worker)
        self._house.tickets.pop(ticket, None)
        worker.lines.discard(line)
        if not worker.peer.is_gone:
            worker.send("cut", {"line": line}, None, lambda _answer: None)

    # --- what it asks ---

    def _on_asked(self, asked: Asked) -> None:
        try:
            check_parameters(asked.method, asked.parameters)
            if asked.method in _HERE:
                for whole in self._bodies.take(asked):
                    if isinstance(whole, Asked):
                        self._do(whole)
            elif asked.method in _THERE:
                self._forward(asked)
            elif asked.method == "line":
                self._peer.refuse_body(asked.body)
                self._offer_line(asked)
            else:
                raise Refusal(Code.UNKNOWN_METHOD)
        except Refusal as refusal:
            self._refuse(asked, refusal)

    def _refuse(self, asked: Asked, refusal: Refusal) -> None:
        self._house.statistics.count("requests_refused_total")
        self._peer.refuse_body(asked.body)
        self._peer.connection.refuse(asked.number, refusal.code, str(refusal), refusal.detail)
        self._peer.flush()

    def _do(self, asked: Asked) -> None:
        try:
            result, body = _HERE[asked.method](self, asked) if asked.method else _cut_off()
        except Refusal as refusal:
            self._refuse(asked, refusal)
            return
        try:
            self._peer.connection.answer(asked.number, result, body)
        except ValueError as error:
            self._refuse(asked, Refusal(Code.LIMIT, str(error)))
        self._peer.flush()

    def _forward(self, asked: Asked) -> None:
        """Send a request to the worker that has the sandbox."""
        given = asked.parameters["sandbox"]
        if asked.method == "open":
            worker, parameters = self._place(asked.parameters)
        else:
            worker, number = self._placed(given)
            parameters = {**asked.parameters, "sandbox": number}
        if asked.method == "call":
            self._house.statistics.count("calls_total")

        def send(body: bytes | int | None) -> None:
            self._under_way[asked.number] = (
                worker,
                worker.send(asked.method, parameters, body, lambda answer: self._on_done(asked, worker, answer)),
            )

        try:
            self._peer.hand_on(asked.body, worker.peer, send)
        except ValueError as error:
            if asked.method == "open":
                self._forget(given)
            raise Refusal(Code.LIMIT, str(error)) from None
        if asked.method == "close":
            self._forget(given)

    def _placed(self, given: int) -> tuple[WorkerProcess, int]:
        """Where a sandbox is."""
        if given not in self._sandboxes:
            raise Refusal(Code.WORKER_LOST if given in self._lost else Code.NO_SANDBOX)
        return self._sandboxes[given]

    def _place(self, parameters: dict[str, Any]) -> tuple[WorkerProcess, dict[str, Any]]:
        """Find a worker for a new sandbox."""
        given, source, bounds = parameters["sandbox"], parameters["of"], self._house.bounds
        if given in self._sandboxes or given in self._lost:
            raise Refusal(Code.BAD_PARAMETERS, "open: there is a sandbox of that number")
        if parameters["memory_bytes"] > bounds.memory_bytes:
            raise Refusal(Code.LIMIT, f"a sandbox of this daemon may have {bounds.memory_bytes:,} bytes of memory")
        if self._house.is_draining:
            raise Refusal(Code.DRAINING)
        worker = self._house.workers.idlest()
        if len(source) == 2 and source[0] == "sandbox":
            worker, number = self._placed(source[1])
            source = ["sandbox", number]
        if worker is None:
            raise Refusal(Code.FULL, "no worker process is ready")
        self._house.census.enter(self.owner)
        self._house.statistics.count("sandboxes_total")
        number = worker.number()
        worker.sandboxes[number] = self, given
        self._sandboxes[given] = worker, number
        return worker, {**parameters, "sandbox": number, "of": source}

    def _forget(self, given: int) -> None:
        if (placed := self._sandboxes.pop(given, None)) is not None:
            placed[0].sandboxes.pop(placed[1], None)
            self._house.census.leave(self.owner)

    def _on_done(self, asked: Asked, worker: WorkerProcess, answer: Answered | Refused | None) -> None:
        """The worker has answered, or has ended."""
        self._under_way.pop(asked.number, None)
        if self._peer.connection.state == "closed":
            if isinstance(answer, Answered):
                worker.peer.refuse_body(answer.body)
                worker.peer.flush()
            return
        if answer is None:
            self._refuse(asked, Refusal(Code.WORKER_LOST))
            return
        if isinstance(answer, Refused):
            if asked.method == "open":
                self._forget(asked.parameters["sandbox"])
            self._house.statistics.count("requests_refused_total")
            self._peer.connection.refuse(asked.number, answer.code, answer.text, answer.detail)
        else:
            try:
                worker.peer.hand_on(
                    answer.body,
                    self._peer,
                    lambda body: self._peer.connection.answer(asked.number, answer.result, body),
                )
            except ValueError as error:
                worker.peer.refuse_body(answer.body)
                self._refuse(asked, Refusal(Code.LIMIT, str(error)))
        self._peer.flush()

    def on_worker_lost(self, worker: WorkerProcess) -> None:
        """A worker has ended: the client hears which of its sandboxes are lost, whether it asks or not."""
        for given in [given for given, (where, _) in self._sandboxes.items() if where is worker]:
            self._forget(given)
            self._lost.add(given)
            self._house.statistics.count("sandboxes_lost_total")
            self._peer.connection.notice("lost", {"sandbox": given, "text": REASONS[Code.WORKER_LOST].text})
        if worker in self._lines:
            self._cut(worker)
        self._peer.flush()

    # --- what its guests ask ---

    def ask(self, worker: WorkerProcess, asked: Asked, given: int) -> None:
        """Hand a call of a guest to the client, who alone answers it."""
        self._house.statistics.count("asks_total")

        def send(body: bytes | int | None) -> None:
            number = self._peer.connection.request("ask", {**asked.parameters, "sandbox": given}, body)
            self._asks[number] = worker, asked.number

        try:
            worker.peer.hand_on(asked.body, self._peer, send)
        except ValueError:
            worker.peer.refuse_body(asked.body)
            worker.peer.connection.refuse(asked.number, Code.LIMIT)
            worker.peer.flush()
        self._peer.flush()

    def _on_answer(self, event: Answered | Refused) -> None:
        worker, number = self._asks.pop(event.number)
        if worker.peer.connection.state == "closed":
            if isinstance(event, Answered):
                self._peer.refuse_body(event.body)
                self._peer.flush()
            return
        if isinstance(event, Refused):
            worker.peer.connection.refuse(number, event.code, event.text, {})
        else:
            try:
                self._peer.hand_on(
                    event.body, worker.peer, lambda body: worker.peer.connection.answer(number, event.result, body)
                )
            except ValueError:
                self._peer.refuse_body(event.body)
                worker.peer.connection.refuse(number, Code.LIMIT)
        worker.peer.flush()

    # --- namespaces, and what is answered here ---

    def _take(self, asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        given = asked.parameters
        kept = self._house.spaces.take(self.owner, given["name"], self, restore=given["restore"])
        self._spaces.add(given["name"])
        return {"is_new": kept is None}, kept

    def _keep(self, asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        name = asked.parameters["name"]
        if asked.body is None or isinstance(asked.body, Stream):
            raise Refusal(Code.BAD_PARAMETERS, "namespace.keep: there is no body")
        self._house.spaces.keep(self.owner, name, self, asked.body)
        self._spaces.discard(name)
        return {}, None

    def _leave(self, asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        name = asked.parameters["name"]
        self._house.spaces.leave(self.owner, name, self)
        self._spaces.discard(name)
        return {}, None

    def _drop(self, asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        return {"was_here": self._house.spaces.drop(self.owner, asked.parameters["name"])}, None

    def _names(self, _asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        return {}, b"\0".join(name.encode() for name in self._house.spaces.names(self.owner))

    def _count(self, _asked: Asked) -> tuple[dict[str, Any], bytes | None]:
        return {"counts": self._house.counts()}, None


_THERE = frozenset({"open", "call", "checkpoint", "restore", "forget", "memory", "close"})
_HERE: Mapping[str, Callable[[Session, Asked], tuple[dict[str, Any], bytes | None]]] = {
    "namespace.take": Session._take,
    "namespace.keep": Session._keep,
    "namespace.leave": Session._leave,
    "namespace.drop": Session._drop,
    "namespace.names": Session._names,
    "statistics": Session._count,
}


def _cut_off() -> tuple[dict[str, Any], bytes | None]:
    raise Refusal(Code.CANCELLED)


def owner_of(token: object, tokens: Mapping[str, str], default: str) -> str | None:
    """Who a client is; None: nobody who is known. All tokens are compared, each in constant time.

    Args:
        token: What it sent.
        tokens: Owners by token; none: whoever can connect is the default owner.
        default: That owner.
    """
    if not tokens:
        return default
    given = token.encode() if isinstance(token, str) else b""
    found = None
    for each, owner in tokens.items():
        if hmac.compare_digest(each.encode(), given):
            found = owner
    return found
