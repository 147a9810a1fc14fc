"""xJet's own command and servers in Node: they and ours say the same, whoever of them runs a suite."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import Limits
from sandbox.testing.remote.client import TcpRunner, run_remote
from sandbox.testing.remote.server import RunnerServer
from tests import npm
from tests.testing.test_remote import FAILS, PASSES

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")

NODE_SERVER = """
const net = require("node:net"), vm = require("node:vm");
const server = net.createServer((socket) => {
  let rest = Buffer.alloc(0), isKnown = false;
  const dispatch = (data) => {
    const head = Buffer.alloc(4); head.writeUInt32BE(data.length); socket.write(Buffer.concat([head, data]));
  };
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    if (!isKnown && rest.length >= 14) { rest = rest.subarray(14); isKnown = true }
    while (isKnown && rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0), code = rest.subarray(4, end - 14).toString();
      rest = rest.subarray(end);
      vm.runInNewContext(code, { Buffer, setTimeout, setInterval, clearTimeout, clearInterval, console, dispatch });
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextmanager
def node_server(folder: Path) -> Iterator[int]:
    """A server in Node that runs suites; its port."""
    (folder / "server.cjs").write_text(NODE_SERVER)
    command = [shutil.which("node") or "", str(folder / "server.cjs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def test_a_server_in_node(tmp_path: Path) -> None:
    with node_server(tmp_path) as port:
        report = run_remote([("a.js", PASSES), ("b.js", FAILS)], [TcpRunner("node", port=port, suite_seconds=20)])
    assert [suite.count("passed") for suite in report.suites] == [1, 0]
    assert report.exit_code == 1


CONFIG = """
import * as fs from "fs";
import * as net from "net";
class Remote {
  name = "sandbox"; connectionTimeout = 5000; dispatchTimeout = 5000; link: any; rest = Buffer.alloc(0);
  connect(take: (packet: Buffer) => void, id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.link = net.createConnection({ host: "127.0.0.1", port: PORT }, () => { this.link.write(id); resolve() });
      this.link.on("error", reject);
      this.link.on("data", (chunk: Buffer) => {
        this.rest = Buffer.concat([this.rest, chunk]);
        while (this.rest.length >= 4 && this.rest.length >= 4 + this.rest.readUInt32BE(0)) {
          const end = 4 + this.rest.readUInt32BE(0);
          const packet = this.rest.subarray(4, end);
          this.rest = this.rest.subarray(end);
          fs.appendFileSync("kinds.txt", `${packet[0] & 15} `);
          take(packet);
        }
      });
    });
  }
  dispatch(code: Buffer, id: string) {
    fs.writeFileSync("bundle.js", code);
    const body = Buffer.from(code.toString() + id), head = Buffer.alloc(4);
    head.writeUInt32BE(body.length, 0);
    this.link.write(Buffer.concat([head, body]));
  }
  disconnect() { this.link.destroy() }
}
export default { testRunners: [new Remote()], files: ["**/*.test.ts"], suites: ["**/*.test.ts"] };
"""
PROBE = """
describe("A", () => {
  test("t1", () => { expect(1 + 1).toBe(2) });
  test("t2", () => { expect({ a: 1 }).toEqual({ a: 2 }) });
  test("t3", async () => { await new Promise((done) => setTimeout(done, 10)); xJet.info("hello") });
  test.todo("t4"); test.skip("t5", () => {});
  describe("B", () => {
    test.each({ a: 1, b: 2 }, { a: 3, b: 4 })("$a and $b", ({ a, b }) => { expect(b - a).toBe(1) });
  });
});
describe("C", () => {
  beforeAll(() => { throw new TypeError("not ready") });
  test("t6", () => {});
});
"""
OUTCOMES = {
    "t1": "passed", "t2": "failed", "t3": "passed", "t4": "todo", "t5": "skipped", "1 and 2": "passed",
    "3 and 4": "passed", "t6": "failed",
}  # fmt: skip


@dataclass
class Said:
    """What the command said of a server: its status, its report, and which packets came."""

    status: int
    report: dict[str, Any]
    kinds: list[str]

    def outcomes(self, suite: str) -> dict[str, str]:
        """Of the tests of a suite, by description."""
        found: dict[str, str] = {}
        waiting = [self.report["sandbox"][suite]["rootDescribe"]]
        while waiting:
            node = waiting.pop()
            waiting += node.get("describes", [])
            for test in node.get("tests", []):
                words = [word for word in ("skipped", "todo", "passed") if test.get(word)]
                found[test["description"]] = words[0] if words else "failed"
        return found


@pytest.fixture(scope="module")
def xjet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xjet")
    npm.install(folder, "@remotex-labs/xjet@1.1.0")
    return folder


def command(folder: Path, port: int) -> Said:
    """Have xJet's command run the suites of a folder by a server."""
    (folder / "config.xjet.ts").write_text(CONFIG.replace("PORT", str(port)))
    for name in ("kinds.txt", "out.json"):
        (folder / name).unlink(missing_ok=True)
    arguments = ["node", "node_modules/@remotex-labs/xjet/dist/bash.js", "-c", "config.xjet.ts", "--reporter", "json",
                 "--outputFile", "out.json"]  # fmt: skip
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (folder / "out.json").exists(), done.stdout + done.stderr
    kinds = (folder / "kinds.txt").read_text().split()
    return Said(done.returncode, json.loads((folder / "out.json").read_text()), kinds)


@pytest.mark.timeout(120)
def test_the_command_of_xjet(xjet: Path) -> None:
    """Its report is the same of our server as of one in Node, packet by packet; what it bundles runs by ours, too."""
    (xjet / "a.test.ts").write_text(PROBE)
    with RunnerServer(limits=Limits(cpu_seconds=2)) as server:
        ours = command(xjet, server.port)
        with node_server(xjet) as port:
            theirs = command(xjet, port)
            bundle = (xjet / "bundle.js").read_text()
            runners = [TcpRunner("ours", port=server.port), TcpRunner("node", port=port)]
            direct = run_remote([("a.test.ts", bundle)], runners, distribute="matrix")
    assert ours.outcomes("a.test.ts") == theirs.outcomes("a.test.ts") == OUTCOMES
    assert (ours.status, ours.kinds) == (theirs.status, theirs.kinds)
    assert ours.status == 1
    for suite in direct.suites:
        assert {test.name: test.status for test in suite.tests} == OUTCOMES
        assert [line for line in suite.console if "hello" in line]


@pytest.mark.timeout(120)
def test_a_suite_that_breaks_beside_one_that_does_not(xjet: Path) -> None:
    (xjet / "a.test.ts").write_text("test('t1', () => {});")
    (xjet / "b.test.ts").write_text("throw new TypeError('at the top');\ntest('t2', () => {});")
    with RunnerServer() as server:
        said = command(xjet, server.port)
    assert said.status == 2
    assert said.outcomes("a.test.ts") == {"t1": "passed"}
    assert sorted(said.kinds) == ["2", "3", "3", "3", "4", "4"]
    assert "at the top" in json.dumps(said.report["sandbox"]["b.test.ts"])
