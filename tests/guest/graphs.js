// Random values of every kind, and a comparison with what came back after a trip through Python.
//
// make(seed) always makes the same value. difference(value) compares `original` with it and says where they first
// differ: same-value for primitives, prototypes, property order, and which objects are one and the same.

var original;

function make(seed) {
    let state = seed * 2654435761 >>> 0;
    const below = limit => {
        state ^= state << 13, state ^= state >>> 17, state ^= state << 5, state >>>= 0;
        return state % limit;
    };
    for (let i = 0; i < 8; i++)
        below(2), state = state + 0x9e3779b9 >>> 0;
    const pick = list => list[below(list.length)];
    const times = (most, one) => Array.from({length: below(most + 1)}, one);
    const met = [];
    const keep = object => (met.push(object), object);

    const leaves = [
        () => undefined, () => null, () => true, () => false, () => -0, () => NaN, () => -Infinity,
        () => below(300) - 150, () => (below(2) ? 1 : -1) * below(2 ** 31) * 2 ** below(30), () => below(1000) / 7,
        () => 5e-324 * below(9), () => BigInt(below(300) - 150), () => (-1n) ** BigInt(below(2)) << BigInt(below(3000)),
        () => "", () => "ascii" + below(9), () => "\xe9\xff", () => "\u5b57\u{1f600}", () => "\ud83d", () => "a\udc00b",
        () => "x".repeat(below(400)) + below(9), () => "\0", () => "__proto__",
        () => new Date(below(2 ** 31) * (below(3) - 1) * 100), () => pick([/a+/g, /(?:)/, /\//u, /[/]\n/dy]),
        () => Uint8Array.from(times(9, () => below(256))), () => new ArrayBuffer(below(4)),
        () => new DataView(new ArrayBuffer(4), below(3), below(2)), () => new Uint8Array(8).subarray(below(4), 6),
    ];
    const views = [Int8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
    const keys = ["a", "b", "10", "9", "4294967294", "4294967295", "-1", "01", "", "__proto__", "constructor", "toString",
                  "\u5b57", "\ud800", "length", "then", "toJSON", "x y"];
    const errors = [Error, RangeError, TypeError, SyntaxError, EvalError, URIError, ReferenceError];
    const fill = (object, depth) => {
        for (const key of times(5, () => pick(keys)))
            Object.defineProperty(object, key, {value: any(depth), writable: true, enumerable: true, configurable: true});
        return object;
    };
    const branches = [
        depth => { const list = keep([]); list.push(...times(5, () => any(depth))); return list },
        depth => fill(keep({}), depth),
        depth => { const map = keep(new Map()); times(4, () => map.set(any(depth), any(depth))); return map },
        depth => { const set = keep(new Set()); times(4, () => set.add(any(depth))); return set },
        depth => { const list = keep([1, , any(depth), ,]); list[below(9)] = any(depth); return list },
        depth => { const list = keep([]); list[4096 + below(9)] = any(depth); return list },
        depth => keep(new (pick(views))(times(5, () => below(100)))),
        () => keep(new BigInt64Array([BigInt(below(99)), -1n])),
        () => keep(new Float16Array([0.5, below(9)])), () => keep(new Uint8ClampedArray([below(300)])),
        depth => {
            const error = keep(new (pick(errors))("m" + below(9), below(2) ? {cause: any(depth)} : undefined));
            if (below(2))
                error.code = any(depth);
            return error;
        },
        depth => keep(new AggregateError(times(3, () => any(depth)), "all")),
        () => keep(new DOMException("m" + below(9), "AbortError")),
        () => keep(pick([x => x, function named() {}, class A {}, async () => 1, function* () {}])),
        depth => { const base = keep({}); return fill(base, depth), base },
        depth => { class Own { own = any(depth); #hidden = 1; get inherited() { return 1 } } return keep(new Own()) },
        depth => { const inner = any(depth); return keep({get computed() { return inner }}) },
        depth => fill(keep(Object.create(null)), depth),
        () => met.length ? pick(met) : 0, () => met.length ? pick(met) : 0, () => met.length ? pick(met) : 0,
    ];
    const any = depth => depth > 0 && below(10) < 7 ? pick(branches)(depth - 1) : pick(leaves)();
    return keep(Array.from({length: 1 + below(8)}, () => any(below(6))));
}

// What a value is on the other side; what has no identity in Python is copied each time it goes back.
const arrival = new Map([
    [ArrayBuffer.prototype, Uint8Array.prototype], [DataView.prototype, Uint8Array.prototype],
    [Uint8ClampedArray.prototype, Uint8Array.prototype], [Float16Array.prototype, Float32Array.prototype],
]);
const copied = [Date, RegExp, Uint8Array, ArrayBuffer];

function prototypeOnArrival(value) {
    for (let at = Object.getPrototypeOf(value); at; at = Object.getPrototypeOf(at)) {
        if (typeof value === "function")
            return at;
        if (at !== Object.prototype && Object.hasOwn(at, "constructor") && globalThis[at.constructor.name] === at.constructor)
            return arrival.get(at) ?? at;
    }
    return Object.prototype;
}

function bytesOf(value) {
    if (value instanceof ArrayBuffer)
        return new Uint8Array(value);
    return value instanceof DataView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value;
}

function difference(value) {
    const there = new Map(), back = new Map();
    const waiting = [[original, value, "$"]];
    while (waiting.length) {
        const [left, right, path] = waiting.shift();
        const where = differs(left, right, path);
        if (where !== undefined)
            return where;
    }
    return null;

    function differs(left, right, path) {
        if (Object(left) !== left)
            return Object.is(left, right) ? undefined : path;
        if (Object(right) !== right)
            return path;
        if (there.has(left) || back.has(right)) {
            if (copied.some(kind => left instanceof kind) || left instanceof DataView)
                return undefined;
            return there.get(left) === right && back.get(right) === left ? undefined : path;
        }
        there.set(left, right), back.set(right, left);
        if (typeof left === "function")
            return left === right ? undefined : path;
        if (Object.getPrototypeOf(right) !== prototypeOnArrival(left))
            return path;
        if (left instanceof Date)
            return left.getTime() === right.getTime() ? undefined : path;
        if (left instanceof RegExp)
            return String(left) === String(right) ? undefined : path;
        if (left instanceof ArrayBuffer || ArrayBuffer.isView(left)) {
            const [sent, arrived] = [[...bytesOf(left)], [...right]];
            return sent.length === arrived.length && sent.every((item, i) => Object.is(item, arrived[i])) ? undefined : path;
        }
        if (left instanceof Map)
            return members([...left.keys()], [...right.keys()], i => `${path}<key ${i}>`, path) ??
                   members([...left.values()], [...right.values()], i => `${path}<value ${i}>`, path);
        if (left instanceof Set)
            return members([...left], [...right], i => `${path}<${i}>`, path);
        if (Array.isArray(left))
            return members(Array.from(left), Array.from(right), i => `${path}[${i}]`, path);
        if (left instanceof Error || left instanceof DOMException) {
            for (const name of ["name", "message", "stack"])
                if (left[name] !== right[name])
                    return `${path}.${name}`;
        }
        const names = own(left);
        if (JSON.stringify(names) !== JSON.stringify(own(right)))
            return path;
        return members(names.map(name => left[name]), names.map(name => right[name]), i => `${path}.${names[i]}`, path);
    }

    function own(object) {
        const hidden = ["cause", "errors"].filter(name => Object.hasOwn(object, name) && object instanceof Error);
        return [...Object.keys(object).filter(name => !hidden.includes(name)), ...hidden];
    }

    function members(left, right, at, path) {
        if (left.length !== right.length)
            return path;
        left.forEach((item, i) => waiting.push([item, right[i], at(i)]));
        return undefined;
    }
}
