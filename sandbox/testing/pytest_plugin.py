"""The plugin of pytest: each test of a `*.test.js` file is an item.

It is there wherever the package is installed, and does nothing where no such file is collected. Everything else is
imported with the first one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from sandbox.testing.patterns import PATTERNS

if TYPE_CHECKING:
    from sandbox._sandbox import Sandbox
    from sandbox.testing.plan import Mode, Node, Plan
    from sandbox.testing.results import TestError, TestResult
    from sandbox.testing.running import Taking
    from sandbox.testing.session import Session
    from sandbox.testing.suite import SuiteRun

_ENDINGS: Final = tuple(pattern.removeprefix("*") for pattern in PATTERNS)


class Hooks:
    """What a `conftest.py` may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_sandbox_options(self, config: pytest.Config) -> Mapping[str, Any] | None:
        """Options of the sandboxes in which JavaScript tests run: functions, globals, grants, limits."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Say which hooks there are."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which options there are."""
    group = parser.getgroup("sandbox", "JavaScript tests in sandboxes")
    group.addoption("--sandbox-update", action="store_true", help="Write all snapshots of JavaScript tests anew.")
    group.addoption(
        "--sandbox-coverage",
        metavar="DIR",
        nargs="?",
        const="",
        default=None,
        help="Measure which statements JavaScript tests execute; write lcov.info, coverage.json and index.html to DIR.",
    )
    parser.addini(
        "sandbox_root", "The folder whose sources JavaScript tests may import; by default the root.", default=""
    )
    parser.addini("sandbox_timeout", "Seconds for each JavaScript test and hook.", default="5")


def pytest_configure(config: pytest.Config) -> None:
    """Measure coverage where it is asked for."""
    if config.getoption("--sandbox-coverage") is not None:
        from sandbox.testing.pytest_coverage import CoveragePlugin

        config.pluginmanager.register(CoveragePlugin(config), "sandbox-coverage")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> JavaScriptFile | None:
    """Collect files by their names."""
    if not file_path.name.endswith(_ENDINGS):
        return None
    return JavaScriptFile.from_parent(parent, path=file_path)


_SESSION: Final = pytest.StashKey["Session"]()


def _session_of(config: pytest.Config) -> Session:
    session = config.stash.get(_SESSION, None)
    if session is None:
        from sandbox.testing.session import Session
        from sandbox.testing.suite import Settings

        options = config.hook.pytest_sandbox_options(config=config) or {}
        root = config.rootpath / str(config.getini("sandbox_root"))
        try:
            settings = Settings(timeout_ms=float(config.getini("sandbox_timeout")) * 1000)
        except ValueError:
            raise pytest.UsageError("sandbox_timeout is a number of seconds") from None
        mode = "update" if config.getoption("--sandbox-update") else "new"
        is_covered = config.getoption("--sandbox-coverage") is not None
        session = config.stash[_SESSION] = Session(
            root,
            settings,
            mode,  # type: ignore[arg-type] # one of them
            options=options,
            coverage="loaded" if is_covered else None,
        )
    return session


class JavaScriptFailure(Exception):
    """A JavaScript test has failed; what is shown are its errors, and no frame of Python."""

    def __init__(self, errors: tuple[TestError, ...]) -> None:
        """With the reasons."""
        super().__init__("\n".join(error.title for error in errors))
        self.errors = errors


def _shown(excinfo: pytest.ExceptionInfo[BaseException], config: pytest.Config) -> str | None:
    if not isinstance(excinfo.value, JavaScriptFailure):
        return None
    writer = config.get_terminal_writer()
    columns = writer.fullwidth if writer.hasmarkup else None  # for a person, and not for a file
    return "\n\n".join(error.render(color=writer.hasmarkup, columns=columns) for error in excinfo.value.errors)


