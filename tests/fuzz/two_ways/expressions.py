"""Random expressions; where the engine has a short way, the other spelling goes around it."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.two_ways.draft import FLAGS, JSONS, METHODS, NAMES, NUMBERS, PATTERNS, TEXTS, Draft, Pair


class Expressions(Draft):
    """Writes expressions."""

    def body(self, names: list[str], generator: bool = False) -> Pair:
        """A function's body."""
        raise NotImplementedError

    def read(self) -> Pair:
        name = self.known()
        return Pair(name, f"(() => {name})()") if name else self.plain(self.pick(NUMBERS))

    def leaf(self) -> Pair:
        choice = self.random.random()
        if choice < 0.55:
            return self.read()
        if choice < 0.75:
            return self.plain(f"({self.pick(NUMBERS)})")
        if choice < 0.9:
            return self.plain(self.pick(TEXTS))
        return self.plain(
            self.pick(("null", "undefined", "true", "1n", "symbols[0]", "keys[" + str(self.random.randrange(33)) + "]"))
        )

    def expression(self, depth: int = 0) -> Pair:
        if depth > 3 or self.chance(0.25):
            return self.leaf()
        make: Callable[[int], Pair] = self.random.choice((
            self.member, self.member, self.call, self.literal, self.literal, self.array, self.arithmetic, self.arithmetic,
            self.test, self.test, self.json, self.search, self.search, self.map, self.function, self.built, self.odd, self.spread,
            self.effect, self.texts,
        ))  # fmt: skip
        return make(depth + 1)

    def member(self, depth: int) -> Pair:
        name = self.pick(NAMES[:-1])
        base = self.expression(depth)
        if self.chance(0.2):
            return self.two(f"@?.{name}", f'@?.[k("{name}")]', base)
        return self.two(f"@.{name}", f'@[k("{name}")]', self.put("(@)", base))

    def call(self, depth: int) -> Pair:
        if self.chance(0.4):
            return self.put("fn(@)(@)", self.expression(depth), self.expression(depth))
        name, base, given = self.pick(METHODS), self.expression(depth), self.expression(depth)
        return self.two(f"(@).{name}(@)", f'(@)[k("{name}")](@)', base, given)

    def literal(self, depth: int) -> Pair:
        if self.chance(0.2):
            name = self.pick(NAMES[:4])
            body = self.pick(
                (f"log('get {name}'); return 3", "return this.x", "throw new EvalError()", "mayhem(); return 1")
            )
            return self.plain(f"({{get {name}() {{ {body} }}, set {name}(v) {{ log(v) }}, x: 1}})")
        keys = [self.pick(("a", "b", "c", "x", "length", "0", "1", "f")) for _ in range(self.random.randrange(5))]
        values = [self.expression(depth) for _ in keys]
        short = ", ".join(f"{key}: {value.short}" for key, value in zip(keys, values, strict=True))
        long = ", ".join(f'["{key}", {value.long}]' for key, value in zip(keys, values, strict=True))
        return Pair(f"({{{short}}})", f"literal([{long}])")

    def array(self, depth: int) -> Pair:
        parts = [self.expression(depth) for _ in range(self.random.randrange(4))]
        comma = self.pick((", ", ", ", ", , "))
        return Pair(*("[" + comma.join(part[way] for part in parts) + "]" for way in (0, 1)))

    def arithmetic(self, depth: int) -> Pair:
        if self.chance(0.15):
            return self.put(
                self.pick(("(-@)", "(~@)", "(+@)", "typeof @", "(!@)", "(-(-@))")),
                self.put("(@)", self.expression(depth)),
            )
        operator = self.pick(("+", "+", "-", "*", "/", "%", "|", "&", "^", "<<", ">>", ">>>", "**"))
        return self.put(f"((@) {operator} (@))", self.expression(depth), self.expression(depth))

    def condition(self, depth: int) -> Pair:
        operator = self.pick(("<", "<=", ">", ">=", "==", "!=", "===", "!=="))
        left, right = self.expression(depth), self.expression(depth)
        if operator == "===" and self.chance(0.7):
            return self.two("(@) === (@)", "same(@, @)", left, right)
        return self.two(f"(@) {operator} (@)", f"[(@) {operator} (@)][0]", left, right)

    def test(self, depth: int) -> Pair:
        if self.chance(0.3):
            return self.put("(@)", self.condition(depth))
        return self.put("(@ ? @ : @)", self.condition(depth), self.expression(depth), self.expression(depth))

    def json(self, depth: int) -> Pair:
        if self.chance(0.5):
            text = self.pick(JSONS)
            if self.chance(0.5):
                text = f'{{"a":{text},"b":[{self.pick(JSONS)},{self.pick(JSONS)}]}}'
            return self.two(
                "JSON.parse(@)", "JSON.parse(@, (key, v) => v)", self.plain("'" + text.replace("'", "\\'") + "'")
            )
        if self.chance(0.3):
            return self.two("JSON.stringify(@, null, 1)", "JSON.stringify(@, (key, v) => v, 1)", self.expression(depth))
        return self.two("JSON.stringify(@)", "JSON.stringify(@, (key, v) => v)", self.expression(depth))

    def pattern(self) -> Pair:
        source, flags = self.pick(PATTERNS), self.pick(FLAGS)
        if self.chance(0.3):
            source += self.pick(PATTERNS)
        return Pair(f"new RegExp('{source}', '{flags}')", f"new LongRegExp('{source}', '{flags}')")

    def search(self, depth: int) -> Pair:
        text, pattern = self.put("st(@)", self.expression(depth)), self.pattern()
        use = self.pick(("replace", "match", "split", "search", "exec", "all", "lastIndex", "flags"))
        if use == "replace":
            return self.put(
                "@.replace(@, @)", text, pattern, self.plain(self.pick(("'-'", "'[$&]'", "m => log(m)", "'$1'")))
            )
        if use == "exec":
            return self.put("@.exec(@)", pattern, text)
        if use == "all":
            return self.put("[...@.matchAll(@)].length", text, pattern)
        if use == "flags":
            return self.put("@.flags", pattern)
        if use == "lastIndex":
            name = self.name()
            at = self.pick(("1", "2", "30", "7000"))
            return self.put(
                f"(() => {{ const {name} = @; {name}.lastIndex = {at}; return [{name}.test(@), {name}.lastIndex] }})()",
                pattern, text,
            ) if self.in_generator[-1] is False else self.put("@.test(@)", pattern, text)  # fmt: skip
        return self.put(f"@.{use}(@)", text, pattern)

    def map(self, depth: int) -> Pair:
        name = self.name()
        lines = []
        for _ in range(self.random.randrange(1, 8)):
            key = self.plain(f"keys[{self.random.randrange(33)}]")
            if self.chance(0.3):
                key = self.plain(self.pick(NUMBERS))
            if self.chance(0.1):
                key = self.plain(self.pick(TEXTS))
            lines.append(self.put(
                self.pick((f"{name}.set(@, log({name}.size));", f"log({name}.get(@));", f"log({name}.has(@));", f"log({name}.delete(@));")),
                key,
            ))  # fmt: skip
        body = Pair(*(" ".join(line[way] for line in lines) for way in (0, 1)))
        if self.chance(0.3):
            count = self.pick(("40", "200"))
            body = self.put(f"for (let i = 0; i < {count}; i++) {name}.set(i % 50 * {self.pick(NUMBERS)}, i); @", body)
        return self.two(f"(() => {{ const {name} = new Map(); @ return {name} }})()",
                        f"(() => {{ const {name} = new ListMap(); @ return {name} }})()", body)  # fmt: skip

    def texts(self, depth: int) -> Pair:
        text = self.put("st(@)", self.expression(depth))
        name = self.pick(("indexOf", "includes", "lastIndexOf", "split", "startsWith", "at", "concat"))
        return self.two(f"@.{name}(@)", f'@[k("{name}")](@)', text, self.put("st(@)", self.expression(depth)))

    def function(self, depth: int) -> Pair:
        if self.budget < 4:
            return self.plain("(x => x)")
        kind = self.random.randrange(4)
        parameter = self.name()
        generator = kind == 3
        body = self.body([parameter], generator)
        default = self.put(" = @", self.expression(depth)) if self.chance(0.3) else self.plain("")
        head = (
            "({p}@) => {{ tick(); @ }}",
            "function ({p}@) {{ tick(); @ }}",
            "({{ f({p}@) {{ tick(); @ }} }}).f",
            "function* ({p}@) {{ tick(); @ }}",
        )[kind]
        made = self.put(head.format(p=parameter), default, body)
        if generator:
            return self.put(self.pick(("((f) => () => [...f(1)])(@)", "((f) => v => { const g = f(v); log(g.next()); log(g.next(5)); return g.return(6) })(@)",
                                       "((f) => v => { for (const x of f(v)) { log(x); if (typeof x === 'string') break } })(@)",
                                       "((f) => v => { const g = f(v); g.next(); return g.throw(new URIError()) })(@)")), made)  # fmt: skip
        return self.put("(@)", made)

    def built(self, depth: int) -> Pair:
        """What built-in functions make."""
        array, value = self.put("ar(@)", self.expression(depth)), self.expression(depth)
        how = self.pick((
            "@.map(x => log(x), @)", "@.filter((x, i) => i % 2 == 0, @)", "@.concat(@)", "@.slice(st(@).length % 3)", "@.flat(@)",
            "Array.from(@, x => x, @)", "@.splice(0, 1, @)", "(t => (t.push(@), t))(@)", "Object.entries(ob(@), @)", "Object.assign([], @, @)",
            "Array.of(...@, @)", "@.with(0, @)", "@.toSpliced(1, 0, @)", "Object.keys(@, @)", "@.indexOf(@)", "@.includes(@)",
            "(t => (t.length = 5, t[7] = @, t))(@)", "new Uint8Array(@, @)", "new Float64Array(@.map(Number), @)", "@.sort(() => 0, @)",
            "(t => (t.unshift(@), t))(@)", "(t => (Object.defineProperty(t, 'length', {writable: false}), t.concat(t, @)))(@)",
            "Object.groupBy(@, x => log(typeof x), @)", "Reflect.ownKeys(@, @)", "@.reduce((p, x) => typeof p, @)",
        ))  # fmt: skip
        return self.put(how, value, array) if how.startswith("(t") else self.put(how, array, value)

    def odd(self, depth: int) -> Pair:
        value = self.expression(depth)
        how = self.pick((
            "new Proxy(ob(@), {get(t, key, r) { if (typeof key === 'string') log('get ' + key); return Reflect.get(t, key, r) }})",
            "new Proxy(ob(@), {set(t, key, v, r) { log('set ' + st(key)); return Reflect.set(t, key, v, r) }, has() { return log(true) }})",
            "Object.create(ob(@))", "Object.create({set a(v) { log(v) }, get b() { return this.a }, c: @})", "Object.create(Object.freeze({a: @}))",
            "Object.create(new Proxy({}, {get(t, key) { return log(st(key)) }, set(t, key, v) { log(st(key)); return true }}), {b: {value: @}})",
            "Object.freeze(ob(@))", "Object.preventExtensions(ob(@))", "{ get a() { return @ } }.a", "[mayhem(), @].length",
            "Object.create([1, 2, @])", "Object.create(new String('abc'), {x: {value: @}})", "Object.create(new Uint8Array(2), {c: {value: @}})",
            "(function () { return arguments })(1, @)", "Object(@)", "Object.setPrototypeOf([1, @], {a: 4, length: 9})",
        ))  # fmt: skip
        return self.put("(" + how + ")", value)

    def effect(self, depth: int) -> Pair:
        """An object whose conversion assigns to a variable."""
        name = self.known()
        if name is None:
            return self.leaf()
        method = self.pick(("valueOf", "toString", "[Symbol.toPrimitive]"))
        value = self.put("@", self.leaf())
        then = self.pick(
            ("return 1", "return 'p'", "return {}", "throw new SyntaxError()", "mayhem(); return 2.5", f"return {name}")
        )
        return self.put(f"({{{method}() {{ tick(); {name} = @; {then} }}}})", value)

    def spread(self, depth: int) -> Pair:
        parts = self.expression(depth)
        if self.chance(0.5):
            return self.two("[...@]", "[...walk(@)]", parts)
        return self.two("Math.max(...@)", "Math.max(...walk(@))", self.put("ar(@)", parts))
