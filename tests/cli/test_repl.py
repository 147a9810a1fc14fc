"""`sandbox repl`: inputs of a pipe and of a terminal, its own commands, and that nothing ends it."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from sandbox import Limits
from sandbox.cli._repl.coloring import colored
from sandbox.cli._repl.loop import Repl, Setting
from sandbox.cli._repl.prompting import Names, PromptReader, history_file, open_history
from sandbox.cli._repl.reading import LineReader, PipeReader
from sandbox.cli._terminal import Terminal
from sandbox.cli.commands import repl as command
from tests.cli.command import COMMAND, run

Pipe = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Run the command on a text."""

    def feed(text: str, *flags: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return run(capsys, "repl", *flags)

    return feed


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the history is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "quickjs-sandbox" / "history"


@pytest.mark.parametrize(
    ("text", "status", "out", "err"),
    [
        ("1 + 1\n'a'\n", 0, "2\n'a'\n", ""),
        ("let a = [\n1,\n2]\na", 0, "[ 1, 2 ]\n", ""),
        ("const a = 1\nconst a = 2\na\n_ * 2", 0, "2\n4\n", ""),
        ("await Promise.resolve(3)\nundefined\n\n\n", 0, "3\n", ""),
        ("setTimeout(() => console.log('late'), 5); 'now'", 0, "'now'\nlate\n", ""),
        ("throw {a: 1}\n5", 1, "5\n", "Uncaught { a: 1 }\n"),
        (".5 + 1", 0, "1.5\n", ""),
        ("1\n.exit\n2", 0, "1\n", ""),
        ("const done = 1\n.reset\ntypeof done", 0, "This is a new sandbox.\n'undefined'\n", ""),
        ("let n = 1; 0\nn = 2\n.undo\nn", 0, "0\n2\nEverything is as it was before the last input.\n1\n", ""),
        (".undo", 0, "", "There is nothing to go back to.\n"),
        (".sav x", 0, "", "There is no .sav. Did you mean .save?\n"),
        (".zzz", 0, "", "There is no .zzz. .help lists all.\n"),
        (".save", 0, "", ".save takes FILE.\n"),
        (".limits all", 0, "", ".limits takes nothing.\n"),
        (".load /no/such/file", 0, "", "/no/such/file: No such file or directory\n"),
        (".run /no/such/file", 0, "", "/no/such/file: No such file or directory\n"),
        (".editor\nlet a = 1\na + 1", 0, "Write as many lines as you like.*\n2\n", ""),
        ("setTimeout(() => console.log('x'), 300); 0\n.wait\n1", 0, "0\nx\n1\n", ""),
    ],
    ids=lambda value: value.replace("\n", " ")[:30] if isinstance(value, str) else "",
)
def test_of_a_pipe(pipe: Pipe, text: str, status: int, out: str, err: str) -> None:
    got = pipe(text)
    shown = got[1] if "*" not in out else got[1].replace(got[1].splitlines()[0], out.splitlines()[0])

    assert (got[0], shown, got[2]) == (status, out, err)


def test_errors_have_the_code_of_their_input(pipe: Pipe) -> None:
    status, out, err = pipe("1\nfunction f() {\n  return nope\n}\nf()\n2")

    assert (status, out) == (1, "1\n2\n")
    assert err.startswith("Uncaught ReferenceError: nope is not defined\n  --> <repl 2>:2:10\n  1 | function f() {\n")
    assert err.endswith("    at f (<repl 2>:2:10)\n    at <repl 3>:1:1\n")


def test_what_is_not_finished_at_the_end_is_an_error(pipe: Pipe) -> None:
    status, out, err = pipe("let a = {\n")
    assert (status, out) == (1, "")
    assert err.startswith("Uncaught SyntaxError")


def test_a_limit_is_shown_and_the_session_goes_on(pipe: Pipe) -> None:
    status, out, err = pipe("let kept = 1; for (;;);\nkept\n", "--cpu", "100ms")
    assert (status, out) == (3, "1\n")
    assert err.startswith("CpuLimitExceeded: The CPU time limit of 0.1 s was reached")
    assert err.endswith("--cpu raises it.\n")


def test_a_sandbox_that_is_lost_goes_back_to_before(pipe: Pipe) -> None:
    status, out, err = pipe("let kept = 'kept'; 0\nfor (;;);\nkept\n", "--fuel", "3000000", "--cpu", "none")

    assert status == 3
    assert out == "0\nIt is as it was before this input.\n'kept'\n"
    assert err.startswith("FuelLimitExceeded") and err.endswith("This sandbox is lost.\n")


class Nobody(PipeReader):
    def agree(self, _question: str) -> bool:
        return False


def test_or_a_new_one_takes_its_place() -> None:
    out, err = io.StringIO(), io.StringIO()
    repl = Repl(Setting(limits=Limits(fuel=3_000_000), options={}), Terminal(out, err))
    repl.run(Nobody(io.StringIO("let gone = 1; 0\nfor (;;);\ntypeof gone\n")))
    repl.close()

    assert out.getvalue() == "0\nThis is a new one: variables are gone.\n'undefined'\n"


def test_snapshots(pipe: Pipe, tmp_path: Path) -> None:
    file = tmp_path / "s.snapshot"
    status, out, err = pipe(f"let a = 1; 0\n.save {file}\na = 2\n.load {file}\na")
    assert (status, err) == (0, "")
    assert out.startswith(f"0\nSaved to {file}: ")
    assert out.endswith(f"2\nEverything is as in {file}.\n1\n")

    (tmp_path / "none").write_text("no snapshot")
    assert pipe(f".load {tmp_path / 'none'}\n1")[1:] == (
        "1\n",
        f"{tmp_path / 'none'}: these bytes are no snapshot, or only its beginning\n",
    )
    assert "No such file" in pipe(f".save {tmp_path / 'no' / 'such'}")[2]


def test_files_are_evaluated_as_if_typed(pipe: Pipe, tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("const a = 20;\na + 1")
    assert pipe(f".run {tmp_path / 'a.js'}\na") == (0, "21\n20\n", "")


def test_help_limits_and_usage(pipe: Pipe) -> None:
    out = pipe("1\n.help\n.limits\n.usage", "--memory", "32MB")[1]
    for text in (".save FILE", "memory_bytes                 32 MB", "cpu_seconds                  5 s", "runs  "):
        assert text in out


def test_grants_and_modules(pipe: Pipe, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    read = "(await import('node:fs/promises')).readFile('/d/a.txt', 'utf8')"
    assert pipe(f"await {read}", "--allow-read", f"/d={tmp_path}")[1] == "'text'\n"
    (tmp_path / "m.js").write_text("export default 7")
    assert pipe("(await import('./m.js')).default", "--modules", str(tmp_path))[1] == "7\n"
    assert pipe("1", "--allow-private", "127.0.0.0/8")[0] == 2


# --- a terminal -------------------------------------------------------------------------------------------------------


def test_lines_of_a_terminal_without_the_extra(capsys: pytest.CaptureFixture[str]) -> None:
    prompts: list[str] = []
    typed: Iterator[str | type[BaseException]] = iter(
        ["let a = {", "b: 1}", KeyboardInterrupt, "a", ".exit", "y", "no", EOFError]
    )

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        answer = next(typed)
        if isinstance(answer, str):
            return answer
        raise answer

    reader = LineReader(ask)
    assert reader.read() == "let a = {\nb: 1}"
    with pytest.raises(KeyboardInterrupt):
        reader.read()
    assert (reader.read(), reader.read()) == ("a", ".exit")
    assert (reader.agree("Yes?"), reader.agree("Yes?")) == (True, False)
    assert reader.read() is None
    assert prompts == ["> ", "... ", "> ", "> ", "> ", "Yes? [Y/n] ", "Yes? [Y/n] ", "> "]
    assert capsys.readouterr().out == "\n"


class Screen(io.StringIO):
    """A stream that says a person looks at it."""

    def isatty(self) -> bool:
        return True


def test_values_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, err = Screen(), Screen()
    repl = Repl(Setting(limits=Limits(), options={}), Terminal(out, err))
    class_name = "[class {static name = '\\x1b[2J'}, '\\x1b[2J']"
    repl.run(
        PipeReader(io.StringIO(f"console.log('\\x1b[2J')\n{class_name}\nthrow '\\x1b[2J'\nthrow Error('\\x1b[2J')\n"))
    )
    repl.close()

    assert out.getvalue().lower().count("\\x1b[2j") == 4
    assert err.getvalue().count("x1b[2J") >= 2
    assert "\x1b[2J" not in out.getvalue() + err.getvalue()


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.usefixtures("state")
def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, extra: bool) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdin", Screen())
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr(command, "find_spec", lambda _name: object() if extra else None)
    repl = Repl(Setting(limits=Limits(), options={}), Terminal(screen, screen))
    reader = command._reader(repl)
    repl.close()

    assert isinstance(reader, PromptReader if extra else LineReader)
    assert ("pip install 'quickjs-sandbox[repl]'" in screen.getvalue()) is not extra


@pytest.fixture
def repl() -> Iterator[Repl]:
    repl = Repl(Setting(limits=Limits(), options={}), Terminal(io.StringIO(), io.StringIO()))
    yield repl
    repl.close()


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("1 + 1\r", "1 + 1"),
        ("f(\r1)\r", "f(\n  1)"),
        ("a = {\rb\x7f\x7f\x7f}\r", "a = {\n}"),
        ("1\x1b\r2\r", "1\n2"),
        (".help\r", ".help"),
        ("\x04", None),
    ],
    ids=repr,
)
def test_keys(repl: Repl, keys: str, text: str | None) -> None:
    repl.session.evaluate("let abc = {inner: 1}", "<repl>")
    with create_pipe_input() as source:
        source.send_text(keys)
        assert PromptReader(repl, source=source, output=DummyOutput()).read() == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = ab", ["abc"]),
        ("abc.", ["inner", "loud", "toString"]),
        ("abc . inner.de", ["deep"]),
        ("abc?.in", ["inner"]),
        ("f(abc.inn", ["inner"]),
        ("retu", ["return"]),
        ("f().b", []),
        ("'text'.b", []),
        ("1.", []),
        (".sa", ["save"]),
        (".limits ", []),
    ],
)
def test_completion(repl: Repl, text: str, found: list[str]) -> None:
    repl.session.evaluate("let abc = {inner: {deep: 1}, get loud() { throw 1 }}", "<repl>")
    completions = Names(repl.session.names).get_completions(Document(text), CompleteEvent())
    names = [completion.text for completion in completions]
    assert names[: len(found)] == found or set(found) < set(names)
    assert bool(names) == bool(found)


