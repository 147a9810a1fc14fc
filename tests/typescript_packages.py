"""TypeScript of real packages, made JavaScript here and by TypeScript's own compiler: both must be the same program.

    python -m tests.typescript_packages DIRECTORY                # a folder with node_modules, typescript among them
    python -m tests.typescript_packages DIRECTORY effect zod     # some packages of it

Not part of `make test`: it needs Node, and packages that come with their sources, such as effect, rxjs, zod and
@tanstack/query-core. Both programs are printed by TypeScript's printer, without comments, parentheses, empty statements
and `export {}`, and compared. A file that one of them writes in other words by right differs; how many do is told.
Exits with 1 when a file cannot be read, beyond those that `UNREADABLE` names.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from sandbox import SandboxError
from sandbox.typescript import Language, transform

UNREADABLE: Final = {"effect/src/PubSub.ts": "calls a variable `as`, which the grammar does not know"}
_LANGUAGES: Final[dict[str, Language]] = {".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx"}
_NODE: Final = """
const ts = require(process.cwd() + "/node_modules/typescript"), fs = require("fs");
const printer = ts.createPrinter({ removeComments: true });
const isReal = statement => !ts.isEmptyStatement(statement) && !(ts.isExportDeclaration(statement) &&
  statement.exportClause?.elements?.length === 0);
const plain = context => function visit(node) {
  node = ts.visitEachChild(node, visit, context);
  const f = ts.factory;
  if (ts.isSourceFile(node)) return f.updateSourceFile(node, node.statements.filter(isReal));
  if (ts.isBlock(node)) return f.updateBlock(node, node.statements.filter(isReal));
  if (ts.isParenthesizedExpression(node)) return node.expression;
  return ts.isSemicolonClassElement(node) ? undefined : node;
};
const printed = code => {
  const file = ts.createSourceFile("a.js", code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const text = printer.printFile(ts.transform(file, [plain]).transformed[0]);
  return text.replace(/\\s+/g, "").replace(/,([\\]})])/g, "$1");
};
const compilerOptions = { target: "esnext", module: "esnext", jsx: "react", isolatedModules: true,
  useDefineForClassFields: true };
const different = [];
for (const [fileName, code] of Object.entries(JSON.parse(fs.readFileSync(0, "utf8")))) {
  const source = fs.readFileSync("node_modules/" + fileName, "utf8");
  const theirs = ts.transpileModule(source, { fileName, compilerOptions }).outputText;
  if (printed(code) !== printed(theirs)) different.push(fileName);
}
process.stdout.write(JSON.stringify(different));
"""


def sources(packages: Path, names: list[str]) -> list[Path]:
    """The files of TypeScript below `node_modules`, or in some packages of it, which are no declarations."""
    roots = [packages / name for name in names] or [packages]
    found = [path for root in roots for path in sorted(root.rglob("*")) if path.suffix in _LANGUAGES and path.is_file()]
    return [
        path for path in found if ".d." not in path.name and "typescript" not in path.relative_to(packages).parts[:1]
    ]


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description="Compare with TypeScript's own compiler.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*", metavar="PACKAGE")
    options = parser.parse_args()
    packages = options.directory / "node_modules"
    codes: dict[str, str] = {}
    refused: dict[str, str] = {}
    length, started = 0, time.process_time()
    for path in sources(packages, options.names):
        name, source = path.relative_to(packages).as_posix(), path.read_text("utf-8")
        length += len(source)
        try:
            codes[name] = transform(source, language=_LANGUAGES[path.suffix], filename=name).code
        except SandboxError as error:
            refused[name] = str(error)
    megabytes = length / 1e6
    print(f"{len(codes)} files, {megabytes:.1f} MB, {megabytes / (time.process_time() - started):.1f} MB/s")
    answer = subprocess.run(
        ["node", "--eval", _NODE],
        cwd=options.directory,
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        check=True,
    )
    different = json.loads(answer.stdout)
    print(f"{len(codes) - len(different)} the same, {len(different)} different: {', '.join(different[:20])}")
    for name, reason in refused.items():
        print(f"{name}: {reason} ({UNREADABLE.get(name, 'not expected')})")
    return 1 if refused.keys() - UNREADABLE.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
