"""Random statements and declarations, and whole programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.two_ways.draft import NAMES, NUMBERS, Pair
from tests.fuzz.two_ways.expressions import Expressions

PRELUDE: Final = Path(__file__).with_name("prelude.js").read_text(encoding="utf-8")


class Writer(Expressions):
    """Writes a program."""

    def body(self, names: list[str], generator: bool = False) -> Pair:
        """A function's body."""
        loops, labels, self.loops, self.labels = self.loops, self.labels, 0, []
        self.in_function += 1
        self.in_generator.append(generator)
        made = self.block(names)
        self.in_generator.pop()
        self.in_function -= 1
        self.loops, self.labels = loops, labels
        return made

    def block(self, names: list[str] | None = None) -> Pair:
        """Statements with declarations of their own, which may be used before they are reached."""
        declared = [self.name() for _ in range(self.random.randrange(4))]
        scope = list(names or [])
        self.scopes.append(scope)
        self.budget -= 1
        slots: list[str | None] = [*declared, *([None] * self.random.randrange(1, 5))]
        self.random.shuffle(slots)
        early = [name for name in declared if self.chance(0.15)]
        scope += early
        statements: list[Pair] = []
        for name in slots:
            if name is None:
                if self.budget > 0 or not statements:
                    statements.append(self.survived())
                continue
            statements.append(self.declaration(name))
            if name not in early:
                scope.append(name)
        self.scopes.pop()
        return Pair(*("\n".join(statement[way] for statement in statements) for way in (0, 1)))

    def declaration(self, name: str) -> Pair:
        kind = self.pick(("let", "let", "const", "var", "class", "let"))
        if kind == "class":
            return self.class_(name)
        if kind == "let" and self.chance(0.2):
            return self.plain(f"let {name};")
        value = self.expression()
        if self.chance(0.6):
            value = self.put("safe(() => @)", value)
        return self.put(f"{kind} {name} = @;", value)

    def survived(self) -> Pair:
        made = self.statement()
        if self.chance(0.5) or not self.in_function:
            return made
        return self.put(f"try {{ @ }} catch ({self.name()}) {{ log(v{self.fresh}) }}", made)

    def class_(self, name: str) -> Pair:
        fields = self.random.sample(("a", "b", "c", "x", "length"), self.random.randrange(4))
        sets = [self.two(f"this.{field} = @;", f'this[k("{field}")] = @;', self.expression(2)) for field in fields]
        inner = Pair(*(" ".join(part[way] for part in sets) for way in (0, 1)))
        member = self.pick(
            (
                "get a() { return log(1) }",
                "set b(v) { log(v) }",
                "f() { return this }",
                "static a = 1;",
                "#p = 1; f() { return this.#p }",
                "x = this;",
            )
        )
        base = self.pick(("", "", "extends Array", "extends Object", "extends (class { c = 1; get x() { return 2 } })"))
        return self.put(
            f"class {name} {base} {{ constructor(v) {{ {'super();' if base else ''} tick(); @ }} {member} }}", inner
        )

    def statement(self) -> Pair:
        self.budget -= 1
        make: Callable[[], Pair] = self.random.choice((
            self.log, self.log, self.assign, self.assign, self.add, self.add, self.set, self.set, self.branch, self.branch, self.loop,
            self.loop, self.iterate, self.attempt, self.attempt, self.leave, self.change, self.destructure, self.instances, self.switch,
            self.closures, self.nested,
        ))  # fmt: skip
        return make()

    def log(self) -> Pair:
        return self.put("log(@);", self.expression())

    def assign(self) -> Pair:
        name = self.known()
        if name is None:
            return self.log()
        if self.chance(0.2):
            return self.two(
                f"log({name}++);", f"{{ let t = (() => {name})(); const o = t++; (v => {{ {name} = v }})(t); log(o) }}"
            )
        return self.two(f"{name} = @;", f"(v => {{ {name} = v }})(@);", self.expression())

    def add(self) -> Pair:
        name = self.known()
        if name is None:
            return self.log()
        long = f"{{ const l = (() => {name})(), r = @; (v => {{ {name} = v }})(l + r) }}"
        return self.two(f"{name} += @;", long, self.expression())

    def set(self) -> Pair:
        name, base = self.pick(NAMES[:-1]), self.put("ob(@)", self.expression(2))
        return self.two(f"@.{name} = @;", f'@[k("{name}")] = @;', base, self.expression())

    def branch(self) -> Pair:
        made = self.put("if (@) {\n@\n}", self.condition(2), self.block())
        return self.put("@ else {\n@\n}", made, self.block()) if self.chance(0.4) else made

    def loop(self) -> Pair:
        label = f"l{self.name()}"
        count = self.random.randrange(1, 4)
        index = self.name()
        self.loops += 1
        self.labels.append(label)
        body = self.block([index])
        self.labels.pop()
        self.loops -= 1
        head = self.pick((
            f"for (let {index} = 0; {index} < {count}; {index}++) {{\ntick();\n@\n}}",
            f"for (let {index} = 0, stop = 0; stop++ < {count};) {{\ntick();\n@\n}}",
            f"{{ let {index} = {count}, stop = {count}; while (stop-- > 0) {{\ntick();\n@\n}} }}",
            f"{{ let {index} = 0.5, stop = 0; do {{\ntick();\n@\n}} while (stop++ < {count}) }}",
            f"for (let {index} of [1, 'a', 2.5]) {{\ntick();\n@\n}}",
            f"for (let {index} in {{a: 1, b: 2}}) {{\ntick();\n@\n}}",
        ))  # fmt: skip
        return (
            self.put(head if head.startswith("{") else f"{label}: {head}", body)
            if not head.startswith("{")
            else self.put(
                head.replace("while (stop--", f"{label}: while (stop--").replace("do {", f"{label}: do {{"), body
            )
        )

    def iterate(self) -> Pair:
        name = self.name()
        array = self.put("ar(@)", self.expression())
        self.loops += 1
        body = self.block([name])
        self.loops -= 1
        return self.two(
            f"for (const {name} of @) {{ tick();\n@\n}}",
            f"for (const {name} of walk(@)) {{ tick();\n@\n}}",
            array,
            body,
        )

    def attempt(self) -> Pair:
        name = self.name()
        body = self.put("try {\n@\n}", self.block())
        if self.chance(0.7):
            body = self.put(f"@ catch ({name}) {{ log({name});\n@\n}}", body, self.block([name]))
            return self.put("@ finally {\n@\n}", body, self.block()) if self.chance(0.4) else body
        return self.put("@ finally {\n@\n}", body, self.block())

    def leave(self) -> Pair:
        choices = ["log(0);"]
        if self.loops:
            choices += ["break;", "continue;"] + [
                f"{how} {label};" for label in self.labels for how in ("break", "continue")
            ]
        if self.in_function:
            choices += ["return @;"]
        choices += ["throw @;", "throw new EvalError();"]
        if self.in_generator[-1]:
            choices += ["log(yield @);"] * 6
        chosen = self.pick(choices)
        made = self.put(chosen, self.expression()) if "@" in chosen else self.plain(chosen)
        return self.put("if (@) @", self.condition(2), made) if self.chance(0.7) else made

    def change(self) -> Pair:
        target = self.put("ob(@)", self.read())
        name = self.pick(NAMES[:4])
        how = self.pick((
            f"delete @.{name};", f"Object.defineProperty(@, '{name}', {{get() {{ return log(7) }}, configurable: true}});",
            f"Object.defineProperty(@, '{name}', {{value: 5}});", "Object.freeze(@);", "Object.setPrototypeOf(@, {a: 1, set b(v) { log(v) }});",
            "Object.setPrototypeOf(@, null);", "Object.preventExtensions(@);", "Object.setPrototypeOf(@, Array.prototype);",
            f"Object.defineProperty(Object.getPrototypeOf(@) === Object.prototype ? {{}} : {{}}, '{name}', {{value: 1}});", "mayhem(@);",
            f"(o => {{ const p = Object.getPrototypeOf(o); if (p && ![Object, Array, Map, ListMap, String, RegExp, LongRegExp, Function, Error, Symbol, Number].some(C => p === C.prototype) && !(p instanceof Error)) p.{name} = log(8) }})(@);",
            f"Object.prototype.{name} = 9; try {{ log(@.{name}) }} finally {{ delete Object.prototype.{name} }}",
            "Object.defineProperty(Object.prototype, 'x', {set(v) { log(v) }, configurable: true}); try { @.x = 1 } finally { delete Object.prototype.x }",
            "Array.prototype[1] = 'hole'; try { log([0, , 2][1]); log([...ar(@)].length) } finally { delete Array.prototype[1] }",
            "String.prototype.f = function () { return log('method') }; try { log('s'.f(@)) } finally { delete String.prototype.f }",
        ))  # fmt: skip
        return self.put(how, target)

    def destructure(self) -> Pair:
        first, second = self.known(), self.known()
        if first is None or second is None:
            return self.log()
        if self.chance(0.5):
            made = self.name()
            self.scopes[-1].append(made)
            return self.two(
                f"var [{made}, ...{made}r] = @;",
                f"var [{made}, ...{made}r] = walk(@);",
                self.put("ar(@)", self.expression()),
            )
        return self.put(f"({{a: {first}, b: {second} = @}} = ob(@));", self.expression(), self.expression())

    def instances(self) -> Pair:
        """Many objects of the same make, and what one of them is."""
        name = self.known()
        fields = [self.pick(NAMES[:-1]) for _ in range(self.random.randrange(1, 6))]
        sets = [self.two(f"o.{field} = @;", f'o[k("{field}")] = @;', self.leaf()) for field in fields]
        body = Pair(*(" ".join(part[way] for part in sets) for way in (0, 1)))
        proto = self.pick(("{}", "[]", "null", "{set a(v) { log('set') }}", f"ob({name})", "Object.freeze({x: 1})"))
        return self.put(
            f"log(many({self.pick(('3', '20'))}, i => {{ const o = Object.create({proto}); @ return o }}).at(-1));",
            body,
        )

    def switch(self) -> Pair:
        name = self.name()
        self.scopes.append([name])
        cases = [self.put("case @: @", self.leaf(), self.statement()) for _ in range(2)]
        declaration = self.put(f"case {self.pick(NUMBERS)}: let {name} = @;", self.expression())
        last = self.put(self.pick(("default: @", "default: @ break;")), self.statement())
        self.scopes.pop()
        parts = [*cases, declaration, last]
        if self.chance(0.5):
            self.random.shuffle(parts)
        inner = Pair(*("\n".join(part[way] for part in parts) for way in (0, 1)))
        return self.put("switch (@) {\n@\n}", self.expression(), inner)

    def closures(self) -> Pair:
        name, index, body = self.name(), self.name(), self.put("log(@)", self.expression(2))
        self.scopes[-1].append(name)
        return self.put(
            f"var {name} = []; for (let {index} = 0; {index} < 3; {index}++) {{ tick(); {name}.push(() => [{index}++, @]); }}\n"
            f"for (const f of {name}) log(f());", body,
        )  # fmt: skip

    def nested(self) -> Pair:
        return self.put("{\n@\n}", self.block())


def program(seed: int) -> Pair:
    """One program, as a statement that follows the prelude."""
    writer = Writer(seed)
    strict = "'use strict'; " if writer.chance(0.4) else ""
    return writer.put(f"run(() => {{ {strict}\n@\n}});", writer.body([]))


def scripts(seeds: Sequence[int]) -> Pair:
    """Several of them, as scripts for a realm of their own, after which `results` is what each one showed."""
    programs = [program(seed) for seed in seeds]
    return Pair(*("{\n" + PRELUDE + "\n".join(made[way] for made in programs) + "\nresults }" for way in (0, 1)))