def test_files_are_completed(repl: Repl, tmp_path: Path) -> None:
    (tmp_path / "one.snapshot").touch()
    completions = Names(repl.session.names).get_completions(Document(f".load {tmp_path}/o"), CompleteEvent())
    assert [completion.text for completion in completions] == ["ne.snapshot"]


def test_the_history_is_for_its_owner_alone(state: Path) -> None:
    history, problem = open_history()
    assert isinstance(history, FileHistory)
    assert (history_file(), problem, state.stat().st_mode & 0o777) == (state, "", 0o600)

    state.chmod(0o644)
    history, problem = open_history()
    assert isinstance(history, InMemoryHistory)
    assert "others may read or write" in problem

    state.unlink()
    state.symlink_to("/dev/null")
    assert "No history" in open_history()[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12", "\x1b[33m12\x1b[0m"),
        ("'it 5'", "\x1b[32m'it 5'\x1b[0m"),
        ("{ a: 1, b2: null }", "{ a: \x1b[33m1\x1b[0m, b2: \x1b[2mnull\x1b[0m }"),
        ("[ true, [Function: f] ]", "[ \x1b[33mtrue\x1b[0m, \x1b[36m[Function: f]\x1b[0m ]"),
        ("-0.5e+3", "\x1b[33m-0.5e+3\x1b[0m"),
        ("nullable", "nullable"),
    ],
)
def test_colors_of_values(text: str, shown: str) -> None:
    assert colored(text) == shown


class Typist:
    """A person at a terminal on which the command runs."""

    def __init__(self, *flags: str, **environment: str) -> None:
        import fcntl
        import pty
        import termios

        self.terminal, child = pty.openpty()

        def begin() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*COMMAND, "repl", *flags],
            stdin=child,
            stdout=child,
            stderr=child,
            env={**os.environ, "TERM": "xterm", **environment},
            start_new_session=True,
            preexec_fn=begin,
        )
        os.close(child)
        self.seen = b""

    def until(self, text: str, seconds: float = 30) -> None:
        """Read until a text is there."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.seen:
            ready = select.select([self.terminal], [], [], max(deadline - time.monotonic(), 0))[0]
            assert ready, f"{text!r} is not in {self.seen!r}"
            chunk = os.read(self.terminal, 65536)
            self.seen += chunk
            if b"\x1b[6n" in chunk:  # where is the cursor?
                os.write(self.terminal, b"\x1b[1;1R")

    def type(self, keys: str, then: str) -> None:
        self.seen = b""
        os.write(self.terminal, keys.encode())
        self.until(then)

    def end(self) -> int:
        """The exit status, once it has left."""
        try:
            while os.read(self.terminal, 65536):
                pass
        except OSError:
            pass  # how Linux says that the other side is closed
        os.close(self.terminal)
        return self.process.wait(20)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_ctrl_c_stops_the_program_and_ctrl_d_leaves(tmp_path: Path) -> None:
    typist = Typist(XDG_STATE_HOME=str(tmp_path), NO_COLOR="1")
    typist.until("Ctrl-D leaves")
    typist.type("console.log('be' + 'gun'); for (;;);\r", "begun")
    typist.type("\x03", "Interrupted")
    typist.type("40 + 2\r", "42\r\n")
    typist.type("globalTh\t", "is")
    typist.type(" === this\r", "true\r\n")
    typist.type("thrown away\x03", "\x1b[?2004h")  # it reads keys again
    typist.type("'still ' + 'here'\r", "'still here'")
    typist.seen = typist.seen.partition(b"'still here'")[2]
    typist.until("\x1b[?2004h")  # and again: between prompts a Ctrl-D is lost
    os.write(typist.terminal, b"\x04")

    assert typist.end() == 0
    assert "40 + 2" in (tmp_path / "quickjs-sandbox" / "history").read_text()
