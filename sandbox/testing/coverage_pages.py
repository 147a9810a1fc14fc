"""Pages for a browser that show what was executed: a table of files, and each file's text. They need no network."""

from __future__ import annotations

import re
from collections import defaultdict
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from sandbox.testing.coverage import MEASURES

if TYPE_CHECKING:
    from sandbox.testing.coverage import Coverage, Covered, FileCoverage, Ratio

_GOOD: Final = 80.0
_FAIR: Final = 50.0
_LINES: Final = re.compile(r"\r\n|[\n\r\u2028\u2029]")

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #667080; --paper: #ffffff; --panel: #f5f7f9; --rule: #dde2e8;
  --good: #1a7f4b; --fair: #a86a00; --poor: #c4332b; --good-bg: #e4f5ea; --fair-bg: #fff3d1; --poor-bg: #fde7e5;
  --mark: #f3b2ac; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ee; --soft: #95a0ae; --paper: #14181d; --panel: #1c2229;
  --rule: #303842; --good: #5fce93; --fair: #e3b44f; --poor: #f2827a; --good-bg: #16301f; --fair-bg: #372c10;
  --poor-bg: #3b1d1b; --mark: #7c302b; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.4rem; margin: 0 0 1.25rem; overflow-wrap: anywhere; } a { color: inherit; }
h1 a { color: var(--soft); text-decoration: none; } h1 a:hover { text-decoration: underline; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; margin-bottom: 2rem; }
.total { background: var(--panel); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem 1.1rem; }
.total b { font-size: 1.6rem; font-weight: 650; } .total span, .total p { color: var(--soft); } .total p { margin: 0; }
.bar { height: .4rem; border-radius: .2rem; background: var(--rule); overflow: hidden; margin-top: .4rem; }
.bar i { display: block; height: 100%; background: currentColor; }
.good { color: var(--good); } .fair { color: var(--fair); } .poor { color: var(--poor); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: .45rem .75rem; border-bottom: 1px solid var(--rule); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .bar { width: 7rem; margin: 0; } td.file { overflow-wrap: anywhere; width: 45%; }
td.file a { text-decoration: none; } td.file a:hover { text-decoration: underline; }
tbody tr:hover { background: var(--panel); }
.source { border: 1px solid var(--rule); border-radius: .6rem; overflow-x: auto; padding: .5rem 0;
  font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; tab-size: 4; }
.line { display: grid; grid-template-columns: 4rem 5rem 1fr; white-space: pre; min-width: max-content; }
.line > a, .line > span { color: var(--soft); text-align: right; padding-right: .9rem; text-decoration: none; }
.line > code { font: inherit; padding: 0 1rem 0 .9rem; border-left: 3px solid transparent; }
.hit > code { background: var(--good-bg); border-color: var(--good); }
.part > code { background: var(--fair-bg); border-color: var(--fair); }
.miss > code { background: var(--poor-bg); border-color: var(--poor); } .miss > span { color: var(--poor); }
.line:target > a { color: var(--ink); font-weight: 700; } mark { background: var(--mark); color: inherit; }
.note { color: var(--soft); margin: 1rem 0; }
"""


def pages(coverage: Coverage) -> dict[str, str]:
    """All pages, by the names of their files; the first is `index.html`."""
    named = {name: _page_name(name) for name in coverage.files}
    found = {"index.html": _page("Coverage", _index(coverage, named))}
    for name, each in coverage.files.items():
        found[named[name]] = _page(f"{name} - Coverage", _file(each))
    return found


def _page_name(file: str) -> str:
    """A name that is safe, and another one for each file: what files are called, programs may decide."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", file).strip("-.")[-80:]
    return f"{readable}.{sha256(file.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.html"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _level(ratio: Ratio) -> str:
    return "good" if ratio.percent >= _GOOD else "fair" if ratio.percent >= _FAIR else "poor"


def _bar(ratio: Ratio) -> str:
    return f'<div class="bar {_level(ratio)}"><i style="width: {ratio.percent:.1f}%"></i></div>'


def _totals(covered: Coverage | FileCoverage) -> str:
    cards = []
    for measure in MEASURES:
        ratio = covered.ratio(measure)
        cards.append(
            f'<div class="total"><p>{measure.capitalize()}</p><b class="{_level(ratio)}">{ratio.percent:.1f} %</b> '
            f"<span>{ratio.executed:,} of {ratio.total:,}</span>{_bar(ratio)}</div>"
        )
    return f'<div class="totals">{"".join(cards)}</div>'


def _index(coverage: Coverage, named: dict[str, str]) -> str:
    heads = "".join(f'<th class="number">{measure.capitalize()}</th>' for measure in MEASURES)
    rows = []
    for name, each in coverage.files.items():
        ratios = [each.ratio(measure) for measure in MEASURES]
        cells = "".join(f'<td class="number {_level(one)}">{one.percent:.1f} %</td>' for one in ratios)
        link = f'<a href="{escape(named[name])}">{escape(name.removeprefix("/"))}</a>'
        rows.append(f'<tr><td class="file">{link}</td><td>{_bar(ratios[0])}</td>{cells}</tr>')
    unknown = "".join(
        f'<p class="note">{escape(name.removeprefix("/"))}: not measured, {escape(why)}</p>'
        for name, why in coverage.unknown.items()
    )
    return (
        f"<h1>Coverage</h1>\n{_totals(coverage)}\n<table>\n<thead><tr><th>File</th><th></th>{heads}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody>\n</table>\n{unknown}"
    )


def _file(file: FileCoverage) -> str:
    head = f'<h1><a href="index.html">Coverage</a> / {escape(file.file.removeprefix("/"))}</h1>\n{_totals(file)}'
    if not file.source:
        return f'{head}\n<p class="note">The text of this file is not known.</p>'
    counts, partial = file.lines, frozenset(file.partial_lines)
    missed: defaultdict[int, list[Covered]] = defaultdict(list)
    begins: defaultdict[int, list[int]] = defaultdict(list)
    for each in file.statements:
        begins[each.line].append(each.column)
        if not each.count and each.line in partial:
            missed[each.line].append(each)
    lines = []
    for number, text in enumerate(_LINES.split(file.source.removesuffix("\n")), 1):
        count = counts.get(number)
        kind = "" if count is None else "part" if number in partial else "hit" if count else "miss"
        shown = "" if count is None else f"{count:,}\u00d7"
        code = _marked(text, missed[number], begins[number]) if number in missed else escape(text, quote=False)
        lines.append(
            f'<div class="line {kind}" id="L{number}"><a href="#L{number}">{number}</a><span>{shown}</span>'
            f"<code>{code}</code></div>"
        )
    return f'{head}\n<div class="source">{"".join(lines)}</div>'


def _marked(text: str, missed: list[Covered], begins: list[int]) -> str:
    """A line in which statements are marked that were not executed, each up to where the next one begins."""
    line = text.encode("utf-8", "surrogatepass")
    parts, at = [], 0
    for each in missed:
        start = each.column - 1
        end = min((column - 1 for column in begins if column - 1 > start), default=len(line))
        missing = re.sub(rb"(?:\s|\belse\b)+$", b"", line[start:end])
        parts += [_text(line[at:start]), f'<mark title="never executed">{_text(missing)}</mark>']
        at = start + len(missing)
    return "".join(parts) + _text(line[at:])


def _text(part: bytes) -> str:
    return escape(part.decode("utf-8", "replace"), quote=False)
