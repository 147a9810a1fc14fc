"""The tools for pydantic-ai and LangChain, used by the models for tests of these libraries."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import anyio
import pytest

from sandbox import Limits

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "a value": ("[1, 2].map(n => n * 2)", {"ok": True, "value": [2, 4]}),
    "console": ("console.warn('careful'); 1", {"ok": True, "value": 1, "console": ["warn: careful"]}),
    "a promise": ("await Promise.resolve('later')", {"ok": True, "value": "later"}),
    "a return": ("if (true) { return await Promise.resolve('early') } 'late'", {"ok": True, "value": "early"}),
    "an error": ("throw new RangeError('no')", {"ok": False}),
    "a limit": ("for (;;);", {"ok": False}),
}
LIMITS = Limits(cpu_seconds=0.2)


@pytest.mark.parametrize(("code", "wanted"), CALLS.values(), ids=CALLS)
def test_pydantic_ai(code: str, wanted: dict[str, Any]) -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import FunctionModel

    from sandbox.integrations.pydantic_ai import SandboxToolset

    answers: list[Any] = []

    def model(messages: list[Any], info: Any) -> ModelResponse:
        [tool] = info.function_tools
        assert tool.name == "run_javascript"
        assert tool.parameters_json_schema["properties"].keys() == {"code"}
        returns = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        if not returns:
            return ModelResponse(parts=[ToolCallPart("run_javascript", {"code": code})])
        answers.append(returns[0].content)
        return ModelResponse(parts=[TextPart("done")])

    agent = Agent(FunctionModel(model), toolsets=[SandboxToolset(limits=LIMITS)])
    assert anyio.run(agent.run, "go").output == "done"
    [told] = answers
    assert told.items() >= wanted.items()


@pytest.mark.parametrize(("code", "wanted"), CALLS.values(), ids=CALLS)
def test_langchain(code: str, wanted: dict[str, Any]) -> None:
    pytest.importorskip("langchain_core")
    from sandbox.integrations.langchain import SandboxTool

    tool = SandboxTool(limits=LIMITS)
    call = {"name": "run_javascript", "args": {"code": code}, "id": "1", "type": "tool_call"}
    for message in (tool.invoke(call), anyio.run(tool.ainvoke, call)):
        assert json.loads(message.content) == message.artifact
        assert message.artifact.items() >= wanted.items()
        assert message.tool_call_id == "1"
    assert tool.args_schema.model_json_schema()["required"] == ["code"]


def test_a_persistent_tool_keeps_variables() -> None:
    pytest.importorskip("langchain_core")
    from sandbox.integrations.langchain import SandboxTool

    tool = SandboxTool(persistent=True, functions={"add": lambda a, b: a + b})
    tool.invoke({"code": "let n = add(1, 2)"})
    assert json.loads(tool.invoke({"code": "n"}))["value"] == 3
    tool.close()
    fresh = SandboxTool()
    fresh.invoke({"code": "globalThis.n = 1"})
    assert json.loads(fresh.invoke({"code": "typeof n"}))["value"] == "undefined"


def test_programs_may_be_typescript() -> None:
    pytest.importorskip("langchain_core")
    from sandbox.integrations.langchain import SandboxTool

    tool = SandboxTool(language="ts")
    assert tool.description.startswith("Run TypeScript in a sandbox")
    assert json.loads(tool.invoke({"code": "const a: number = 2; a"}))["value"] == 2
    assert SandboxTool().description.startswith("Run JavaScript in a sandbox")
    assert SandboxTool(description="runs it").description == "runs it"


def test_cancelling_stops_the_program() -> None:
    pytest.importorskip("pydantic_ai")
    from sandbox.integrations._program import Programs

    async def cancel() -> None:
        programs = Programs({"limits": Limits(cpu_seconds=None, wall_seconds=None)}, persistent=True, max_bytes=1000)
        with anyio.move_on_after(0.1) as scope:
            await programs.run_async("for (;;);")
        assert scope.cancelled_caught
        assert programs.run("1 + 1")["value"] == 2
        programs.close()

    anyio.run(cancel)


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("pydantic_ai", "pydantic_ai", "pydantic-ai"),
        ("langchain", "langchain_core.tools", "langchain"),
        ("jupyter", "IPython.core.magic", "jupyter"),
        ("opentelemetry", "opentelemetry", "opentelemetry"),
    ],
)
def test_without_the_library(module: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"sandbox.integrations.{module}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"pip install 'quickjs-sandbox\[{extra}\]'"):
        importlib.import_module(name)


@pytest.mark.parametrize("wrong", [{"console": print}, {"nope": 1}])
def test_wrong_options_are_told_at_once(wrong: dict[str, Any]) -> None:
    pytest.importorskip("pydantic_ai")
    from sandbox.integrations.pydantic_ai import SandboxToolset

    with pytest.raises(TypeError):
        SandboxToolset(**wrong)


def test_a_flood_of_console_entries_is_bounded() -> None:
    from sandbox.integrations._program import _MOST_ENTRIES, Session

    session = Session({}, 500)
    told = session.run("for (let i = 0; i < 5000; i++) console.log('line', i); 'done'")
    assert len(session._entries) == _MOST_ENTRIES
    assert told["value"] == "done"
    assert told["truncated"] is True
    assert len(json.dumps(told)) < 2000
    assert session.run("1")["console"] == []
    session.close()
