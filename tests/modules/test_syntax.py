"""Which texts have the syntax of a module."""

from __future__ import annotations

import time

import pytest

from sandbox.modules.syntax import has_module_syntax

MODULES = [
    "import 'x'",
    'import"x"',
    "import a from 'x'",
    "import a, { b as c } from 'x'",
    "import{a}from'x'",
    "import * as a from 'x'",
    "import defer * as a from 'x'",
    "import/* */a/* */from 'x'",
    "import\n{ a }\nfrom 'x'",
    "export {}",
    "export{a}",
    "export * from 'x'",
    "export*from'x'",
    "export default 1",
    "export default{}",
    "export const a = 1",
    "export let a",
    "export var a",
    "export function f() {}",
    "export async function f() {}",
    "export class A {}",
    "var a = import.meta.url",
    "function f() { return import . meta }",
    "#!/bin/node\nexport {}",
    "'use strict'; export {}",
    "// import\nexport {}",
    "var a = 1\nexport { a }",
    "if (a) /'/.test(b)\nexport {}",
    "var a = b / c; export { a }; var d = '/'",
    "var a = (b) / c; export { a }; var d = '/'",
    "var a = b[0] / 2; export { a }",
    "a++ / 2; export { a } // /",
    "var a = `${`${b}`} \\` ${{}}`; export { a }",
    "var a = `export`; export { a }",
    "function f() {} /'/.test(a); export {}",
    "x => {} \n/'/.test(a); export {}",
    "var a = {} / 2; export { a }; '/'",
    "return_ / 2; export {}; '/'",
    "a.return / 2; export {}; '/'",
    "return /'/; export {}",
    "a = /[/']/; export {}",
    "a = /\\/'/; export {}",
    "a = .5 / 2; export {}; '/'",
    "a = 1e+5 / 2; export {}; '/'",
    "a = '\\\n'; export {}",
    'a = "\\""; export {}',
    "((({[`${[(1)]}`]: 1}))); export {}",
]
OTHERS = [
    "",
    "module.exports = 1",
    "exports.a = 1",
    "import('x')",
    "import ('x').then(f)",
    "import/* */('x')",
    "var importing = 1, exporter, $import, import_, _export",
    "a.import; a.export; a?.import",
    "a\n.import\nb",
    "a = { import: 1, export: 2, import() {}, export() {} }",
    "a = { import, x }",
    "class A { static export = 1; import() {} }",
    "// import a from 'x'",
    "/* export default 1 */",
    "/*\nexport default 1\n*/",
    "'export default 1'",
    "\"import a from 'x'\"",
    "`\nexport default 1\n`",
    "`${a}\nexport default 1\n`",
    "`${`\nexport default 1\n`}`",
    "a = /import x/",
    "a = /[/]import x/; b",
    "a = /`/; `\nexport {}`",
    "if (a) /`/.test(b); `\nexport {}`",
    "return /`/; `\nexport {}`",
    "function f() { } /`/; `\nexport {}`",
    "a = b / c; `\nexport {}`; d / e",
    'a = "\\\nexport default 1"',
    "exports.export = import_meta",
    "a.#export",
    "new.target; a.meta; importmeta",
    "define(function () { return { export: function () {} } })",
    "import.defer('x')",
    "import",
    "export",
    "export /*",
    "`export",
    "}}}}) export",
]


@pytest.mark.parametrize("text", MODULES)
def test_modules(text: str) -> None:
    assert has_module_syntax(text)


@pytest.mark.parametrize("text", OTHERS)
def test_others(text: str) -> None:
    assert not has_module_syntax(text)


@pytest.mark.parametrize(
    "part",
    [
        "/*",
        "/*x",
        "`${",
        "import/**/",
        "import.",
        "import /*",
        "'\\",
        "(",
        "{",
        "}",
        "/[",
        "a /",
        "//",
        "\\",
        "import ",
        "export /",
        "` ",
        "/a",
        "1e+",
        " \n",
        '"',
    ],
)
def test_no_text_takes_long(part: str) -> None:
    started = time.process_time()

    has_module_syntax("import." + part * (400_000 // len(part)))

    assert time.process_time() - started < 5
