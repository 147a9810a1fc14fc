// Programs that go through `it(array)`: the array, or an object whose iterator is one of the array. `told` is what they see.
const told = [], proto = Object.getPrototypeOf([].values()), values = Array.prototype.values;
const isArray = Array.isArray;
const directly = (array) => (isArray(array) ? array : { __proto__: array, [Symbol.iterator]: values });
const byAnIterator = (array) => ({ [Symbol.iterator]: () => values.call(array) });

const PROGRAMS = {
  "a loop": (it) => {
    for (const x of it([1, 2, 3])) told.push(x)
  },
  "an empty one": (it) => {
    for (const x of it([])) told.push(x); const [a] = it([]); told.push(a)
  },
  "holes": (it) => {
    for (const x of it([1, , 3])) told.push(x)
  },
  "holes that a prototype fills": (it) => {
    Array.prototype[1] = 'p'; for (const x of it([1, , 3])) told.push(x)
  },
  "more room than elements": (it) => {
    const a = [1]; a.length = 3; for (const x of it(a)) told.push(x); told.push([...it(a)].length)
  },
  "an array that grows": (it) => {
    const a = [1]; for (const x of it(a)) { told.push(x); if (a.length < 5) a.push(x + 1) }
  },
  "an array that shrinks": (it) => {
    const a = [1, 2, 3, 4]; for (const x of it(a)) { told.push(x); a.pop() }
  },
  "an array that is emptied": (it) => {
    const a = [1, 2, 3]; for (const x of it(a)) { told.push(x); a.length = 0 }
  },
  "an array that becomes sparse": (it) => {
    const a = [1, 2]; for (const x of it(a)) { told.push(x); if (x === 1) { a[9] = 9 } }
  },
  "elements that are shifted": (it) => {
    const a = [1, 2, 3, 4]; for (const x of it(a)) { told.push(x); a.shift() }
  },
  "a getter": (it) => {
    const a = [1, 2, 3]; Object.defineProperty(a, 1, { get() { told.push('got'); return 'g' } }); for (const x of it(a)) told.push(x)
  },
  "a getter that throws": (it) => {
    const a = [1, 2, 3]; Object.defineProperty(a, 1, { get() { throw 'thrown' } }); for (const x of it(a)) told.push(x)
  },
  "break": (it) => {
    for (const x of it([1, 2, 3])) { told.push(x); if (x === 2) break }
  },
  "continue to an outer loop": (it) => {
    outer: for (const x of it([1, 2])) for (const y of it([3, 4])) { told.push(x, y); continue outer }
  },
  "return": (it) => {
    told.push((() => { for (const x of it([1, 2])) return x })())
  },
  "throw": (it) => {
    for (const x of it([1, 2])) { told.push(x); throw 'thrown' }
  },
  "finally": (it) => {
    try { for (const x of it([1, 2])) try { told.push(x); break } finally { told.push('f') } } finally { told.push('g') }
  },
  "a catch within": (it) => {
    for (const x of it([1, 2])) try { throw x } catch (e) { told.push(e) }
  },
  "patterns": (it) => {
    const [a, , b = 'd', ...rest] = it([1, 2, undefined, 4, 5]); told.push(a, b, ...rest)
  },
  "a pattern that is too long": (it) => {
    const [a, b, c, ...rest] = it([1]); told.push(a, b, c, rest.length)
  },
  "patterns in patterns": (it) => {
    const [[a], { b }, [c = 5]] = it([it([1]), { b: 2 }, it([])]); told.push(a, b, c)
  },
  "an assignment": (it) => {
    let a, o = {}; [a, o.x, o['y'], ...o.z] = it([1, 2, 3, 4]); told.push(a, o.x, o.y, o.z.length)
  },
  "a swap": (it) => {
    let a = 1, b = 2; [a, b] = it([b, a]); told.push(a, b)
  },
  "parameters": (it) => {
    (([a, b], ...[c, [d]]) => told.push(a, b, c, d))(it([1, 2]), 3, it([4]))
  },
  "a default that throws": (it) => {
    const [a, b = (() => { throw 'thrown' })()] = it([1]); told.push(a)
  },
  "a target that throws": (it) => {
    let a; [a, { set x(v) { throw 'thrown' } }.x] = it([1, 2])
  },
  "spreading": (it) => {
    told.push(...it([1, , 3])); told.push([0, ...it([1, 2]), ...it([3]), 4].length, Math.max(...it([1, 5])))
  },
  "spreading into itself": (it) => {
    const a = [1, 2]; a.push(...it(a)); told.push(a.length, [...it(a), ...it(a)].length)
  },
  "a patched next": (it) => {
    proto.next = function () { told.push('next'); return { done: true } }; for (const x of it([1])) told.push(x)
  },
  "a next that is patched meanwhile": (it) => {
    for (const x of it([1, 2])) { told.push(x); proto.next = () => ({ done: true }) }
  },
  "a patched return": (it) => {
    proto.return = function () { told.push('return', this.next().value); return {} }; for (const x of it([1, 2, 3])) { told.push(x); break }
  },
  "a return that is added meanwhile": (it) => {
    for (const x of it([1, 2, 3])) { told.push(x); proto.return = function () { told.push([...this].join()); return {} }; break }
  },
  "a return of Object.prototype": (it) => {
    Object.prototype.return = () => (told.push('r'), {}); const [a] = it([1, 2]); told.push(a)
  },
  "a return that is no function": (it) => {
    proto.return = 5; const [a] = it([1, 2])
  },
  "a return that gives no object": (it) => {
    proto.return = () => 5; const [a] = it([1, 2])
  },
  "a return that throws": (it) => {
    proto.return = () => { throw 'returned' }; for (const x of it([1, 2])) throw 'thrown'
  },
  "a return that throws at a break": (it) => {
    proto.return = () => { throw 'returned' }; for (const x of it([1, 2])) break
  },
  "a return that a throw asks for": (it) => {
    proto.return = () => (told.push('r'), {}); for (const x of it([1, 2])) throw 'thrown'
  },
  "a return that nobody asks for": (it) => {
    proto.return = () => (told.push('r'), {}); for (const x of it([1, 2])); const [a, b, c] = it([1]); told.push('end')
  },
  "a generator": (it) => {
    function* g() { for (const x of it([1, 2, 3])) yield x } told.push(...g())
  },
  "a generator that is left": (it) => {
    function* g() { try { for (const x of it([1, 2])) yield x } finally { told.push('f') } } for (const x of g()) { told.push(x); break }
  },
  "a generator that is left with a return": (it) => {
    proto.return = () => (told.push('r'), {}); function* g() { const [a, b] = it([1, yield 1, 2]) } const o = g(); o.next(); o.return(); function* h() { for (const x of it([1, 2])) yield x } const p = h(); p.next(); p.return()
  },
  "yield* of a value": (it) => {
    function* g() { told.push(yield* it([1, 2])) } told.push(...g())
  },
  "yield* that is left": (it) => {
    function* g() { yield* it([1, 2, 3]) } const o = g(); told.push(o.next().value, o.return(5).value, o.next().done)
  },
  "yield* that is thrown into": (it) => {
    function* g() { yield* it([1, 2, 3]) } const o = g(); o.next(); o.throw('thrown')
  },
  "yield* with results": (it) => {
    proto.next = ((next) => function () { told.push('n'); return next.call(this) })(proto.next); function* g() { yield* it([1, 2]) } told.push(...g())
  },
  "many": (it) => {
    let n = 0; for (const x of it(Array(5000).fill(1))) n += x; told.push(n)
  },
  "a class of arrays": (it) => {
    class A extends Array {} for (const x of it(A.of(1, 2))) told.push(x); told.push(...it(new A(3)))
  },
  "what is no array": (it) => {
    for (const x of it({ length: 2, 0: 'a', 1: 'b' })) told.push(x)
  },
  "a next that is a number": (it) => {
    const own = (next) => ({ [Symbol.iterator]: () => Object.assign([7, 8], { next, return: () => (told.push("r"), {}) }) });
    for (const next of it([0, 1, 1.5, 5n, null])) {
      try { for (const x of own(next)) told.push(x); } catch (error) { told.push(error.name); }
      try { const [x] = own(next); } catch (error) { told.push(error.name); }
      try { [...(function* () { yield* own(next); })()]; } catch (error) { told.push(error.name); }
    }
  },
  "fromEntries": (it) => {
    const o = Object.fromEntries(it([["a", 1], { 0: "b", 1: 2 }, ["a", 3], [Symbol.iterator], [1, 2, 3], new Map()]));
    told.push(Reflect.ownKeys(o).map(String), ...Object.values(o));
  },
  "fromEntries of what changes": (it) => {
    const entries = [["a", 1], [{ toString() { entries.length = 3; entries[2] = ["z", 9]; return "b"; } }, 2], 3, 4];
    told.push(JSON.stringify(Object.fromEntries(it(entries))));
    const pair = [1, 2];
    Object.defineProperty(pair, 0, { get() { told.push("got"); return "k"; } });
    told.push(JSON.stringify(Object.fromEntries(it([pair, , ["x", 1]]))));
  },
  "fromEntries that fails": (it) => {
    proto.return = function () { told.push("return", [...this].length); return {}; };
    for (const wrong of [1, null, "ab", { get 0() { throw "thrown"; } }, [{ toString() { throw "no text"; } }, 1]]) {
      try { Object.fromEntries(it([["a", 1], wrong, ["b", 2]])); } catch (error) { told.push(String(error)); }
    }
  },
  "frozen": (it) => {
    for (const x of it(Object.freeze([1, 2]))) told.push(x); told.push(...it(Object.freeze([3])))
  },
  "values that go": (it) => {
    const a = [{ x: 1 }, { x: 2 }]; for (const o of it(a)) { a.length = 0; told.push(o.x) }
  },
  "closures": (it) => {
    const f = []; for (const x of it([1, 2])) f.push(() => x); told.push(f.map((g) => g()).join())
  },
  "entries": (it) => {
    for (const [k, v] of it([it([1, 2]), it([3, 4])])) told.push(k + v)
  },
  "labels and nesting": (it) => {
    a: for (const x of it([1, 2])) { for (const y of it([1, 2])) { if (y === 2) break a; told.push(x, y) } }
  },
};

// What a program has seen, as text, whatever it has done to arrays.
globalThis.seen = (name, isDirect) => {
  try {
    PROGRAMS[name](isDirect ? directly : byAnIterator);
  } catch (error) {
    told[told.length] = "caught " + error;
  }
  let text = "";
  for (let i = 0; i < told.length; i++) text += String(told[i]) + "|";
  return text;
};
0;
