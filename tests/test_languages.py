"""Programs and modules in TypeScript: by `language=`, by the ending of a name, on every way into the guest."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from sandbox import AsyncSandbox, Job, JSError, Limits, Sandbox, default_sandbox
from sandbox import eval as evaluate
from sandbox._languages import language_of, sources_for
from sandbox._session import Session, is_unfinished
from sandbox.errors import CpuLimitExceeded, JSSyntaxError
from sandbox.modules import Importer, ModuleSource, NodeModules, SourceTree
from sandbox.typescript import TypeScript
from tests.replay.records import again

SCRIPT = "interface Größe { a: number }\nconst give = <T>(value: T): T => value as T;\ngive<number>(7)"
FAILING = "type ß = 'ß';\nfunction fail(what: ß): never { throw new RangeError(what as string); }\nfail('ß')"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.ts", "ts"),
        ("/lib/a.mts", "ts"),
        ("a.cts", "ts"),
        ("a.d.ts", "ts"),
        ("a.tsx", "tsx"),
        ("a.jsx", "jsx"),
        ("https://host/a.ts", "ts"),
        ("https://host/a.ts?v=1.js#x", "ts"),
        ("https://host/a.js?from=a.ts", None),
        ("a.ts?v=1", None),
        ("a.js", None),
        ("a.TS", None),
        ("ts", None),
        ("<eval 1>", None),
        ("", None),
    ],
)
def test_names_say_the_language(name: str, language: str | None) -> None:
    assert language_of(name) == language


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a.js", ("/a.ts", "/a.tsx", "/a.jsx")),
        ("/a.b.js", ("/a.b.ts", "/a.b.tsx", "/a.b.jsx")),
        ("/a.jsx", ("/a.tsx",)),
        ("/a.mjs", ("/a.mts",)),
        ("/a.cjs", ("/a.cts",)),
        ("/a.ts", ()),
        ("/a.js/", ()),
        ("/a", ()),
        ("", ()),
    ],
)
def test_what_is_compiled_stands_for_its_source(path: str, found: tuple[str, ...]) -> None:
    assert sources_for(path) == found


class TestPrograms:
    @pytest.mark.parametrize("how", [{"language": "ts"}, {"language": "tsx"}, {"filename": "a.ts"}])
    def test_of_the_blocking_face(self, how: dict[str, Any]) -> None:
        script = SCRIPT.replace("<T>", "<T,>")
        with Sandbox() as box:
            assert box.eval(script, **how) == 7
            assert box.eval_into(box.eval("v => v + 1"), "5 as any", **how) == 6
            assert box.module("export const a: number = 1", **how) == {"a": 1}
            assert list(box.stream("for (const x of [1, 2] as number[]) yield x", **how)) == [1, 2]
            assert box.execute("const n: number = 1; return n", **how).value == 1

    def test_of_the_asynchronous_face(self) -> None:
        async def main() -> None:
            async with AsyncSandbox() as box:
                assert await box.eval(SCRIPT, language="ts") == 7
                assert await box.eval_into(await box.eval("v => v + 1"), "5 as any", language="ts") == 6
                assert await box.module("export const a: number = 1", filename="a.ts") == {"a": 1}
                assert [x async for x in box.stream("yield 1 as any", language="ts")] == [1]
                assert (await box.execute("return 1 as any", language="ts")).value == 1

        anyio.run(main)

    def test_of_the_default_sandbox(self) -> None:
        assert evaluate("2 as number", language="ts") == 2
        default_sandbox().close()

    def test_of_jobs(self) -> None:
        assert Job(SCRIPT, filename="a.ts").run().value == 7

    def test_in_the_middle_of_a_turn(self) -> None:
        with Sandbox() as box:
            box.function(lambda code: box.eval(code, language="ts"), name="again")
            assert box.eval("again('1 as number')") == 1
            with pytest.raises(JSError, match="unexpected"):
                box.eval("again('let a: = 1')")

    def test_of_a_session(self) -> None:
        with Sandbox() as box:
            session = Session(box)
            assert session.evaluate("const a: number = 1; a as any", "<repl>", "ts") == "1"
            assert session.evaluate("a", "<repl>") == "1"

    def test_a_language_beats_a_name(self) -> None:
        with Sandbox() as box, pytest.raises(JSSyntaxError):
            box.eval("let a: number = 1", filename="a.ts", language="js")

    @pytest.mark.parametrize(("language", "kind"), [("rust", ValueError), ("", ValueError), (5, TypeError)])
    def test_there_are_no_others(self, language: Any, kind: type[Exception]) -> None:
        with Sandbox() as box:
            for entrance in (box.eval, box.execute, box.module, box.stream):
                with pytest.raises(kind, match="language"):
                    entrance("1", language=language)

    def test_the_option_must_be_one(self) -> None:
        with pytest.raises(TypeError, match="typescript must be TypeScript or None, not dict"):
            Sandbox(typescript={"jsx": "classic"})  # type: ignore[arg-type]

    def test_the_option_is_a_twins_too(self) -> None:
        with Sandbox(typescript=TypeScript(jsx_factory="h")) as box, box.fork() as twin:
            assert twin._driver.typescript == TypeScript(jsx_factory="h")


class TestErrors:
    @pytest.mark.parametrize("how", [{"language": "ts"}, {"filename": "<eval 1>", "language": "ts"}])
    def test_point_into_the_source(self, how: dict[str, Any]) -> None:
        with Sandbox() as box, pytest.raises(JSError) as caught:
            box.eval(FAILING, **how)
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
            assert [(frame.line, frame.column) for frame in error.frames] == [(2, 40), (3, 1)]
            assert error.sources["<eval 1>"] == FAILING
            assert error.render().splitlines()[:6] == [
                "RangeError: ß",
                "  --> <eval 1>:2:39",
                "  1 | type ß = 'ß';",
                "> 2 | function fail(what: ß): never { throw new RangeError(what as string); }",
                "    |                                       ^",
                "  3 | fail('ß')",
            ]

    def test_in_what_was_written_in_other_words(self) -> None:
        code = """enum Größe { A = 1, B = 2 }
