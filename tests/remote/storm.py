"""A storm: many clients use many namespaces of one daemon while clients and workers are killed at random.

    python -m tests.remote.storm --seconds 600

Nothing may cross owners, hang, grow, or be lost without somebody being told. What each client saw is written down with
the time, and compared at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import sandbox
from sandbox import Limits
from sandbox.errors import JSError, NamespaceInUse, SandboxError
from sandbox.remote import instance
from sandbox.remote.errors import ConnectionLost, DaemonFull, NamespaceLost, RemoteError, SandboxLost

OWNERS = 8
THREADS = 8
_SILENCE_SECONDS = 90.0
_PROGRAM = """
globalThis.mine ??= owner();
globalThis.n = (globalThis.n ?? 0) + 1;
await (async () => {
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await echo(i));
  return [mine, n - 1, answers, owner()];
})()
"""


def client(address: str, owner: int, token: str, spaces: int, seed: int) -> None:
    """One process with some clients, each a connection and a thread, until it is killed."""
    instance._USES = 2  # most uses are short, and yet shall have a line
    out = threading.Lock()

    def say(**facts: Any) -> None:
        with out:
            sys.stdout.write(json.dumps({"at": time.monotonic(), "owner": owner, **facts}) + "\n")
            sys.stdout.flush()

    def one(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        while True:
            try:
                with sandbox.connect(address, token=token) as remote:
                    for _ in range(chance.randrange(5, 60)):
                        use(remote, chance, f"{seed}/{number}", spaces, say)
            except RemoteError as error:
                say(kind="told", error=type(error).__name__)
                time.sleep(0.05)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def use(remote: sandbox.Remote, chance: random.Random, me: str, spaces: int, say: Any) -> None:
    """One use of one namespace, in one of several ways; what came of it is said."""
    name = f"space {chance.randrange(spaces)}"
    restore = chance.random() < 0.5
    began = time.monotonic()
    asked: list[int] = []

    async def echo(number: int) -> str:
        asked.append(number)
        return f"{me}:{number}"

    loan = remote.namespace(
        name,
        restore=restore,
        limits=Limits(memory_bytes=16 << 20, cpu_seconds=2, wall_seconds=30),
        functions={"echo": echo, "owner": lambda: os.environ["STORM_OWNER"]},
    )
    try:
        with loan as box:
            mine, before, answers, asked_now = box.eval(_PROGRAM)
            if chance.random() < 0.05:
                with suppress(JSError, SandboxError):
                    box.eval("for (;;);", timeout=0.05)
        right = answers == [f"{me}:{n}" for n in range(3)] and asked == [0, 1, 2]
        is_own = mine == asked_now == os.environ["STORM_OWNER"]
        say(kind="kept", name=name, began=began, before=before, right=right and is_own)
    except NamespaceInUse:
        say(kind="in use")
    except (NamespaceLost, SandboxLost, ConnectionLost) as error:
        say(kind="told", name=name, error=type(error).__name__)
        if isinstance(error, ConnectionLost):
            raise
    except DaemonFull:
        say(kind="full")
        time.sleep(0.2)
    except SandboxError as error:
        say(kind="failed", name=name, error=f"{type(error).__name__}: {error}")


class Storm:
    """The daemon, its clients, what kills them, and what they said."""

    def __init__(
        self, directory: Path, *, seconds: float, processes: int, spaces: int, workers: int, seed: int
    ) -> None:
        self.seconds, self.spaces, self.processes = seconds, spaces, processes
        self.chance = random.Random(seed)
        self.address = str(directory / "s")
        self.tokens = {owner: f"token of owner {owner}".replace(" ", "-") * 2 for owner in range(OWNERS)}
        tokens = directory / "tokens"
        tokens.write_text("".join(f"owner{owner} {token}\n" for owner, token in self.tokens.items()))
        tokens.chmod(0o600)
        command = [sys.executable, "-m", "sandbox", "daemon", "--socket", self.address, "--token-file", str(tokens)]
        limits = ["--workers", str(workers), "--max-namespaces", str(2 * spaces * OWNERS), "--drain", "1s"]
        self.daemon = subprocess.Popen([*command, *limits], stderr=subprocess.PIPE, text=True)
        assert self.daemon.stderr is not None
        assert "Listening" in self.daemon.stderr.readline()
        self.complaints = threading.Thread(target=self.daemon.stderr.read, daemon=True)
        self.complaints.start()
        self.said: list[dict[str, Any]] = []
        self.heard: dict[int, float] = {}
        self.clients: list[subprocess.Popen[str]] = []
        self.listeners: list[threading.Thread] = []
        self.kills: Counter[str] = Counter()
        self.memory: list[tuple[float, int, int]] = []

    def start(self, number: int, owner: int) -> subprocess.Popen[str]:
        arguments = ["--client", self.address, str(owner), self.tokens[owner], str(self.spaces), str(number)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.remote.storm", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "STORM_OWNER": f"owner{owner}"},
        )
        self.heard[process.pid] = time.monotonic()
        self.listeners.append(threading.Thread(target=self.listen, args=(process,), daemon=True))
        self.listeners[-1].start()
        return process

    def listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.heard[process.pid] = time.monotonic()
                with suppress(ValueError):  # a process that was killed has left half a line
                    self.said.append(json.loads(line))

    def worker_pids(self) -> list[int]:
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def resident(self, pid: int) -> int:
        with suppress(OSError):
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        return 0

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        numbers = iter(range(1_000_000))
        self.clients = [self.start(next(numbers), index % OWNERS) for index in range(self.processes)]
        kill_client, kill_worker, look = 5.0, 5.0, 0.0
        try:
            while (now := time.monotonic() - began) < self.seconds:
                time.sleep(0.1)
                if self.daemon.poll() is not None:
                    raise AssertionError("the daemon has ended")
                if now > kill_client:
                    index = self.chance.randrange(len(self.clients))
                    self.clients[index].kill()
                    self.clients[index].wait()
                    del self.heard[self.clients[index].pid]
                    self.clients[index] = self.start(next(numbers), index % OWNERS)
                    self.kills["clients"] += THREADS
                    kill_client = now + self.chance.uniform(2, 6)
                if now > kill_worker:
                    if pids := self.worker_pids():
                        with suppress(ProcessLookupError):
                            os.kill(self.chance.choice(pids), signal.SIGKILL)
                            self.kills["workers"] += 1
                    kill_worker = now + self.chance.uniform(4, 10)
                if now > look:
                    self.memory.append(
                        (now, self.resident(self.daemon.pid), sum(map(self.resident, self.worker_pids())))
                    )
                    look = now + 2
                silent = {pid for pid, at in self.heard.items() if time.monotonic() - at > _SILENCE_SECONDS}
                if silent:
                    raise AssertionError(f"clients hang: {silent}")
            with sandbox.connect(self.address, token=self.tokens[0]) as remote:
                counts = remote.statistics()
        finally:
            for process in self.clients:
                process.kill()
                process.wait()
            self.daemon.terminate()
            status = self.daemon.wait(30)
            assert self.daemon.stderr is not None
            for thread in (self.complaints, *self.listeners):
                thread.join(30)
            self.daemon.stderr.close()
        return self.report(counts, status)

    def report(self, counts: dict[str, int], status: int) -> dict[str, Any]:
        kinds = Counter(each["kind"] for each in self.said)
        kept = [each for each in self.said if each["kind"] == "kept"]
        by_name = defaultdict(list)
        for each in kept:
            by_name[each["owner"], each["name"]].append(each)
        silent_losses = 0
        for uses in by_name.values():
            for each in uses:
                # Whatever was kept before this use began, it must have found.
                silent_losses += any(
                    other["at"] < each["began"] and other["before"] + 1 > each["before"] for other in uses
                )
        quarters = [
            [each for each in self.memory if quarter / 4 <= each[0] / self.seconds < (quarter + 1) / 4]
            for quarter in range(4)
        ]

        def mean(rows: list[Any], column: int) -> int:
            return int(sum(row[column] for row in rows) // max(len(rows), 1)) >> 20

        return {
            "uses kept": len(kept),
            "namespaces": len(by_name),
            "wrong answers": sum(not each["right"] for each in kept),
            "lost in silence": silent_losses,
            "losses told": dict(Counter(each["error"] for each in self.said if each["kind"] == "told")),
            "refused, in use": kinds["in use"],
            "refused, no worker was ready": kinds["full"],
            "failed otherwise": dict(Counter(each["error"] for each in self.said if each["kind"] == "failed")),
            "kills": dict(self.kills),
            "daemon MB, by quarter": [mean(rows, 1) for rows in quarters],
            "workers MB, likewise": [mean(rows, 2) for rows in quarters],
            "daemon's status": status,
            "statistics": counts,
        }


def storm(**options: Any) -> dict[str, Any]:
    """Run one and report."""
    with tempfile.TemporaryDirectory() as directory:
        return Storm(Path(directory), **options).run()


def main() -> None:
    """The command."""
    if sys.argv[1:2] == ["--client"]:
        address, owner, token, spaces, seed = sys.argv[2:]
        client(address, int(owner), token, int(spaces), int(seed))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=8, help=f"of clients, {THREADS} clients each")
    parser.add_argument("--spaces", type=int, default=125, help=f"namespaces of each of {OWNERS} owners")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    report = storm(**vars(parser.parse_args()))
    for name, value in report.items():
        print(f"{name}: {value}")
    sys.exit(bool(report["wrong answers"] or report["lost in silence"] or report["failed otherwise"]))


if __name__ == "__main__":
    main()