class JavaScriptFile(pytest.File):
    """A file of tests. Its sandbox is there from its first test to its last."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Load it, and give what stands in it."""
        session = _session_of(self.config)
        name = session.guest_name(self.path)
        run = session.suite(self.path, name)
        with session.sandbox(run.snapshots) as box:
            _load(_begin(box, run, name), run)
        if run.result.errors:
            raise JavaScriptFailure(tuple(run.result.errors))
        self.modes: Mapping[int, Mode | Literal["excluded"]] = run.modes
        yield from _members(self, run.plan, 0, set())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override] # noqa: ANN401 - as pytest's
        """Show an error of the program as such."""
        return _shown(excinfo, self.config) or super().repr_failure(excinfo)

    def setup(self) -> None:
        """Load it once more, to be run."""
        session = _session_of(self.config)
        name = session.guest_name(self.path)
        self._run = session.suite(self.path, name)
        self._results: dict[int, TestResult] = {}
        self._console: list[str] = []
        self._box = session.sandbox(self._run.snapshots, lambda entry: self._console.append(entry.text))
        self._taking = _begin(self._box, self._run, name)
        _load(self._taking, self._run)
        if self._run.result.errors:
            raise JavaScriptFailure(tuple(self._run.result.errors))
        mine = {item.node_id for item in self.session.items if isinstance(item, JavaScriptTest) and item.file is self}
        self._run.select(mine)

    def result_of(self, test: int) -> tuple[TestResult | None, str]:
        """Go on until a test has ended; gives what came of it, and what was written to the console meanwhile."""
        results = self._run.results_by_id
        while test not in results and self._taking.step():
            pass
        written, self._console[:] = "\n".join(self._console), []
        return results.get(test), written

    def _cover(self) -> None:
        plugin = self.config.pluginmanager.get_plugin("sandbox-coverage")
        if plugin is not None:
            plugin.add(self._run.file, _session_of(self.config).coverage_of(self._run))

    def teardown(self) -> None:
        """End what the file has begun: hooks after all tests, and snapshots that are to be written."""
        box: Sandbox | None = getattr(self, "_box", None)
        if box is None:
            return
        try:
            while not self.session.shouldstop and self._taking.step():
                pass
            self._cover()
        finally:
            self._taking.close()
            box.close()
            del self._box
        if self._run.result.errors:
            raise JavaScriptFailure(tuple(self._run.result.errors))


def _begin(box: Sandbox, run: SuiteRun, name: str) -> Taking:
    from sandbox.testing.running import Taking
    from sandbox.testing.session import importing

    return Taking(box, run, importing(name))


def _load(taking: Taking, run: SuiteRun) -> None:
    while not run.is_loaded and taking.step():
        pass


def _members(
    parent: JavaScriptFile | JavaScriptSuite, plan: Plan, suite: int, taken: set[str]
) -> Iterator[pytest.Item | pytest.Collector]:
    for node in plan.children[suite]:
        name, number = node.name, 1
        while name in taken:
            number += 1
            name = f"{node.name} [{number}]"
        taken.add(name)
        if node.is_suite:
            yield JavaScriptSuite.from_parent(parent, name=name, plan=plan, node=node)
        else:
            yield JavaScriptTest.from_parent(parent, name=name, node=node)


def _file_of(parent: pytest.Collector) -> JavaScriptFile:
    found = parent.getparent(JavaScriptFile)
    assert found is not None
    return found


class JavaScriptSuite(pytest.Collector):
    """What `describe` declares."""

    def __init__(self, *, plan: Plan, node: Node, **given: Any) -> None:  # noqa: ANN401 - pytest's
        """Of a plan."""
        super().__init__(**given)
        self._plan, self._node = plan, node

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Give what stands in it."""
        yield from _members(self, self._plan, self._node.id, set())


class JavaScriptTest(pytest.Item):
    """A test.

    Attributes:
        node_id: What the guest knows it by.
        file: The file that it stands in.
    """

    def __init__(self, *, node: Node, **given: Any) -> None:  # noqa: ANN401 - pytest's
        """Of a plan."""
        super().__init__(**given)
        self.node_id: int = node.id
        self.file: JavaScriptFile = _file_of(self.parent)  # type: ignore[arg-type] # it has one
        self._line = node.place.line if node.place is not None else None
        mode = self.file.modes[node.id]
        if mode != "run":
            reason = {"excluded": "another test is only"}.get(mode, mode)
            self.add_marker(pytest.mark.skip(reason=reason))

    def runtest(self) -> None:
        """Run it.

        Raises:
            JavaScriptFailure: It failed.
        """
        result, written = self.file.result_of(self.node_id)
        if written:
            self.add_report_section("call", "console", written)
        if result is None:
            pytest.skip("it was not run")
        if result.status == "failed":
            raise JavaScriptFailure(result.errors)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override] # noqa: ANN401 - as pytest's
        """Show why it failed, in its own code."""
        return _shown(excinfo, self.config) or super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is."""
        return self.path, None if self._line is None else self._line - 1, self.name