namespace N { export const x: number = 1; export function f(y: string): never { throw new Error(y) } }
class P { constructor(private a: number, public b: string) { this.a = N.f(b) as never } }
new P(Größe.A, 'ß' as any);
"""
        with Sandbox() as box, pytest.raises(JSError) as caught:
            box.eval(code, filename="x.ts")
        lines = code.splitlines()
        parts = (1, "new Error"), (2, "f(b)"), (3, "new P")
        assert [(frame.line, frame.column) for frame in caught.value.frames] == [
            (line + 1, lines[line].index(part) + 1) for line, part in parts
        ]
        assert lines[1][12:60] in caught.value.sources["x.ts"]

    def test_of_syntax(self) -> None:
        with Sandbox() as box:
            with pytest.raises(JSSyntaxError) as caught:
                box.eval("let a = 1;\nlet b: = 2", filename="a.ts")
            assert caught.value.place is not None
            assert (caught.value.place.file, caught.value.place.line) == ("a.ts", 2)
            assert "> 2 | let b: = 2" in caught.value.render()
            outcome = box.execute("let b: = 2", language="ts")
            assert isinstance(outcome.error, JSSyntaxError)
            assert box.eval("1 + 1") == 2  # it goes on

    @pytest.mark.parametrize("use", ["eval", "import"])
    def test_time_that_it_takes_is_the_runs(self, use: str) -> None:
        slow = "/*" + ",/*" * 100_000  # takes seconds, and is refused for that without a limit
        with Sandbox(limits=Limits(cpu_seconds=0.1), modules={"slow.ts": slow}) as box:
            # What imports a module may catch what came of that, and has no time left then.
            with pytest.raises((CpuLimitExceeded, JSError), match=r"CPU time limit of 0\.1 seconds"):
                box.eval(slow, language="ts") if use == "eval" else box.import_module("slow.ts")
            assert box.eval("1 + 1") == 2

    def test_a_program_that_cannot_be_parsed_undoes_nothing(self) -> None:
        with Sandbox(on_limit="rollback") as box:
            box.eval("var kept = 1")
            with pytest.raises(JSSyntaxError):
                box.eval("let b: = 2", language="ts")
            assert box.eval("kept") == 1

    def test_what_is_told_of_a_run(self) -> None:
        code = "// ß: first\nconst a: 'ß' = 'ß' as const;\n/* second */ console.log(a as string)"
        with Sandbox() as box:
            outcome = box.execute(code, language="ts", trace=("console", "lines", "comments", "variables"))
        assert outcome.lines == {2: 1, 3: 1}
        assert outcome.variables["a"] == "ß"
        texts = [(event.line, getattr(event, "text", "")) for event in outcome.events]
        assert texts == [(1, "ß: first"), (3, "second"), (3, "ß")]


class TestModules:
    SOURCES: ClassVar[dict[str, str]] = {
        "main.ts": "import { b, type B } from './b.js'; import c from './c.cjs'; export const a: B = b + c.n",
        "b.ts": "export type B = number; export const b: B = 40",
        "c.cts": "interface X {}; exports.n = 2 as number",
        "d.mts": "export default 1 as const",
        "both.js": "export default 'js'",
        "both.ts": "export default 'ts' as string",
        "broken.ts": "import './fails.ts'",
        "fails.ts": "export {};\nlet a: = 1",
        "throws.ts": FAILING,
    }

    def check(self, modules: Any, top: str = "") -> None:
        with Sandbox(modules=modules) as box:
            assert box.import_module(f"{top}/main.ts") == {"a": 42}
            assert box.import_module(f"{top}/d.mjs") == {"default": 1}
            assert box.import_module(f"{top}/both.js") == {"default": "js"}
            assert box.import_module(f"{top}/both.ts") == {"default": "ts"}
            with pytest.raises(JSError) as caught:
                box.import_module(f"{top}/broken.ts")
            assert "let a: = 1" in caught.value.render()
            assert "fails.ts:2:8" in caught.value.render()
            with pytest.raises(JSError) as caught:
                box.import_module(f"{top}/throws.ts")
            assert (caught.value.frames[0].line, caught.value.frames[0].column) == (2, 40)
            read = f"import text from '{top}/b.ts' with {{type: 'text'}}; export {{text}}"
            assert box.module(read) == {"text": self.SOURCES["b.ts"]}

    def test_of_a_mapping(self) -> None:
        self.check(self.SOURCES)

    def test_of_folders(self, tmp_path: Path) -> None:
        for name, text in self.SOURCES.items():
            (tmp_path / "shop").mkdir(exist_ok=True)
            (tmp_path / "shop" / name).write_text(text, "utf-8")
        self.check(SourceTree(tmp_path / "shop"))
        with Sandbox(modules=SourceTree(tmp_path / "shop")) as box:
            assert box.import_module("/b") == {"b": 40}  # without an ending
        (tmp_path / "shop" / "package.json").write_text('{"name": "shop", "type": "module", "main": "./main.js"}')
        with Sandbox(modules=NodeModules(tmp_path)) as box:
            assert box.import_module("shop") == {"a": 42}
            assert box.import_module("shop/b") == {"b": 40}

    def test_a_folder_with_other_endings(self, tmp_path: Path) -> None:
        (tmp_path / "a.ts").write_text("export default 1")
        with Sandbox(modules=SourceTree(tmp_path, extensions=(".js",))) as box:
            for name in ("/a.ts", "/a.js", "/a"):
                with pytest.raises(JSError, match="cannot find module"):
                    box.import_module(name)

    def test_of_a_loader(self) -> None:
        asked: list[str] = []

        async def load(specifier: str, _importer: Importer) -> str | ModuleSource | None:
            asked.append(specifier)
            if specifier == "./typed":
                return ModuleSource("export const b = 1 as number", language="ts")
            return "export {b} from './typed'; type A = 1" if specifier == "a.ts" else None

        with Sandbox(modules=load) as box:
            assert box.import_module("a.ts") == {"b": 1}
        assert asked == ["a.ts", "./typed"]

    def test_a_language_beats_a_name(self) -> None:
        modules = {"a.ts": ModuleSource("let a: number = 1", language="js"), "b.ts": ModuleSource("<T>", kind="text")}
        with Sandbox(modules=modules) as box:
            with pytest.raises(JSSyntaxError):
                box.import_module("a.ts")
            assert box.import_module("b.ts") == {"default": "<T>"}


class TestJsx:
    RUNTIME = (
        "export const jsx = (type, props) => [type, props.children]; export const jsxs = jsx; export const Fragment = 0"
    )

    def test_the_factory_of_the_sandbox(self) -> None:
        with Sandbox(typescript=TypeScript(jsx_factory="h", jsx_fragment="F")) as box:
            box.eval("globalThis.F = 'F'; globalThis.h = (type, props, ...children) => [type, props, children]")
            code = "const name: string = 'tea'; <><b id={name}>hi {name}</b></>"
            assert box.eval(code, language="tsx") == ["F", None, [["b", {"id": "tea"}, ["hi ", "tea"]]]]
            assert box.eval("<b/>", filename="a.jsx") == ["b", None, []]

    def test_what_modules_import_by_themselves(self) -> None:
        modules = {"app.tsx": "export default (name: string) => <b>{name}</b>", "preact/jsx-runtime": self.RUNTIME}
        options = TypeScript(jsx="automatic", jsx_import_source="preact")
        with Sandbox(modules=modules, typescript=options) as box:
            assert box.module("import app from './app.jsx'; export default app('tea')") == {"default": ["b", "tea"]}

    def test_errors_in_elements(self) -> None:
        code = "const element = <p title='ß'>\n  {(() => { throw new Error('ß') })()}\n</p>"
        box = Sandbox(globals={"h": None}, typescript=TypeScript(jsx_factory="h"))
        with box, pytest.raises(JSError) as caught:
            box.eval(code, filename="a.jsx")
        assert (caught.value.frames[0].line, caught.value.frames[0].column) == (2, 19)


def test_records_have_what_was_run(tmp_path: Path) -> None:
    """A replay needs no sources of other languages: the guest is told what it was told."""
    path = tmp_path / "run.record"
    modules = {"a.ts": "export const a: number = 1; console.log(a as any)"}
    with Sandbox(record=path, modules=modules) as box:
        assert box.eval(SCRIPT, language="ts") == 7
        box.import_module("a.ts")
        with pytest.raises(JSError):
            box.eval(FAILING, filename="f.ts")
    results = again(path).results
    assert results[0] == 7
    assert isinstance(results[-1], JSError)
    assert b"interface" not in path.read_bytes()


def test_snapshots_go_on() -> None:
    with Sandbox(modules={"a.ts": "export const f = (a: number) => a + 1"}) as box:
        box.eval("globalThis.f = (await import('a.ts')).f")
        taken = box.snapshot()
    with Sandbox.restore(taken) as box:
        assert box.eval("f(1 as number)", language="ts") == 2


@pytest.mark.parametrize(
    ("code", "is_so"),
    [
        ("function f(x: number) {", True),
        ("const a: number[] = [1,", True),
        ("f(", True),
        ("`abc", True),
        ("/* x", True),
        ("interface A {", True),
        ("const a: number =", True),
        ("if (x)", True),
        ("let x: = 3", False),
        ("a b c", False),
        ("a b", False),
        ("'abc", False),
        ("f('it', \"abc", False),
        ("f('it\\'s', \"a\",", True),
        ("const a: number = 1", False),
    ],
)
def test_what_is_unfinished(code: str, is_so: bool) -> None:
    assert is_unfinished(code, Sandbox, "ts") is is_so
