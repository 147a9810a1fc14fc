"""Rules for expressions. What is of a kind most of the time may be anything: a program may assign what it likes.

The variables `n0`, `s0`, `a0`, ... are declared by every program; see `programs.PRELUDE`.
"""

from __future__ import annotations

from typing import Final

from tests.soak.grammar import words

RULES: Final[dict[str, list[str]]] = {
    "value": [
        *words(
            "@number @string @boolean @array @object @function @collection @bigint @symbol @regexp @date "
            "@promise @iterator @buffer @error @weak @web @outside @outside @proxy @class_value @variable @variable @member "
            "@conversion @evaluated @reflection @host null undefined @attempt"
        ),
        "(@value, @value)",
        "(@boolean ? @value : @value)",
        "(@value ?? @value)",
        "(@value || @value)",
        "(@variable = @value)",
    ],
    "attempt": [
        "(() => { try { return @value } catch (e) { return e } })()",
        "(() => { try { @statement return @value } catch { return @number } finally { @statement } })()",
        "(() => { label: { try { return @value } finally { break label } } return @number })()",
    ],
    "variable": words("n0 n1 s0 s1 a0 a1 o0 o1 f0 f1 b0 p0 i0 v0 v1 v2"),
    "name": words("n0 s0 a0 o0 f0 b0 p0 i0 v0 v1 v2 x y z"),
    "key": [
        *words(
            "x y z length constructor then toString valueOf toJSON next return name message stack cause size "
            "get set __proto__ prototype has 0 1 -1 99 4294967295 \\u4e00 \\ud800"
        ),
        "a b",
        "",
    ],
    "index": words("@small @number '@key' @known_symbol @string"),
    "known_symbol": words(
        "Symbol.iterator Symbol.asyncIterator Symbol.species Symbol.toPrimitive Symbol.hasInstance "
        "Symbol.toStringTag Symbol.match Symbol.replace Symbol.split Symbol.unscopables "
        "Symbol.isConcatSpreadable"
    ),
    "number": [
        *words(
            "@digits @digits @small n0 n1 (-@number) (n1++) Number.parseFloat(@string) @array.length "
            "@string.charCodeAt(@small) @array.indexOf(@value) Number(@value) performance.now() Math.random()"
        ),
        "(@number @arithmetic @number)",
        "(@value @arithmetic @value)",
        "(n0 += @number)",
        "Math.@math(@number, @number)",
        "parseInt(@string, @small)",
        "Atomics.add(new Int32Array(@small + 1), 0, @digits)",
    ],
    "arithmetic": words("+ - * / % ** & | ^ << >> >>>"),
    "math": words("max min hypot pow atan2 imul fround clz32 trunc sign cbrt expm1"),
    "comparison": words("< > <= >= == != === !== in instanceof"),
    "boolean": [
        *words("true false !@value @regexp.test(@string) Array.isArray(@value) @array.includes(@value)"),
        "(@number < @number)",
        "(@value @comparison @value)",
        "Object.is(@value, @value)",
        "Reflect.has(Object(@value), '@key')",
        "(delete @object['@key'])",
    ],
    "string": [
        *words(
            "@quoted @quoted s0 s1 `${@value}` `@text${@number}@text${@string}` String(@value) "
            "@string.repeat(@small) @string.normalize(@form) @string.toUpperCase() @string.at(@small) "
            "String.raw`@text${@value}` JSON.stringify(@value) encodeURIComponent(@string) decodeURI(@string) "
            "escape(@string) @number.toString(@small) @bigint.toString() Object.prototype.toString.call(@value) "
            "@array.join(@string) @error.stack @function.toString() Symbol(@string).description "
            "@date.toLocaleString()"
        ),
        "(@string + @string)",
        "(s0 += @string)",
        "@string.slice(@small, @number)",
        "@string.replace(@regexp, @replacement)",
        "@string.replaceAll(@quoted, @replacement)",
        "@string.padStart(@small, @string)",
        "@string.split(@separator).reverse().join(@string)",
        "String.fromCodePoint(@digits & 0xfffff)",
        "JSON.stringify(@value, @function, @small)",
        "(typeof @value)",
    ],
    "replacement": [
        *words("@quoted '$&$1$<n>$`' @function"),
        "(m => m + @quoted)",
    ],
    "separator": words("'' @quoted @regexp /(?:)/u"),
    "form": words("'NFC' 'NFD' 'NFKC' 'NFKD' @string"),
    "regexp": [
        *words(
            "/a+b?/g /(?<n>[a-z])\\1*/giu /^.*$/ms /[^\\p{L}]/u /(?<=a)b(?!c)/y /\\d{2,5}|x/d /(?:)/v /(a+)+$/ "
            "/(?:a|aa)+b/ /[\\p{Lu}--[A-Z]]/v /((((a)|b)*)|c)*d/"
        ),
        "new RegExp(@string, @flags)",
        "new RegExp(RegExp.escape?.(@string) ?? 'a')",
        "Object.assign(@regexp, {lastIndex: @number})",
    ],
    "flags": words("'g' 'giu' 'y' 'v' 'ss' 'dgimsuy' @string"),
    "array": [
        *words(
            "[] a0 a1 Array.from(@iterable) Array(@small).fill(@value) @array.@mapping(@function) "
            "@array.slice(@small) @array.@copying() @array.flat(@small) @array.sort(@comparer) "
            "@array.toSorted(@comparer) Object.@listing(@value) Reflect.ownKeys(Object(@value)) "
            "@string.split(@separator) [...@string.matchAll(@regexp)]"
        ),
        "[1, 2, 3]",
        "[@value, @value]",
        "[, @value, , ]",
        "[...@iterable, @value]",
        "Array.from({length: @small}, @function)",
        "@array.concat(@value, @array)",
        "@array.splice(@small, @small, @value)",
        "@array.with(@small, @value)",
        "@array.copyWithin(@small, @small)",
        "(@regexp.exec(@string) ?? [])",
        'JSON.parse(\'[1, [2, {"x": [null]}], "@text"]\', @function)',
    ],
    "comparer": [
        *words("undefined @function"),
        "((a, b) => a - b)",
        "(() => @number)",
        "(() => { a0.length = 0; return 1 })",
    ],
    "mapping": words("map filter flatMap forEach some every find findLast reduce reduceRight"),
    "copying": words("reverse toReversed keys entries values pop shift slice"),
    "listing": words("keys values entries getOwnPropertyNames getOwnPropertySymbols"),
    "object": [
        *words(
            "{} o0 o1 ({@member_of_object}) Object.create(@prototype) Object.@sealing(@object) "
            "Object.fromEntries(@iterable) globalThis"
        ),
        "({x: @value, y: @value})",
        "({@member_of_object, @member_of_object})",
        "({...@value, ['@key']: @value})",
        "Object.create(@prototype, {x: @descriptor})",
        "Object.assign(@object, @value)",
        "Object.defineProperty(@object, '@key', @descriptor)",
        "Object.setPrototypeOf(@object, @prototype)",
        "Object.groupBy(@iterable, @function)",
        "new @class",
        "@array.reduce((o, x) => (o[x] = @value, o), {})",
        "(class { static x = @value; static { @statement } })",
    ],
    "prototype": words("null @object Array.prototype @function @proxy"),
    "sealing": words("freeze seal preventExtensions"),
    "descriptor": [
        "{value: @value, writable: @boolean, configurable: @boolean}",
        "{get() { @statement return @value }, enumerable: true, configurable: true}",
        "{set(x) { v0 = x; @statement }, configurable: @boolean}",
        "@value",
    ],
    "member_of_object": [
        "x: @value",
        "'@key': @value",
        "[@index]: @value",
        "get '@key'() { return @value }",
        "get x() { @statement return @value }",
        "set x(v) { @statement }",
        "toString() { return @value }",
        "valueOf() { @statement return @value }",
        "toJSON(k) { return @value }",
        "[Symbol.toPrimitive](hint) { return @value }",
        "then(resolve, reject) { @settling }",
        "*[Symbol.iterator]() { @steps }",
        "async *[Symbol.asyncIterator]() { @steps }",
        "async x() { @statement return @value }",
        "__proto__: @value",
        "...@value",
        "y() { return super.toString?.() }",
    ],
    "settling": [
        *words("resolve(@value) reject(@value) resolve(this)"),
        "setTimeout(resolve, @small)",
        "throw @value",
        "",
    ],
    "steps": [
        "yield @value;",
        "yield @value; yield* @iterable;",
        "for (let i = 0; i < @small; i++) yield i;",
        "try { yield @value; @statement } finally { @statement }",
        "const x = yield; yield x; return @value;",
        "throw @value;",
    ],
    "class": words("Base() Derived(@value) (@class_value)(@value) Date(@number) Map(@iterable) (Object)(@value)"),
    "class_value": [
        "class { #x = @value; get x() { return this.#x } set x(v) { this.#x = v } static of(...a) { return new this(...a) } }",
        "class extends Array { static get [Symbol.species]() { @statement return @constructor } }",
        "class extends Promise { static get [Symbol.species]() { return @constructor } }",
        "class extends @constructor { constructor() { super(@value); @statement } }",
        "class extends null { constructor() { return @value } }",
        "class { static async *x() { @steps } static #y() {} static z() { return #y in this } }",
        "class extends Uint8Array { get length() { return @number } }",
        "class { accessor = @value; ['@key'] = @value; static [Symbol.hasInstance](x) { return @boolean } }",
    ],
    "constructor": words(
        "Array Object Function Error Map Set Uint8Array Promise RegExp String Date URL ArrayBuffer DataView "
        "Proxy Number BigInt Symbol WeakMap Base Derived f0 Iterator"
    ),
    "function": [
        *words("f0 f1 @object.constructor @constructor Function.prototype.call.bind(@function) @host_function"),
        "(() => @value)",
        "(x => x)",
        "((x, y) => [x, y])",
        "(({x, ...y}) => y)",
        "(([x, ...y]) => @value)",
        "function (x = @value, ...rest) { @statement return this }",
        "(function self(n) { return n > 0 ? self(n - 1) : @value })",
        "async (x) => { @statement return await @value }",
        "((...x) => { @statement return @value })",
        "@function.bind(@value, @value)",
        "new Function('x', @quoted)",
        "new Function('x', 'return @literal')",
        "function* () { @steps }",
        "async function* () { @steps }",
        "new Proxy(@function, @handler)",
    ],
    "literal": [
        *words("1 ({x}) x?.y this arguments new.target @digits"),
        "x + 1",
        "[x, x]",
    ],
    "bigint": [
        *words("0n 1n -1n 123456789012345678901234567890n BigInt(@small) BigInt(@value)"),
        "(2n ** 64n)",
        "(@bigint @arithmetic @bigint)",
        "BigInt.asUintN(@small, @bigint)",
    ],
    "symbol": words("Symbol() Symbol(@string) Symbol.for(@quoted) @known_symbol"),
    "date": [
        "new Date(0)",
        "new Date(@number)",
        "new Date(NaN)",
        "new Date(@string)",
        "new Date(2020, @small, @small)",
    ],
    "collection": [
        "new Map([[@value, @value], [@value, @value]])",
        "new Set(@iterable)",
        "new Set([@value, @value]).@set_operation(new Set(@iterable))",
        "new Map(@iterable)",
        "new Map([[@value, @value]]).set(@value, @value)",
        "Map.groupBy(@iterable, @function)",
        "(m => { m.set(m, m); return m })(new Map())",
        "(s => { for (const x of s) { if (s.size > @small) break; s.delete(x); s.add(@value) } return s })(new Set(@iterable))",
    ],
    "set_operation": words("union intersection difference symmetricDifference isSubsetOf"),
    "weak": [
        "new WeakMap([[@object, @value]])",
        "new WeakSet([@object])",
        "new WeakRef(@object)",
        "new WeakRef(@object).deref()",
        "(r => (r.register(@object, @value), r))(new FinalizationRegistry(@function))",
    ],
    "promise": [
        *words(
            "p0 Promise.resolve(@value) Promise.reject(@value) @promise.finally(@function) "
            "Promise.withResolvers().promise Promise.try?.(@function) Array.fromAsync(@iterable) @host_promise"
        ),
        "new Promise(() => {})",
        "new Promise((resolve, reject) => { @settling })",
        "(async () => { @statement return @value })()",
        "(async () => { for await (const x of @iterable) v0 = x; return v0 })()",
        "@promise.then(@function, @function)",
        "@promise.catch(() => @value)",
        "Promise.@combining([@promise, @value, @promise])",
        "new Promise(r => setTimeout(r, @small, @value))",
        "import('@module').catch(e => e)",
    ],
    "combining": words("all allSettled any race"),
    "module": words("a b c ./d.js missing broken slow a?x=@small"),
    "iterable": [
        *words("@array @iterator @string @collection i0 @value"),
        "({*[Symbol.iterator]() { @steps }})",
        "({[Symbol.iterator]: () => ({next: () => ({done: @boolean, value: @value}), return() { @statement return {} }})})",
    ],
    "iterator": [
        *words(
            "i0 @array.values() @array.entries() @collection.keys?.() @string[Symbol.iterator]() "
            "@string.matchAll(/./g) Iterator.from(@iterable) @iterator.map(@function) @iterator.drop(@small) "
            "@host_iterator"
        ),
        "(function* () { @steps })()",
        "(async function* () { @steps })()",
        "@iterator.filter(@function).take(@small)",
        "@iterator.flatMap(() => @array)",
        "({next() { return {value: @value, done: @boolean} }, __proto__: Iterator.prototype})",
    ],
    "buffer": [
        *words(
            "b0 @buffer.subarray?.(@small) @buffer.slice?.(@small) @buffer.map?.(@function) "
            "@buffer.sort?.(@comparer) Uint8Array.fromBase64?.('AAEC')"
        ),
        "new ArrayBuffer(@small)",
        "new @typed(@small)",
        "new @typed(@array)",
        "new @typed([1, 2, 3])",
        "new ArrayBuffer(@small, {maxByteLength: @small * 8})",
        "new @typed(new ArrayBuffer(16, {maxByteLength: 64}), 0)",
        "new DataView(new ArrayBuffer(16), @small & 7)",
        "new @typed(@buffer)",
        "(b => { b.resize?.(@small); return b })(new ArrayBuffer(8, {maxByteLength: 32}))",
        "(b => { const v = new Uint8Array(b); b.transfer?.(@small); return v })(new ArrayBuffer(16))",
        "structuredClone(@buffer, {transfer: [@buffer]})",
        "new TextEncoder().encode(@string)",
        "@buffer.fill?.({valueOf() { b0.buffer?.resize?.(0); return @number }})",
        "new SharedArrayBuffer(@small)",
    ],
    "typed": words(
        "Uint8Array Int8Array Uint8ClampedArray Uint16Array Int32Array Float32Array Float64Array "
        "BigInt64Array BigUint64Array Float16Array"
    ),
    "error": [
        "new @error_class(@string)",
        "new @error_class(@value, {cause: @value})",
        "new AggregateError(@iterable, @string)",
        "new DOMException(@string, 'DataCloneError')",
        "Object.assign(new Error(@string), {name: @value, x: @value})",
        "(() => { try { null.x } catch (e) { return e } })()",
        "(() => { try { @statement return new Error() } catch (e) { return e } })()",
        "(class extends Error { get message() { return @value } get stack() { @statement return @value } }).of?.()",
    ],
    "error_class": words("Error TypeError RangeError SyntaxError EvalError URIError ReferenceError"),
    "proxy": [
        "new Proxy(@object, @handler)",
        "new Proxy(@array, @handler)",
        "new Proxy(@proxy, {})",
        "Proxy.revocable(@object, @handler).proxy",
        "(({proxy, revoke}) => (revoke(), proxy))(Proxy.revocable(@object, {}))",
    ],
    "handler": [
        *words("{} {@trap}"),
        "{@trap, @trap}",
        "new Proxy({}, {get: (t, k) => (@statement_in_arrow, undefined)})",
    ],
    "statement_in_arrow": [
        *words("n0++ @value"),
        "v0 = k",
    ],
    "trap": [
        "get(t, k, r) { return Reflect.get(t, k, r) }",
        "get(t, k) { return @value }",
        "get(t, k, r) { @statement return t[k] }",
        "set(t, k, v) { @statement return @boolean }",
        "has() { return @boolean }",
        "ownKeys() { return @array }",
        "ownKeys(t) { @statement return Reflect.ownKeys(t) }",
        "getOwnPropertyDescriptor(t, k) { return @descriptor }",
        "getPrototypeOf() { return @prototype }",
        "defineProperty() { return @boolean }",
        "deleteProperty() { throw @value }",
        "apply(t, self, args) { @statement return @value }",
        "construct() { return @value }",
        "isExtensible() { return @boolean }",
    ],
    "member": [
        *words(
            "@value.@property @value?.[@index] @value?.@property?.(@value) Object(@value)[@index] "
            "@array.at(@small) @function(@value) @function?.(...@iterable)"
        ),
        "@function.call(@value, @value)",
        "@function.apply(@value, @array)",
        "new (@function)(@value)",
    ],
    "property": words("x y length constructor then name size prototype __proto__ message buffer"),
    "conversion": [
        *words("+@value -@value ~@value !@value `${@value}` Object(@value)"),
        "void @value",
        "typeof @value",
        "[] + @value",
        "@value + @value",
        "@value == @value",
    ],
    "evaluated": [
        *words("eval(@quoted) eval('@literal') JSON.parse(@string)"),
        "(0, eval)('var v@small = @digits')",
        "eval('(() => { @simple })()')",
        "new Function('@simple')()",
        "Function('return this')()",
    ],
    "reflection": [
        *words(
            "Object.getPrototypeOf(@value) @object.__lookupGetter__?.('x') "
            "@object.propertyIsEnumerable?.('@key') @object.hasOwnProperty?.('@key')"
        ),
        "Reflect.apply(@function, @value, @array)",
        "Reflect.construct(@constructor, @array, @constructor)",
        "Reflect.get(Object(@value), '@key', @value)",
        "Reflect.set(Object(@value), '@key', @value)",
        "Object.getOwnPropertyDescriptors(Object(@value))",
    ],
}
