"""What people who come from other sandboxes expect of values, functions and errors, scene by scene, on both faces."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import URL, AsyncSandbox, BigInt, JSError, Limits, RegExp, Sandbox, undefined
from sandbox.errors import ConversionError, Stalled, UnhandledRejection, WallLimitExceeded
from sandbox.modules import Importer, ModuleSource

Play = Callable[..., Any]


def blocking(code: str, **options: Any) -> Any:
    with Sandbox(**options) as box:
        return box.eval(code)


def asynchronous(code: str, **options: Any) -> Any:
    async def main() -> Any:
        async with AsyncSandbox(**options) as box:
            return await box.eval(code)

    return anyio.run(main, backend="trio")


@pytest.fixture(params=[blocking, asynchronous], ids=lambda face: face.__name__)
def play(request: pytest.FixtureRequest) -> Play:
    """Evaluates one program in a new sandbox."""
    face: Play = request.param
    return face


class TestResults:
    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("const total = 1 + 1; undefined", undefined),
            ("null", None),
            (
                "({action: 'go', a: 1, b: 'two', c: [3], d: {e: null}})",
                {"action": "go", "a": 1, "b": "two", "c": [3], "d": {"e": None}},
            ),
            ("Promise.resolve('settled')", "settled"),
            ("new Date('2021-01-01').toISOString()", "2021-01-01T00:00:00.000Z"),
            ("[{id: 1, x: 0}, {id: 2, x: 0}].map(item => ({id: item.id}))", [{"id": 1}, {"id": 2}]),
            ("const next = n => n + 1\nconst twice = f => n => f(f(n))\ntwice(next)(5)", 7),
        ],
    )
    def test_a_program_gives_its_last_value(self, play: Play, code: str, value: Any) -> None:
        assert play(code) == value

    def test_the_last_statement_may_be_a_call_of_a_host_function(self, play: Play) -> None:
        async def later() -> int:
            return 42

        assert play("f()", functions={"f": lambda: 42}) == 42
        assert play("await later()", functions={"later": later}) == 42
        assert play("later()", functions={"later": later}) == 42

    def test_a_given_value_is_the_same_text_on_both_sides(self, play: Play) -> None:
        value = {"list": [1, 2.5, "three", None, True, {"deep": {"er": []}}], "text": "é 😀"}
        entries: list[Any] = []

        text = play(
            "const text = JSON.stringify(given); console.log(text); text",
            globals={"given": value},
            console=entries.append,
        )

        assert json.loads(text) == value
        assert [entry.text for entry in entries] == [text]

    def test_programs_may_declare_the_names_they_were_given(self, play: Play) -> None:
        given = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
        assert play("const a = 10; let b = 20; var c = 30; d = 40; a + b + c + d + e", globals=given) == 105

    def test_a_parameter_may_have_the_name_of_a_host_function(self, play: Play) -> None:
        code = "const doubled = [1, 2].map(search => search * 2); [doubled, search('x')]"
        assert play(code, functions={"search": lambda text: f"found {text}"}) == [[2, 4], "found x"]

    @pytest.mark.parametrize(
        "value",
        [
            datetime(1970, 1, 1, tzinfo=UTC),
            RegExp("a+", "gi"),
            URL("https://example.com/a?b=c#d"),
            BigInt(9007199254740993),
            b"\x00\xff",
            {"present": undefined},
            {"__type": "DateRef", "__isProxy": True, "iso": "1970-01-01"},
        ],
        ids=repr,
    )
    def test_types_survive_a_round_trip(self, play: Play, value: Any) -> None:
        back = play("echo(value)", globals={"value": value}, functions={"echo": lambda value: value})

        assert (type(back), back) == (type(value), value)

    @pytest.mark.parametrize("value", [object(), {"deep": [object()]}])
    def test_what_cannot_cross_is_named(self, play: Play, value: Any) -> None:
        with pytest.raises(ConversionError, match="a value of type object"):
            play("1", globals={"value": value})

    def test_cycles_and_shared_objects_are_no_failure(self, play: Play) -> None:
        shared: dict[str, Any] = {}
        value: dict[str, Any] = {"left": shared, "right": shared}
        value["self"] = value

        back = play("value", globals={"value": value})
        assert back["left"] is back["right"]
        assert back["self"] is back


class TestFunctions:
    def test_a_function_that_a_host_function_returns(self, play: Play) -> None:
        functions = {"doubler": lambda: lambda n: n * 2, "adder": lambda a: lambda b: lambda c: a + b + c}

        assert play("doubler()(5)", functions=functions) == 10
        assert play("adder(10)(5)(3)", functions=functions) == 18
        assert play("const add = adder(1)(1); [add(1), add(2), add(3)]", functions=functions) == [3, 4, 5]

    def test_methods_inside_a_given_object(self, play: Play) -> None:
        async def load(key: str) -> dict[str, Any]:
            await anyio.lowlevel.checkpoint()
            return {"key": key, "rows": [1, 2]}

        tools = {"db": {"load": load, "name": "main"}}
        code = "const row = await tools.db.load('k'); tools.db.name = 'mine'; [row.key, row.rows.length, tools.db.name]"
        assert play(code, globals={"tools": tools}) == ["k", 2, "mine"]
        assert tools["db"]["name"] == "main"

    def test_promises_inside_a_result_are_awaited_one_by_one(self, play: Play) -> None:
        async def value(result: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            return result

        async def failure() -> None:
            await anyio.lowlevel.checkpoint()
            raise ValueError("not this one")

        async def numbers() -> AsyncIterator[int]:
            yield 1
            yield 2

        def make() -> dict[str, Any]:
            return {"a": value(1), "list": [value(2), failure()], "inner": {"each": numbers()}}

        code = """
            const made = make(), seen = [];
            try { await made.list[1] } catch (error) { seen.push(error.message) }
            seen.push(await made.a, await made.list[0]);
            for await (const n of made.inner.each) seen.push(n);
            seen
        """
        assert play(code, functions={"make": make}) == ["not this one", 1, 2, 1, 2]

    def test_leaving_a_loop_ends_the_generator_before_the_program_goes_on(self, play: Play) -> None:
        events: list[str] = []

        def count() -> Iterator[int]:
            try:
                yield from range(1_000)
            finally:
                events.append("closed")

        async def count_later() -> AsyncIterator[int]:
            try:
                for number in range(1_000):
                    yield number
            finally:
                events.append("closed later")

        code = """
            for (const n of count()) if (n === 3) break;
            note("after");
            for await (const n of countLater()) if (n === 3) break;
            note("after later");
        """
        play(code, functions={"count": count, "countLater": count_later, "note": events.append})
        assert events == ["closed", "after", "closed later", "after later"]

    def test_a_generator_catches_what_the_guest_throws_into_it(self, play: Play) -> None:
        async def listen() -> AsyncIterator[str]:
            try:
                yield "listening"
            except JSError as error:
                yield f"caught {error.message}"

        code = "const it = listen(); [(await it.next()).value, (await it.throw(new Error('stop'))).value]"
        assert play(code, functions={"listen": listen}) == ["listening", "caught stop"]

    def test_calls_one_after_the_other_leave_nothing_behind(self) -> None:
        async def fetch(number: int) -> dict[str, Any]:
            await anyio.lowlevel.checkpoint()
            if number % 2:
                raise RuntimeError("odd")
            return {"number": number, "nested": {"rows": [{"id": number}] * 3}}

        code = """
            (async () => {
                const seen = [];
                for (let i = 0; i < 10; i++) {
                    try { seen.push((await fetch(i)).nested.rows[2].id) } catch (error) { seen.push(error.message) }
                }
                return seen;
            })()
        """
        with Sandbox(functions={"fetch": fetch}) as box:
            expected = [number if number % 2 == 0 else "odd" for number in range(10)]
            assert box.eval(code) == expected
            gc.collect()
            held = _settled_heap(box)
            for _ in range(20):
                assert box.eval(code) == expected
            assert _settled_heap(box) - held < 4096
            assert box.usage.pending_requests == 0

    def test_any_number_of_awaits(self, play: Play) -> None:
        async def later(number: int) -> int:
            return number + 1

        assert play("let n = 0; for (let i = 0; i < 100_000; i++) n = await n + 1; n") == 100_000
        assert play("let n = 0; while (n < 1_500) n = await later(n); n", functions={"later": later}) == 1_500

    def test_a_race_is_over_when_its_first_runner_is_home(self, play: Play) -> None:
        code = """
            const after = (ms, value) => new Promise(done => setTimeout(done, ms, value));
            const winner = await Promise.race([after(50, "quick"), after(1000, "slow"), never()]);
            [winner, performance.now()]
        """

        async def never() -> None:
            await anyio.sleep_forever()

        with pytest.raises(WallLimitExceeded):
            play("await never()", functions={"never": never}, limits=Limits(wall_seconds=0.05))
        assert play(code.replace(", never()", ""), clock="virtual") == ["quick", 50]


def _settled_heap(box: Sandbox) -> int:
    box.eval("0")
    return box.usage.heap_bytes


class TestErrors:
    async def _later(self) -> None:
        raise TypeError("bad")

    def _now(self) -> None:
        raise TypeError("bad")

    def _steps(self) -> Iterator[int]:
        yield 1
        raise TypeError("bad")

    async def _steps_later(self) -> AsyncIterator[int]:
        yield 1
        raise TypeError("bad")

    @pytest.mark.parametrize(
        "attempt",
        [
            "now()",
            "await later()",
            "returned()()",
            "await (async () => { for (const n of steps()); })()",
            "await (async () => { for await (const n of stepsLater()); })()",
        ],
    )
    def test_an_exception_is_an_error_of_its_class_wherever_it_is_raised(self, play: Play, attempt: str) -> None:
        functions = {
            "now": self._now,
            "later": self._later,
            "returned": lambda: self._now,
            "steps": self._steps,
            "stepsLater": self._steps_later,
        }
        code = f"try {{ {attempt} }} catch (error) {{ [error.name, error.message, error instanceof TypeError] }}"
        assert play(code, functions=functions) == ["TypeError", "bad", True]
        with pytest.raises(JSError) as caught:
            play(attempt, functions=functions)
        assert isinstance(caught.value.__cause__, TypeError)

    @pytest.mark.parametrize(
        ("thrown", "value"),
        [("'text'", "text"), ("null", None), ("undefined", undefined), ("({code: 7})", {"code": 7}), ("[1]", [1])],
    )
    def test_what_is_thrown_is_kept_whatever_it_is(self, play: Play, thrown: str, value: Any) -> None:
        with pytest.raises(JSError) as caught:
            play(f"throw {thrown}")
        assert caught.value.value == value

    def test_the_message_of_an_inner_function_arrives(self, play: Play) -> None:
        code = "async function inner() { await null; throw new RangeError('line one\\nline two') } await inner()"
        with pytest.raises(JSError, match="RangeError: line one\nline two"):
            play(code)

    def test_errors_of_the_host_do_not_say_where_it_lives(self, play: Play) -> None:
        def read() -> None:
            raise FileNotFoundError(2, "No such file", "/srv/secret/keys.json")

        def broken() -> None:
            raise ValueError("out of range")

        for name in ("read", "broken"):
            shown = "[error.message, error.stack, Object.entries(error), String(error.cause)]"
            code = f"try {{ {name}() }} catch (error) {{ JSON.stringify({shown}) }}"
            seen = play(code, functions={"read": read, "broken": broken})
            assert not [word for word in ("/srv", "secret", ".py", "Traceback", "site-packages") if word in seen]

    @pytest.mark.parametrize("shaped", ['{"name": "Signal", "message": "stop"}', '{"__pause": true, "op": 7}'])
    def test_nothing_a_program_returns_or_throws_is_a_command(self, play: Play, shaped: str) -> None:
        assert play(f"JSON.stringify({shaped})") == json.dumps(json.loads(shaped), separators=(",", ":"))
        assert play(f"({shaped})") == json.loads(shaped)
        with pytest.raises(JSError) as caught:
            play(f"throw new Error(JSON.stringify({shaped}))")
        assert type(caught.value) is JSError

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("await new Promise(() => {})", Stalled),
            ("new Promise(() => {})", Stalled),
            ("Promise.reject(new Error('nobody')); 1", UnhandledRejection),
            (
                "setTimeout(() => { Promise.reject(1) }); await new Promise(done => setTimeout(done, 2))",
                UnhandledRejection,
            ),
        ],
    )
    def test_what_can_never_end_and_what_nobody_handles_is_said(
        self, play: Play, code: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            play(code)

    def test_one_that_waits_for_ever_does_not_hold_others_up(self) -> None:
        async def never() -> None:
            await anyio.sleep_forever()

        async def main() -> None:
            async def stuck() -> None:
                with pytest.raises(WallLimitExceeded):
                    async with AsyncSandbox(functions={"never": never}, limits=Limits(wall_seconds=0.1)) as box:
                        await box.eval("try { await never() } catch {} finally { await never() }")
                ended.append("stuck")

            async def quick(box: AsyncSandbox) -> None:
                for number in range(20):
                    assert await box.eval(f"{number} + 1") == number + 1
                ended.append("quick")

            async with AsyncSandbox() as box, anyio.create_task_group() as tasks:
                tasks.start_soon(stuck)
                tasks.start_soon(quick, box)

        ended: list[str] = []
        anyio.run(main, backend="trio")
        assert ended == ["quick", "stuck"]


class TestModules:
    def test_programs_that_start_together_share_one_load_and_go_on_in_order(self) -> None:
        loads: list[str] = []
        order: list[list[int]] = []

        async def load(specifier: str, importer: Importer) -> str:
            loads.append(specifier)
            await anyio.lowlevel.checkpoint()
            return f"export const name = {json.dumps(specifier)}"

        async def main() -> None:
            async with AsyncSandbox(modules=load, globals={"order": []}) as box:
                for round_ in range(40):

                    async def run(number: int, round_: int = round_) -> None:
                        code = f"import {{name}} from 'shared{round_}'; order.push({number}); export {{name}}"
                        assert await box.module(code) == {"name": f"shared{round_}"}

                    async with anyio.create_task_group() as tasks:
                        for number in range(3):
                            tasks.start_soon(run, number)
                            await anyio.lowlevel.checkpoint()
                    order.append(await box.eval("order.splice(0)"))

        anyio.run(main, backend="trio")
        assert loads == [f"shared{round_}" for round_ in range(40)]
        assert order == [[0, 1, 2]] * 40

    def test_a_failed_load_says_so_each_time_and_harms_no_other(self) -> None:
        attempts: list[str] = []

        def load(specifier: str, importer: Importer) -> str:
            attempts.append(specifier)
            if specifier == "broken":
                raise LookupError("the shelf is empty")
            return "export default 'works'"

        with Sandbox(modules=load) as box:
            for _ in range(2):
                with pytest.raises(JSError, match="the shelf is empty") as caught:
                    box.module("import 'broken'")
                assert isinstance(caught.value.__cause__, LookupError)
            assert box.module("export {default} from 'fine'") == {"default": "works"}
        assert attempts == ["broken", "broken", "fine"]

    def test_relative_imports_start_where_the_loader_says_a_module_stands(self) -> None:
        sources = {
            "moduleA": ModuleSource("import '/foo/bar.js'", filename="/modules/moduleA", resolve_dir="/modules"),
            "/foo/bar.js": ModuleSource("import '../one.js'", resolve_dir="/foo"),
            "../one.js": ModuleSource("import './foo/hello.js'", filename="/one.js", resolve_dir="/"),
            "./foo/hello.js": ModuleSource("console.log('hello world')", filename="/foo/hello.js"),
        }
        importers: list[str] = []
        entries: list[str] = []

        async def load(specifier: str, importer: Importer) -> ModuleSource:
            importers.append(importer.path)
            return sources[specifier]

        with Sandbox(modules=load, console=lambda entry: entries.append(entry.text)) as box:
            box.module("import 'moduleA'", filename="/entry.js")
        assert entries == ["hello world"]
        assert importers == ["/entry.js", "/modules/moduleA", "/foo/bar.js", "/one.js"]
