"""Popular JavaScript libraries, run in a sandbox and in Node with the same programs: the outputs must be equal.

    python tests/real_libraries.py                  # all of them
    python tests/real_libraries.py lodash yaml      # some

Not part of `make test`: it needs npm, Node and, the first time, a network. npm puts the pinned versions into a cache
folder of the user, without running any of their scripts. `NodeModules` serves that folder to a fresh sandbox, once for
`import` and once for `require`, and a fresh Node process imports from it too. Then a program of ours uses the library
and returns a value; the JSON texts of all must be equal. Exits with 1 when one is not. Programs print no messages of an
engine and no locale-dependent text, in which engines differ by right.

The file is long because each program stands beside the version it was written for; the code around them is short.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from sandbox import JSError, Limits, Sandbox, SandboxError, Usage
from sandbox.modules import ModuleSource, NodeModules

# What a program gets of a package: its default export if it has one, else all of them.
_IMPORT: Final = """(async () => {{
  const namespaces = [];
  for (const name of {specifiers}) namespaces.push(await import(name));
  globalThis.loaded = namespaces.map(namespace => namespace.default ?? namespace);
}})()"""
_REQUIRE: Final = "globalThis.loaded = {specifiers}.map(require).map(exports => exports.default ?? exports); 0"
_PROGRAM: Final = "(async (lib, ...rest) => {{\n{body}\n}})(...loaded).then(value => JSON.stringify(value, null, 1))"
# A CommonJS module has a `require`; programs do not.
_REQUIRER: Final = {"requirer.cjs": ModuleSource("globalThis.require = require", kind="commonjs")}
_NODE: Final = """
import { readFileSync } from 'fs';
import { runInThisContext } from 'vm';
const { specifiers, program } = JSON.parse(readFileSync(0, 'utf8'));
const started = process.hrtime.bigint();
const write = value => process.stdout.write(JSON.stringify(value));
try {
  const namespaces = [];
  for (const name of specifiers) namespaces.push(await import(name));
  globalThis.loaded = namespaces.map(namespace => namespace.default ?? namespace);
  const loaded = process.hrtime.bigint();
  const output = await runInThisContext(program);
  const ended = process.hrtime.bigint();
  write({ output, load_ms: Number(loaded - started) / 1e6, run_ms: Number(ended - loaded) / 1e6 });
} catch (error) {
  write({ error: String(error?.stack ?? error) });
}
"""
_NODE_SECONDS: Final = 120
_MAX_FILE_BYTES: Final = 16 << 20
# Modules for bundlers read it.
_GLOBALS: Final = {"process": {"env": {"NODE_ENV": "production"}}}
# Of the report in a file or a pipe, in columns.
_WIDTH: Final = 120
# RegExp.$1 to $9, which the engine does not have.
_LAST_MATCH: Final = """{
  const { exec } = RegExp.prototype;
  let last = [];
  RegExp.prototype.exec = function (text) {
    const match = exec.call(this, text);
    if (match) last = match;
    return match;
  };
  for (let i = 1; i < 10; i++) Object.defineProperty(RegExp, `$${i}`, { get: () => last[i] ?? '' });
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One library and the program that uses it.

    Attributes:
        package: Its name in the registry.
        version: The exact version.
        program: The body of an async function. `lib` is what the package exports, `rest` what the other parts do.
        entry: What programs import, when it is not the package's own name.
        parts: More of the package to import, by their paths inside it.
        limits: What the sandbox gets; the defaults when None.
        note: What the table says about it: a limit that is not the default, or what the shim supplies.
        missing: What the engine does not have, when that makes the program fail; then it must fail, with this text.
        shim: A script that supplies what the engine does not have; evaluated first, in the sandbox only.
    """

    package: str
    version: str
    program: str
    entry: str = ""
    parts: tuple[str, ...] = ()
    limits: Limits | None = None
    note: str = ""
    missing: str = ""
    shim: str = ""

    @property
    def specifiers(self) -> list[str]:
        """What programs import."""
        return [self.entry or self.package, *(f"{self.package}/{part}" for part in self.parts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one library did in both engines; times in milliseconds."""

    library: Library
    size_bytes: int
    outputs: dict[str, str | None]
    expected: str
    failure: str
    load_ms: float
    run_ms: float
    node_load_ms: float
    node_run_ms: float
    memory_bytes: int
    fuel: int

    @property
    def verdict(self) -> str:
        """One word, or what is missing."""
        if self.library.missing:
            return f"no {self.library.missing}" if self.library.missing in self.failure else "UNEXPECTED"
        if self.failure:
            return "FAILED"
        return "yes" if all(output == self.expected for output in self.outputs.values()) else "NO"

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return self.verdict == "yes" or self.verdict.startswith("no ")


LIBRARIES: Final = (
    Library(
        package="lodash",
        version="4.18.1",
        program=r"""
        const people = Array.from({ length: 300 }, (_, i) => ({
          id: i,
          team: 'abc'[i % 3],
          age: (i * 37) % 83,
          tags: [i % 5, i % 7],
        }));
        const byTeam = lib(people)
          .filter(p => p.age > 20)
          .groupBy('team')
          .mapValues(g => lib.meanBy(g, 'age'))
          .value();
        const deep = lib.merge({ a: { b: [1, 2, { c: 3 }] } }, { a: { b: [4, , { d: 5 }], e: new Date(0) } });
        const copy = lib.cloneDeep({
          map: new Map([[1, new Set([2])]]),
          re: /x/gi,
          typed: new Float32Array([1.5, -0]),
          deep,
        });
        return [
          byTeam,
          deep,
          lib.isEqual(copy.map, new Map([[1, new Set([2])]])),
          String(copy.re),
          [...copy.typed],
          lib
            .orderBy(people, ['team', 'age'], ['desc', 'asc'])
            .slice(0, 9)
            .map(p => p.id),
          ['fooBar baz', '__FOO_BAR__', 'déjà Vu', 'ÆON2Go'].map(s => [
            lib.camelCase(s),
            lib.kebabCase(s),
            lib.startCase(s),
            lib.deburr(s),
          ]),
          lib.template('<% for (const p of people) { %><%- p.id %>:<%= p.team %> <% } %>')({
            people: people.slice(0, 4),
          }),
          lib.get({ a: [{ 'b.c': 1 }] }, ['a', 0, 'b.c']),
          lib.chunk(lib.range(0, 1, 0.1), 3),
          lib.words('one, two & thrée 4ever 🙂 x'),
          lib.truncate('👨‍👩‍👧 family of emoji 🙂🙂', { length: 12 }),
          lib.toArray('👨‍👩‍👧ñ'),
          lib.uniqWith([[1], [1], [2]], lib.isEqual),
        ];
        """,
    ),
    Library(
        package="underscore",
        version="1.13.8",
        program=r"""
        const words = 'the quick brown fox jumps over the lazy dog and the cat'.split(' ');
        const compiled = lib.template('<ul><% _.each(items, function (x) { %><li><%- x %></li><% }); %></ul>');
        return [
          lib.countBy(words, w => w.length),
          lib
            .chain(words)
            .uniq()
            .sortBy('length')
            .indexBy(w => w[0])
            .value(),
          compiled({ items: ['<b>', '"q"', 1], _: lib }),
          lib.zip([1, 2], ['a', 'b']),
          lib.partition(lib.range(9), n => n % 2),
          lib.isEqual(new Map([[1, { a: NaN }]]), new Map([[1, { a: NaN }]])),
          lib.memoize(n => n * 2)(4),
          lib.invert({ a: 'b' }),
        ];
        """,
    ),
    Library(
        package="ramda",
        version="0.32.0",
        program=r"""
        const { pipe, map, filter, groupBy, lensPath, over, transduce, compose, take } = lib;
        const steps = compose(
          filter(n => n % 3 === 0),
          map(n => n * n),
          take(6),
        );
        return [
          transduce(steps, lib.flip(lib.append), [], lib.range(0, 1000)),
          over(lensPath(['a', 0, 'b']), lib.inc, { a: [{ b: 41 }] }),
          pipe(
            groupBy(s => s.length),
            lib.toPairs,
            lib.sortBy(lib.head),
          )(['a', 'bb', 'cc', 'd', 'eee']),
          lib.equals([new Set([1])], [new Set([1])]),
          lib.toString([undefined, -0, NaN, new Date(0), { x: [/a/g] }]),
          lib.mergeDeepWith(lib.concat, { a: { b: [1] } }, { a: { b: [2] } }),
          lib.curryN(3, (a, b, c) => a + b * c)(lib.__, 2)(1)(5),
          lib.xprod([1, 2], 'ab'),
          lib.evolve({ n: lib.negate }, { n: 4, m: 1 }),
        ];
        """,
    ),
    Library(
        package="immer",
        version="11.2.10",
        program=r"""
        lib.enablePatches();
        lib.enableMapSet();
        const base = {
          list: [{ n: 1 }, { n: 2 }, { n: 3 }],
          map: new Map([['k', { deep: [1] }]]),
          set: new Set(['a']),
        };
        const [next, patches, inverse] = lib.produceWithPatches(base, draft => {
          draft.list.splice(1, 1);
          draft.list.push({ n: 9 });
          draft.list[0].n *= 10;
          draft.map.get('k').deep.push(2);
          draft.map.set('new', {});
          draft.set.add('b');
          draft.list.sort((a, b) => b.n - a.n);
        });
        const back = lib.applyPatches(next, inverse);
        return [
          next.list,
          [...next.map],
          [...next.set],
          patches,
          back.list,
          base.list,
          base.map === back.map,
          Object.isFrozen(next.list[0]),
        ];
        """,
    ),
    Library(
        package="big.js",
        version="7.0.1",
        program=r"""
        lib.DP = 60;
        let e = new lib(1),
          term = new lib(1);
        for (let i = 1; i < 50; i++) e = e.plus((term = term.div(i)));
        return [
          e,
          new lib(2).sqrt(),
          new lib('0.1').plus('0.2'),
          new lib(7).pow(77),
          new lib('1e-30').toFixed(35),
          new lib(-22).div(7).round(20, 0),
          new lib(255).toPrecision(2),
        ];
        """,
    ),
    Library(
        package="mathjs",
        version="15.2.0",
        program=r"""
        const precise = lib.create(lib.all, { number: 'BigNumber', precision: 64 }),
          text = value => lib.format(value, { precision: 12 });
        return [
          'det([-1, 2; 3, 1]) + 2i',
          'inv([4, 7; 2, 6])',
          '12.7 cm to inch',
          'sqrt(-4) * e^(i * pi / 3)',
          'mean(1:100) + std(1:10)',
          'f(x, y) = x^y; f(2, 10)',
          'lusolve([2, 1; 1, 3], [3; 5])',
          'cross([1,2,3], [4,5,6])',
          'bin(45)',
          'combinations(40, 20)',
          'gamma(5.5)',
          'eigs([2, 0; 0, 3]).values',
        ]
          .map(s => text(lib.evaluate(s)))
          .concat(
            precise.evaluate('sqrt(2) + exp(1) + sin(1)').toString(),
            lib.derivative('x^3 * sin(x) / (1 + x)', 'x').toString(),
            lib.simplify('2 x + 3 x - (x - x^2) / x').toString(),
            lib.parse('a_1 / sqrt(b^2 + 1)').toTex(),
            lib.fraction('1/3').add(lib.fraction(2, 7)).toFraction(),
            text(lib.fft([1, 2, 3, 4])),
            lib.rationalize('x/(x+1) + 1/x').toString(),
          );
        """,
    ),
    Library(
        package="d3-array",
        version="3.2.5",
        program=r"""
        const rows = Array.from({ length: 500 }, (_, i) => ({ g: 'xyz'[i % 3], h: i % 4, v: Math.sin(i) * 100 }));
        const values = rows.map(r => r.v);
        return [
          lib
            .rollup(
              rows,
              g => lib.fsum(g, r => r.v).toFixed(9),
              r => r.g,
            )
            .get('y'),
          lib.ticks(-1, 1, 7),
          lib.quantile(values, 0.37),
          lib.deviation(values),
          lib
            .bin()
            .thresholds(12)(values)
            .map(b => [b.x0, b.x1, b.length]),
          [
            ...lib.flatRollup(
              rows,
              g => g.length,
              r => r.g,
              r => r.h,
            ),
          ],
          lib.extent(values),
          lib
            .bisector(r => r.v)
            .left(
              lib.sort(rows, r => r.v),
              3,
            ),
          lib.nice(0.13, 97.2, 5),
          [...lib.cumsum([1, 2, 3.5])],
          lib.thresholdScott(values, -100, 100),
        ];
        """,
    ),
    Library(
        package="d3-format",
        version="3.1.3",
        program=r"""
        const numbers = [0, -0, 0.1 + 0.2, 42e6, -1234567.891, 1e-9, 6.02e20, NaN, 0.000015];
        return ['.2f', ',.0f', '.3s', '+,.2r', '$,.2f', '(.1%', '08d', '.3~g', '^20,.4e', '#x', 'c', '~p']
          .map(spec => numbers.map(n => lib.format(spec)(n)))
          .concat([
            [
              lib.formatPrefix(',.1', 1e-6)(0.00042),
              lib.formatLocale({ decimal: ',', thousands: '.', grouping: [3], currency: ['', ' €'] }).format('$,.2f')(
                1234567.891,
              ),
            ],
          ]);
        """,
    ),
    Library(
        package="dayjs",
        version="1.11.23",
        parts=(
            "plugin/utc.js",
            "plugin/duration.js",
            "plugin/isoWeek.js",
            "plugin/advancedFormat.js",
            "plugin/customParseFormat.js",
            "plugin/relativeTime.js",
        ),
        program=r"""
        rest.forEach(plugin => lib.extend(plugin));
        const t = lib.utc('2024-02-29T13:14:15.678Z');
        return [
          t.format('dddd, MMMM Do YYYY, HH:mm:ss.SSS [Q]Q Wo'),
          t.add(1, 'year').toISOString(),
          t.endOf('month').toJSON(),
          t.isoWeek(),
          t.diff('2023-12-31', 'day', true),
          lib('31/12/1999 23:59', 'DD/MM/YYYY HH:mm').toISOString(),
          lib.duration(98765, 's').toISOString(),
          lib.duration({ hours: 30 }).humanize(),
          t.from(lib.utc('2021-05-01')),
          t.utcOffset(330).format(),
        ];
        """,
    ),
    Library(
        package="moment",
        version="2.31.0",
        entry="moment/min/moment-with-locales.js",
        program=r"""
        lib.locale('en');
        const t = lib.utc('2024-02-29T13:14:15.678Z');
        return [
          ...['en', 'de', 'ja', 'ar', 'ru', 'hi', 'th'].map(name =>
            t.clone().locale(name).format('LLLL | MMM Do | ddd'),
          ),
          t.clone().add(1, 'y').format(),
          t.format('gggg-[W]ww-E DDDo Qo'),
          lib.utc('Feb 3rd 1995, 4:05 pm', 'MMM Do YYYY, h:mm a').toISOString(),
          lib.duration(987654321).locale('fr').humanize(),
          t.from(lib.utc('2020-01-01')),
          t.isBetween('2024-01-01', '2024-03-01'),
          lib('2024-13-45', 'YYYY-MM-DD', true).isValid(),
          lib.utc([2010, 1, 14, 15, 25, 50, 125]).calendar(lib.utc([2010, 1, 15])),
          lib.duration('P1Y2M10DT2H30M').asMinutes(),
          lib(0).format(),
        ];
        """,
    ),
    Library(
        package="luxon",
        version="3.7.2",
        missing="Intl",
        program=r"""
        const { DateTime, Duration, Interval } = lib,
          t = DateTime.fromISO('2024-02-29T13:14:15.678Z', { zone: 'utc' });
        return [
          t.toISO(),
          t.plus({ years: 1, months: 1 }).toISODate(),
          t.weekNumber,
          t.toFormat('yyyy-LL-dd HH:mm:ss.SSS'),
          t.startOf('quarter').toISO(),
          Duration.fromISO('P1DT12H').as('hours'),
          Interval.after(t, { days: 3 })
            .splitBy({ days: 1 })
            .map(i => i.toISODate()),
          t.toRFC2822(),
          DateTime.fromFormat('2024 366', 'yyyy ooo', { zone: 'utc' }).toISO(),
          t.setLocale('en').toLocaleString(DateTime.DATE_FULL),
        ];
        """,
    ),
    Library(
        package="papaparse",
        version="5.7.1",
        program=r"""
        const rows = Array.from({ length: 400 }, (_, i) => ({
          id: i,
          name: `O'Neil, "${i}"`,
          note: i % 3 ? 'a\nb' : '',
          price: i / 8,
          ok: i % 2 === 0,
          naïve: '🙂' + i,
        }));
        const text = lib.unparse(rows, { newline: '\n' }),
          back = lib.parse(text, { header: true, dynamicTyping: true });
        let streamed = 0;
        lib.parse(text, { step: () => streamed++, skipEmptyLines: true });
        return [
          text.length,
          text.slice(0, 200),
          back.data.length,
          back.data.slice(7, 10),
          back.meta,
          streamed,
          lib.parse('a;b\n1;"2\n').errors,
          lib.parse('x\ty\r\n1\t2', { header: true }),
        ];
        """,
    ),
    Library(
        package="yaml",
        version="2.9.1",
        program=r"""
        const text = [
          '# head',
          'base: &base { name: "x\\u263a", list: [1, 2.5, 0x1F, .inf, ~, true] }',
          'derived:',
          '  <<: *base',
          '  text: |-',
          '    two',
          '    lines',
          '  folded: >',
          '    one',
          '    line',
          '',
          '  ? [complex, key]',
          '  : !!set { a, b }',
          '  when: 2001-12-14t21:59:43.10-05:00',
          '  big: 12345678901234567890',
          '...',
          '',
        ].join('\n');
        const doc = lib.parseDocument(text, { merge: true, intAsBigInt: false });
        const value = doc.toJS({ mapAsMap: false }),
          bad = lib.parseDocument('a: [1, 2\nb: "open');
        doc.setIn(['base', 'list', 0], { changed: ['yes', null, 'multi\nline', '- dash', ''] });
        return [
          value,
          doc.errors.length,
          String(doc),
          bad.errors.map(e => [e.code, e.linePos, e.message]),
          lib.stringify({ a: [{ b: 'null', c: '1' }, []], d: 'x'.repeat(100) + ' y '.repeat(30), e: -0 }),
          lib.parseAllDocuments('--- 1\n--- {a: 2}\n').map(d => d.toJSON()),
        ];
        """,
    ),
    Library(
        package="jsonata",
        version="2.2.2",
        program=r"""
        const orders = {
          Account: {
            Order: Array.from({ length: 60 }, (_, i) => ({
              id: 'o' + i,
              Product: [
                { sku: i % 7, price: 10 + i / 4, qty: 1 + (i % 3) },
                { sku: 9, price: 1.5, qty: 2 },
              ],
            })),
          },
        };
        const run = async (source, input = orders) => lib(source).evaluate(input);
        return [
          await run('$sum(Account.Order.Product.(price * qty))'),
          await run('Account.Order.Product{$string(sku): $sum(price)}'),
          await run('Account.Order[Product[0].price > 22].id'),
          await run('$map([1..5], function($n) { $n <= 1 ? 1 : $n * $power(2, $n) })'),
          await run('$formatNumber(-12345.678, "#,##0.00;(#,##0.00)")'),
          await run('$fromMillis(0, "[FNn], [D1o] [MNn] [Y0001]")'),
          await run('($f := function($x) { $x = 0 ? "done" : $f($x - 1) }; $f(300))'),
          await run('Account.Order^(>Product[0].price, id)[[0..2]].id'),
          await run('$replace("ab-12 cd-34", /([a-z]+)-(\\d+)/, "$2$1")'),
          await run('a.b.', {}).catch(error => [error.code, error.position]),
        ];
        """,
    ),
    Library(
        package="acorn",
        version="8.19.0",
        program=r"""
        const source =
          'async function* f({ a = 1, ...b }, [c, , d]) { for await (const x of y?.z ?? []) yield* x`t${a}` }\n'
          + 'class A extends (B, C) { static #p = 1n; get [k]() { return #p in this } static { new.target } }\n'
          + 'label: for (;;) { if (/[\\]/]+(?<n>.)\\k<n>/u.test("\\u{1F600}")) break label }';
        let count = 0;
        const kinds = {};
        (function walk(n) {
          if (n?.type) {
            count++;
            kinds[n.type] = (kinds[n.type] ?? 0) + 1;
          }
          if (n && typeof n === 'object') Object.values(n).forEach(walk);
        })(lib.parse(source, { ecmaVersion: 'latest', locations: true }));
        const errors = [
          'let let = 1',
          'a => { "use strict"; with (b) {} }',
          'x = {a: 1, ...}',
          '/(?<a>)(?<a>)/',
          '"\\u{110000}"',
          'import x from "y"',
        ].map(s => {
          try {
            return lib.parse(s, { ecmaVersion: 2022 }).type;
          } catch (e) {
            return [e.message, e.loc];
          }
        });
        return [
          count,
          kinds,
          errors,
          [...lib.tokenizer('a+=`b${c}`/d', { ecmaVersion: 2020 })].map(t => [t.type.label, t.value, t.start]),
          lib.parse('a+b', { ecmaVersion: 5, ranges: true }),
        ];
        """,
    ),
    Library(
        package="esprima",
        version="4.0.1",
        program=r"""
        const own =
          String(lib.parseScript)
          + '\nclass Q { static async *m() { await null } }\n'
          + 'var {x, y: [z]} = {...o}, r = /a+(b)/gi;'.replace('...o', 'o');
        return [
          lib.parseScript('var answer = 6 * 7; // yes', { comment: true, loc: true, range: true, tokens: true }),
          lib.tokenize(own).length,
          lib.parseModule('import a, {b as c} from "m"; export default class {}').body.map(n => n.type),
          ['var 1a', 'if (', '"\n"', 'function(){}', 'yield = 1; "use strict"'].map(s => {
            try {
              return lib.parseScript(s).body.length;
            } catch (e) {
              return [e.message, e.lineNumber, e.column];
            }
          }),
        ];
        """,
    ),
    Library(
        package="terser",
        version="5.51.2",
        program=r"""
        const code =
          'export async function* walk({ root, depth = 1 }) { for await (const item of root?.items ?? []) { '
          + 'if (item.size > 1_000) { yield* walk({ root: item, depth: depth + 1 }); } else { const label = '
          + '`${"a" + "b"}-${depth}`; yield [label, item ** 2]; } } }\n'
          + 'class Shape { #area = 0; static origin = Object.freeze({ x: 0, y: 0 }); get area() { return '
          + 'this.#area; } }\nexport { Shape as default };\nif (false) { neverCalled(); }';
        const { code: small } = await lib.minify(code, {
          module: true,
          compress: { passes: 2, unsafe: true },
          mangle: { properties: { regex: /^_/ } },
        });
        const ast = (
          await lib.minify('let a = 1, b = a + 2; f(b)', {
            parse: { spidermonkey: false },
            format: { spidermonkey: true, code: false },
          })
        ).ast;
        return [
          small,
          (
            await lib.minify(small, {
              module: true,
              compress: false,
              mangle: false,
              format: { beautify: true, ecma: 2020 },
            })
          ).code,
          JSON.stringify(ast).length,
          await lib.minify('let a; let a').catch(e => [e.name, e.message, e.line, e.col]),
        ];
        """,
    ),
    Library(
        package="marked",
        version="18.2.1",
        program=r"""
        const text =
          '# Title *em* `code`\n\n> quote\n> - a\n>   1. nested\n>      still\n\n| a | b |\n|:--|--:|\n'
          + '| 1 | **2** |\n\n```js\nlet x = "<&>";\n```\n\n- [x] done\n- [ ] todo\n\n'
          + '[link](http://a.b "t") ![img](c.png) <http://d.e> https://auto.link ~~del~~\n\n[ref]: /url\n'
          + 'A [ref] &copy; \\* line  \nbreak\n\n<div>raw</div>\n\nSetext\n===\n\n***\n';
        const renderer = {
          heading({ tokens, depth }) {
            return `<h${depth} id="h">${this.parser.parseInline(tokens)}</h${depth}>`;
          },
        };
        const plain = lib.parse(text.repeat(5)),
          tokens = lib.lexer(text).map(t => [t.type, t.raw.length]);
        lib.use({ renderer, breaks: true, async: true });
        return [plain, tokens, await lib.parse(text), lib.parseInline('**bold _both_** <b>x</b> \\\\ a_b_c 😀')];
        """,
    ),
    Library(
        package="showdown",
        version="2.1.0",
        shim=_LAST_MATCH,
        note="RegExp.$1 by a shim",
        program=r"""
        const converter = new lib.Converter({
          tables: true,
          strikethrough: true,
          tasklists: true,
          ghCodeBlocks: true,
          emoji: true,
          metadata: true,
          parseImgDimensions: true,
        });
        return [
          converter.makeHtml(
            '---\ntitle: T\n---\n# Hi there\n\n|a|b|\n|---|:-:|\n|1|~~2~~|\n\n'
              + '- [x] a\n  - b\n\n```py\nx = "<"\n```\n\n![i](u.png =10x20) :smile: **b***i* `c`\n\n1. one\n\n'
              + '   para\n2. two\n\n[l][1]\n\n[1]: http://x.y "title"\n',
          ),
          converter.getMetadata(),
          lib.getDefaultOptions(),
        ];
        """,
    ),
    Library(
        package="rxjs",
        version="7.8.2",
        parts=("operators",),
        program=r"""
        const { interval, of, merge, from, timer, lastValueFrom: last } = lib,
          { map, take, toArray, concatMap, delay, scan, bufferCount, switchMap, catchError, retry, zipWith } =
            rest[0];
        let tries = 0;
        const flaky = lib.defer(() => (++tries < 3 ? lib.throwError(() => new RangeError('again')) : of('third')));
        return [
          await last(
            interval(2).pipe(
              take(5),
              scan((a, b) => a + b, 0),
              toArray(),
            ),
          ),
          await last(
            from([3, 1, 2]).pipe(
              concatMap(n => of(n).pipe(delay(n))),
              bufferCount(2),
              toArray(),
            ),
          ),
          await last(
            merge(timer(9).pipe(map(() => 'late')), timer(1).pipe(map(() => 'early')), of('now')).pipe(toArray()),
          ),
          await last(flaky.pipe(retry(5))),
          await last(
            from('ab').pipe(
              zipWith([1, 2]),
              switchMap(([s, n]) => of(s.repeat(n))),
              toArray(),
            ),
          ),
          await last(lib.EMPTY).catch(error => error.name),
          await last(lib.throwError(() => 7).pipe(catchError(e => of(e + 1)))),
        ];
        """,
    ),
    Library(
        package="pako",
        version="3.0.3",
        program=r"""
        const data = Uint8Array.from({ length: 50000 }, (_, i) => ((i * i) >> 3) & 255),
          packed = lib.deflate(data, { level: 9 }),
          zipped = lib.gzip('héllo 🙂 '.repeat(500));
        let error;
        try {
          lib.inflate(new Uint8Array([1, 2, 3]));
        } catch (e) {
          error = String(e);
        }
        return [
          packed.length,
          Array.from(packed.subarray(0, 64)),
          lib.inflate(packed).every((byte, i) => byte === data[i]),
          zipped.length,
          lib.ungzip(zipped, { to: 'string' }).length,
          error,
          lib.deflateRaw(data, { level: 1, strategy: 2 }).length,
        ];
        """,
    ),
    Library(
        package="handlebars",
        version="4.7.10",
        program=r"""
        lib.registerHelper('upper', s => s.toUpperCase());
        lib.registerHelper('repeat', function (n, options) {
          let out = '';
          for (let i = 0; i < n; i++) out += options.fn(this, { data: { index: i } });
          return out;
        });
        lib.registerPartial('row', '<tr>{{#each this}}<td>{{@index}}:{{this}}</td>{{/each}}</tr>');
        const source =
          '{{#each rows as |r i|}}{{#if r.hidden}}-{{else if r.show}}{{> row '
          + 'r.cells}}{{else}}{{{r.raw}}}{{/if}}{{#unless @last}},{{/unless}}{{/each}} {{upper (lookup names '
          + '"a")}} {{#repeat 3}}{{@index}}{{/repeat}} {{#with (lookup this '
          + '"deep")}}{{x.y.[0]}}{{../title}}{{/with}} {{~! c ~}} {{title}}';
        const rows = [{ hidden: true }, { show: 1, cells: ['<a>', "'q'", '&'] }, { raw: '<i>raw</i>' }];
        let error;
        try {
          lib.compile('{{#if a}}{{/each}}')({});
        } catch (e) {
          error = e.message;
        }
        return [
          lib.compile(source)({ rows, names: { a: 'xyz' }, deep: { x: { y: ['!'] } }, title: '"T" =`' }),
          error,
          lib.precompile('{{a.b}}{{#c}}d{{/c}}'),
          lib.parse('{{foo bar=1 baz="q"}}').body[0].hash.pairs.length,
          lib.compile('{{constructor.name}}{{__proto__}}|')({}),
        ];
        """,
    ),
    Library(
        package="nunjucks",
        version="3.2.4",
        program=r"""
        const pages = {
          'base.html': '<title>{% block title %}base{% endblock %}</title>{% block body %}{% endblock %}',
          'macros.html':
            '{% macro field(name, value="", kind="text") %}<input name="{{ name }}" value="{{ value }}" '
            + 'type="{{ kind }}">{% endmacro %}',
          'page.html':
            '{% extends "base.html" %}{% from "macros.html" import field %}{% block title %}{{ super() }} - {{ '
            + 'title | title }}{% endblock %}{% block body %}{% for k, v in items | dictsort %}{{ loop.index '
            + '}}/{{ loop.length }} {{ k }}={{ v | upper | replace("A", "*") }}{{ field(k, value=v) }}{% else '
            + '%}none{% endfor %}{% set x = [3, 1, 2] | sort | join("-") %}{{ x }}{{ "<b>" }}{{ "<b>" | safe }}{{ '
            + '7 // 2 }}{{ 2 ** 5 }}{{ missing.deep }}{% if 1 in [1] and not false %}ok{% endif %}{% filter '
            + 'indent(2) %}a\nb{% endfilter %}{% raw %}{{ raw }}{% endraw %}{{ 1234.5 | round }}{{ obj | dump '
            + '}}{% endblock %}',
        };
        const Loader = lib.Loader.extend({ getSource: name => ({ src: pages[name], path: name, noCache: true }) });
        const env = new lib.Environment(new Loader(), { autoescape: true });
        env.addFilter('later', (v, done) => done(null, v + '!'), true);
        let error;
        try {
          env.renderString('{% if %}', {});
        } catch (e) {
          error = e.message;
        }
        return [
          env.render('page.html', {
            title: 'hello world',
            items: { b: 'banana', a: '"apple"' },
            obj: { x: [1, null] },
          }),
          error,
          env.renderString('{{ "x" | truncate(3) }}{% for i in range(0, 9, 4) %}{{ i }}{% endfor %}', {}),
          await new Promise((ok, no) =>
            env.renderString('{{ "async" | later }}', {}, (e, text) => (e ? no(e) : ok(text))),
          ),
        ];
        """,
    ),
    Library(
        package="ajv-dist",
        version="8.17.1",
        entry="ajv-dist/dist/ajv2020.bundle.js",
        program=r"""
        const ajv = new lib({ allErrors: true, verbose: false, discriminator: true, strict: false });
        ajv.addKeyword({ keyword: 'even', type: 'number', validate: (on, n) => !on || n % 2 === 0 });
        const check = ajv.compile({
          $id: 'tree',
          type: 'object',
          required: ['id', 'kind'],
          properties: {
            kind: true,
            size: true,
            id: { type: 'integer', minimum: 1, even: true },
            email: { type: 'string', pattern: '^[^@\\s]+@\\p{L}+\\.[a-z]{2,}$' },
            tags: {
              type: 'array',
              uniqueItems: true,
              items: { enum: ['a', 'b', { c: 1 }] },
              contains: { const: 'a' },
            },
            children: { type: 'array', items: { $ref: '#' }, maxItems: 3 },
            pair: { prefixItems: [{ type: 'string' }, { type: 'number', multipleOf: 0.01 }], items: false },
          },
          discriminator: { propertyName: 'kind' },
          oneOf: [
            { properties: { kind: { const: 'x' }, size: { type: 'number' } }, required: ['size'] },
            { properties: { kind: { const: 'y' } } },
          ],
          unevaluatedProperties: false,
        });
        const inputs = [
          {
            id: 2,
            kind: 'x',
            size: 1,
            email: 'a@bücher.de',
            tags: ['a', { c: 1 }],
            children: [{ id: 4, kind: 'y' }],
          },
          { id: 1.5, kind: 'x', email: 'nope', tags: ['b', 'b', 'q'], extra: 1 },
          { id: 2, kind: 'z', children: [{ kind: 'y' }, 1] },
          { id: 4, kind: 'y', pair: [1, 0.015, 2] },
          null,
        ];
        let error;
        try {
          ajv.compile({ type: 'nonsense' });
        } catch (e) {
          error = e.message;
        }
        return [
          inputs.map(input => [check(input), check.errors]),
          error,
          ajv.errorsText([{ instancePath: '/a', message: 'is bad' }]),
        ];
        """,
    ),
    Library(
        package="zod",
        version="4.6.7",
        program=r"""
        const z = lib;
        const user = z
          .object({
            id: z.uuid(),
            email: z.email(),
            age: z.coerce.number().int().min(18),
            role: z.enum(['admin', 'user']).default('user'),
            when: z.iso.datetime(),
            tags: z.array(z.string().trim().min(2)).max(3).optional(),
            extra: z.record(z.string(), z.union([z.bigint(), z.null()])),
            at: z.tuple([z.number(), z.literal('x')]),
          })
          .strict()
          .refine(u => u.age < 150, { path: ['age'], message: 'too old' });
        const good = {
          id: '123e4567-e89b-42d3-a456-426614174000',
          email: 'a@b.co',
          age: '42',
          when: '2024-02-29T00:00:00Z',
          tags: [' xx '],
          extra: { n: null },
          at: [1, 'x'],
        };
        const shape = z
          .discriminatedUnion('t', [
            z.object({ t: z.literal('c'), r: z.number().positive() }),
            z.object({ t: z.literal('s'), side: z.number() }),
          ])
          .transform(s => (s.t === 'c' ? s.r ** 2 : s.side));
        return [
          user.parse(good),
          user.safeParse({ ...good, id: 'x', age: 3, at: [1, 2, 3], more: 1, extra: { a: 'q' } }).error.issues,
          shape.parse({ t: 'c', r: 3 }),
          shape.safeParse({ t: 'q' }).error.message,
          z.toJSONSchema(z.object({ a: z.string().regex(/^x+$/u), b: z.lazy(() => z.number().nullable()) })),
          await z
            .string()
            .refine(async s => s.length > 1)
            .safeParseAsync('a'),
          z.treeifyError(user.safeParse({}).error),
        ];
        """,
    ),
    Library(
        package="uuid",
        version="14.0.3",
        program=r"""
        const bytes = Uint8Array.from({ length: 16 }, (_, i) => i * 15);
        return [
          lib.v5('sandbox', lib.v5.DNS),
          lib.v3('ünï', lib.v3.URL),
          lib.v4({ random: bytes }),
          lib.v7({ random: bytes, msecs: 1e12, seq: 5 }),
          lib.validate(lib.v4()),
          lib.version('1ec9414c-232a-6b00-b3c8-9e6bdeced846'),
          [...lib.parse(lib.stringify(bytes.map((n, i) => (i === 6 ? 0x4a : i === 8 ? 0x8b : n))))],
          [lib.NIL, lib.MAX].map(lib.validate),
        ];
        """,
    ),
    Library(
        package="nanoid",
        version="5.1.16",
        parts=("non-secure",),
        program=r"""
        const ids = new Set(Array.from({ length: 100 }, () => lib.nanoid()));
        return [
          ids.size,
          [...ids].every(id => /^[\w-]{21}$/.test(id)),
          lib.customAlphabet('a', 7)(),
          lib.customRandom('abcdef', 10, size => Uint8Array.from({ length: size }, (_, i) => i))(),
          lib.nanoid(3).length,
          [...lib.urlAlphabet].sort().join(''),
          rest[0].nanoid(50).length,
        ];
        """,
    ),
    Library(
        package="preact",
        version="11.2.0",
        parts=("jsx-runtime",),
        program=r"""
        const { h, Fragment, toChildArray, cloneElement, createContext, isValidElement } = lib;
        const show = node =>
          isValidElement(node)
            ? typeof node.type === 'function' && node.type !== Fragment
              ? show(node.type(node.props))
              : [String(node.type.name ?? node.type), node.key ?? null, toChildArray(node.props.children).map(show)]
            : node;
        const Item = ({ name, children }) => h('li', { key: name, class: 'item' }, name, ': ', children);
        const list = h('ul', null, ['a', 'b'].map((name, i) => h(Item, { name }, [i, null, h('b', null, i * 2)])));
        const context = createContext('x');
        return [
          show(list),
          show(cloneElement(list, { key: 'k' }, 'other', h('i'))),
          show(rest[0].jsx('p', { children: [1, 'two'] }, 'key')),
          isValidElement({}),
          typeof context.Provider,
          Object.keys(lib).filter(name => /^[a-z]/.test(name)).sort(),
        ];
        """,
    ),
    Library(
        package="prettier",
        version="3.10.1",
        entry="prettier/standalone",
        parts=(
            "plugins/babel",
            "plugins/estree",
            "plugins/postcss",
            "plugins/markdown",
            "plugins/yaml",
            "plugins/typescript",
        ),
        program=r"""
        const format = (text, parser) =>
          lib.format(text, { parser, plugins: rest }).catch(error => [error.name, error.message]);
        return [
          await format(
            'const {a,b:{c}}=require("x"),f=async({d,...e})=>{await '
              + 'Promise.all([1,2,3].map(async n=>{if(n>1){return n}else throw new Error(`bad ${n}`)}))}\n'
              + 'export default class A extends B{static #x=1;get y(){return this.#x??=2}}\n'
              + 'const '
              + 'veryLongName=someFunction(argumentNumberOne,argumentNumberTwo,argumentNumberThree).then(r=>r.jso'
              + 'n()).catch(()=>{});\n<div className="a" {...p}>{list.map(i=><Item key={i}/>)} text</div>',
            'babel',
          ),
          await format(
            'type A<T extends keyof U,U={}>={readonly [K in T]?:U[K]}|null;enum E{A=1,B}\n'
              + 'abstract class C<T> implements I{constructor(private readonly x:T,public '
              + 'y?:string){super()}declare z:unique symbol}\nfunction assert(x:unknown):asserts x is string{}',
            'typescript',
          ),
          await format(
            'a{color:RED;background:url( x.png )}@media '
              + '(max-width:100px){.b>.c,.d:hover::after{margin:0 auto!important}}',
            'css',
          ),
          await format('.a{.b &{@include m($x:1)}}$map:(k:v,k2:v2);', 'scss'),
          await format('# T\n* a\n* b\n    1) c\n\n|a|bb|\n|-|-|\n|1|2|\n\n```js\nlet a={b:1}\n```\n', 'markdown'),
          await format('a:   {b: 1,   c: [1,2]}\nd:\n    - "x"\n', 'yaml'),
          await format('let = = 1', 'babel'),
        ];
        """,
    ),
    Library(
        package="typescript",
        version="5.9.3",
        limits=Limits(memory_bytes=128 << 20),
        note="memory limit 128 MiB",
        program=r"""
        const core =
          'interface Array<T> { length: number; [n: number]: T; map<U>(f: (x: T) => U): U[] } interface '
          + 'Boolean {} interface CallableFunction {} interface Function {} interface IArguments {} interface '
          + 'NewableFunction {} interface Number { toFixed(n?: number): string } interface Object {} interface '
          + 'RegExp {} interface String { length: number } type Partial<T> = { [K in keyof T]?: T[K] };';
        const main =
          'interface Shape { kind: "circle" | "square"; size: number }\n'
          + 'const shapes: Shape[] = [{ kind: "circle", size: 1 }, { kind: "triangle", size: "2" }];\n'
          + 'function area(s: Shape): number { switch (s.kind) { case "circle": return s.size; } }\n'
          + 'export const total = shapes.map(area).map(n => n.toFixd(2));\n'
          + 'let p: Partial<Shape> = { kind: "square", extra: 1 }; p.size.toFixed();\n'
          + 'enum Level { Low = 1, High = Low << 4 }\nexport class Box<T> { constructor(private readonly value: '
          + 'T) {} get [Level.High]() { return this.value?.toString() } }';
        const texts = { '/lib.d.ts': core, '/main.ts': main },
          files = {},
          out = {};
        const host = {
          getSourceFile: (name, target) =>
            texts[name] === undefined ? undefined : (files[name] ??= lib.createSourceFile(name, texts[name], target)),
          getDefaultLibFileName: () => '/lib.d.ts',
          writeFile: (name, text) => {
            out[name] = text;
          },
          getCurrentDirectory: () => '/',
          getCanonicalFileName: n => n,
          useCaseSensitiveFileNames: () => true,
          getNewLine: () => '\n',
          fileExists: n => n in texts,
          readFile: n => texts[n],
        };
        const program = lib.createProgram(
          ['/main.ts'],
          {
            strict: true,
            target: lib.ScriptTarget.ES2015,
            module: lib.ModuleKind.ES2015,
            declaration: true,
            types: [],
          },
          host,
        );
        const found = lib
          .getPreEmitDiagnostics(program)
          .map(d => [d.code, d.start, lib.flattenDiagnosticMessageText(d.messageText, '\n')]);
        program.emit();
        return [
          lib.version,
          found,
          out,
          lib.transpileModule('const x = a?.b ?? await import("m"); @dec class D { @p() q!: string }', {
            compilerOptions: {
              target: lib.ScriptTarget.ES5,
              module: lib.ModuleKind.CommonJS,
              experimentalDecorators: true,
            },
            reportDiagnostics: true,
          }).outputText,
        ];
        """,
    ),
)


def main() -> int:
    """Run the chosen libraries and print the table."""
    parser = argparse.ArgumentParser(description="Run popular JavaScript libraries in a sandbox and in Node; compare.")
    parser.add_argument("names", nargs="*", metavar="LIBRARY", help="packages to run; all by default")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where npm puts the packages (%(default)s)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {library.package for library in LIBRARIES}:
        parser.error(f"no such library: {', '.join(sorted(unknown))}")
    chosen = [library for library in LIBRARIES if not arguments.names or library.package in arguments.names]
    install(arguments.cache)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    outcomes = []
    for library in chosen:
        with console.status(library.package):
            outcomes.append(compare(library, arguments.cache))
    report(outcomes, console)
    return 0 if all(outcome.good for outcome in outcomes) else 1


def default_cache() -> Path:
    """A folder of the user's, outside every checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "quickjs-sandbox" / "real-libraries"


def install(cache: Path) -> None:
    """Let npm put what is not there yet into the cache, in exactly the pinned versions."""
    wanted = {library.package: library.version for library in LIBRARIES}
    if all(installed_version(cache, name) == version for name, version in wanted.items()):
        return
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}), encoding="utf-8")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run([program_path("npm"), "install", *options], cwd=cache, check=True)


def installed_version(cache: Path, package: str) -> str:
    """What the cache holds; empty when nothing."""
    manifest = cache / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"]) if manifest.exists() else ""


def program_path(name: str) -> str:
    """Where a program is.

    Raises:
        SystemExit: It is not installed.
    """
    if (path := shutil.which(name)) is None:
        raise SystemExit(f"{name} is needed and was not found")
    return path


class CountedModules(NodeModules):
    """A folder that knows how much of it was read."""

    size_bytes = 0

    def load(self, key: str, /) -> ModuleSource:
        """The source behind a key."""
        source = super().load(key)
        self.size_bytes += len(source.code)
        return source


def compare(library: Library, cache: Path) -> Outcome:
    """Run one library in both engines."""
    program = _PROGRAM.format(body=library.program)
    node = run_in_node(library.specifiers, program, cache)
    required, failure, *_ = run_in_sandbox(library, cache, _REQUIRE, program)
    output, import_failure, load_ms, run_ms, size_bytes, usage = run_in_sandbox(library, cache, _IMPORT, program)
    return Outcome(
        library=library,
        size_bytes=size_bytes,
        outputs={"import": output, "require": required},
        expected=node["output"],
        failure=import_failure or failure,
        load_ms=load_ms,
        run_ms=run_ms,
        node_load_ms=node["load_ms"],
        node_run_ms=node["run_ms"],
        memory_bytes=usage.peak_memory_bytes,
        fuel=usage.fuel,
    )


def run_in_sandbox(
    library: Library, cache: Path, load: str, program: str
) -> tuple[str | None, str, float, float, int, Usage]:
    """Run one library in a fresh sandbox: output, failure, both times in milliseconds, bytes of sources, usage."""
    packages = CountedModules(cache / "node_modules", max_bytes=_MAX_FILE_BYTES)
    output, failure, load_ms = None, "", 0.0
    with Sandbox(limits=library.limits, modules=[_REQUIRER, packages], globals=_GLOBALS) as box:
        started = time.perf_counter()
        try:
            box.eval(library.shim, filename="shim")
            box.import_module("requirer.cjs")
            box.eval(load.format(specifiers=library.specifiers), filename="load")
            load_ms = (time.perf_counter() - started) * 1000
            output = box.eval(program, filename="program")
        except JSError as error:
            failure = f"{error}\n{error.stack}"
        except SandboxError as error:
            failure = f"{type(error).__name__}: {error}"
        run_ms = (time.perf_counter() - started) * 1000 - load_ms
        return output, failure, load_ms, run_ms, packages.size_bytes, box.usage


def run_in_node(specifiers: list[str], program: str, cache: Path) -> dict[str, Any]:
    """Run the same in a fresh Node process, in the sandbox's time zone and locale.

    Raises:
        RuntimeError: The program fails there too, so it is no program to compare.
    """
    done = subprocess.run(
        [program_path("node"), "--no-warnings", "--input-type=module", "--eval", _NODE],
        cwd=cache,
        input=json.dumps({"specifiers": specifiers, "program": program}),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "TZ": "UTC", "LC_ALL": "en_US.UTF-8", "NODE_ENV": "production"},
        timeout=_NODE_SECONDS,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
    if "error" in result:
        raise RuntimeError(f"Node: {result['error']}")
    return result


def report(outcomes: list[Outcome], console: Console) -> None:
    """Print the table, then each failure and difference."""
    table = Table(caption="`same`: the outputs are equal. `no Intl`: fails, as it must without it.")
    table.add_column("library", no_wrap=True)
    titles = ("size KiB", "load ms", "run ms", "Node load ms", "Node run ms", "peak MiB", "fuel M")
    for title in titles:
        table.add_column(title, justify="right")
    table.add_column("same", no_wrap=True)
    table.add_column("note")
    for outcome in outcomes:
        library = outcome.library
        times = (outcome.load_ms, outcome.run_ms, outcome.node_load_ms, outcome.node_run_ms)
        table.add_row(
            f"{library.package} {library.version}",
            f"{outcome.size_bytes / 1024:,.0f}",
            *(f"{milliseconds:,.0f}" for milliseconds in times),
            f"{outcome.memory_bytes / 2**20:,.1f}",
            f"{outcome.fuel / 1e6:,.0f}",
            outcome.verdict if outcome.good else f"[red]{outcome.verdict}",
            library.note,
        )
    console.print(table)
    for outcome in outcomes:
        if not outcome.good:
            console.rule(outcome.library.package)
            console.print(outcome.failure or difference(outcome), markup=False, highlight=False)


def difference(outcome: Outcome) -> str:
    """The lines that differ, a few around them."""
    lines: list[str] = []
    for way, output in outcome.outputs.items():
        ours = (output or "").splitlines()
        lines += difflib.unified_diff(outcome.expected.splitlines(), ours, "node", way, lineterm="", n=2)
    return "\n".join(line[:400] for line in lines)


if __name__ == "__main__":
    sys.exit(main())
