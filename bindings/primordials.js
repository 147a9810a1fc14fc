/**
 * Intrinsics, captured before any user code runs.
 *
 * User code may replace every method and every global. The other modules of this folder therefore take what they call
 * from here, and look nothing up on an object that user code can reach. `XPrototypeY(self, ...)` is the method or
 * getter `Y` of `X.prototype` with `this` as its first argument.
 *
 * Some syntax looks things up too, and is not used at run time: `for`-`of`, array destructuring and array spread call
 * the iterators of `Array.prototype`, and this engine's template literals call `String.prototype.concat`.
 */

export const global = globalThis;
export const {
  ArrayBuffer, BigInt, Boolean, DataView, Date, decodeURIComponent, DOMException, encodeURI, Error, FinalizationRegistry,
  Function, Map, Number, Object,
  parseFloat, parseInt, Promise, RangeError, RegExp, Set, String, Symbol, TypeError, Uint8Array, WeakMap, WeakRef, WeakSet,
} = global;

const { getOwnPropertyDescriptor: descriptor, getPrototypeOf } = Object;
const { bind, call } = Function.prototype;

/** @type {<F extends Function>(method: F) => (self: any, ...args: any[]) => any} */
const uncurryThis = bind.bind(call);
/** @param {object} prototype @param {PropertyKey} key */
const uncurryGetter = (prototype, key) => uncurryThis(descriptor(prototype, key).get);

export const {
  apply: ReflectApply, construct: ReflectConstruct, deleteProperty: ReflectDeleteProperty, ownKeys: ReflectOwnKeys,
} = Reflect;
export const {
  create: ObjectCreate,
  defineProperty: ObjectDefineProperty,
  freeze: ObjectFreeze,
  getOwnPropertyDescriptor: ObjectGetOwnPropertyDescriptor,
  getPrototypeOf: ObjectGetPrototypeOf,
  hasOwn: ObjectHasOwn,
  is: ObjectIs,
  keys: ObjectKeys,
  preventExtensions: ObjectPreventExtensions,
  setPrototypeOf: ObjectSetPrototypeOf,
} = Object;
export const ObjectPrototype = Object.prototype;

export const { isArray: ArrayIsArray } = Array;
export const ArrayPrototype = Array.prototype;
export const ArrayPrototypeJoin = uncurryThis(Array.prototype.join);
export const ArrayPrototypeSort = uncurryThis(Array.prototype.sort);

export const { isNaN: NumberIsNaN, isFinite: NumberIsFinite } = Number;
export const NumberPrototypeValueOf = uncurryThis(Number.prototype.valueOf);
export const NumberPrototypeToString = uncurryThis(Number.prototype.toString);
export const NumberPrototypeToFixed = uncurryThis(Number.prototype.toFixed);
export const { parse: JSONParse, stringify: JSONStringify } = JSON;
export const {
  abs: MathAbs, floor: MathFloor, max: MathMax, min: MathMin, random: MathRandom, round: MathRound, sqrt: MathSqrt, trunc: MathTrunc,
} = Math;
export const BooleanPrototypeValueOf = uncurryThis(Boolean.prototype.valueOf);
export const BigIntPrototypeToString = uncurryThis(BigInt.prototype.toString);
export const BigIntPrototypeValueOf = uncurryThis(BigInt.prototype.valueOf);
export const SymbolPrototypeGetDescription = uncurryGetter(Symbol.prototype, "description");
export const SymbolPrototypeToString = uncurryThis(Symbol.prototype.toString);
export const SymbolPrototypeValueOf = uncurryThis(Symbol.prototype.valueOf);
export const {
  asyncIterator: SymbolAsyncIterator, iterator: SymbolIterator, toPrimitive: SymbolToPrimitive,
  toStringTag: SymbolToStringTag,
} = Symbol;

export const StringPrototypeCharCodeAt = uncurryThis(String.prototype.charCodeAt);
export const StringPrototypeCodePointAt = uncurryThis(String.prototype.codePointAt);
export const StringPrototypeIncludes = uncurryThis(String.prototype.includes);
export const StringPrototypeIndexOf = uncurryThis(String.prototype.indexOf);
export const StringPrototypeLastIndexOf = uncurryThis(String.prototype.lastIndexOf);
export const StringPrototypeRepeat = uncurryThis(String.prototype.repeat);
export const StringPrototypeSlice = uncurryThis(String.prototype.slice);
export const StringPrototypeStartsWith = uncurryThis(String.prototype.startsWith);
export const StringPrototypeEndsWith = uncurryThis(String.prototype.endsWith);
export const StringPrototypeToLowerCase = uncurryThis(String.prototype.toLowerCase);
export const StringPrototypeToUpperCase = uncurryThis(String.prototype.toUpperCase);
export const StringPrototypeNormalize = uncurryThis(String.prototype.normalize);
export const StringPrototypeToWellFormed = uncurryThis(String.prototype.toWellFormed);
export const StringPrototypeTrim = uncurryThis(String.prototype.trim);
export const StringPrototypeValueOf = uncurryThis(String.prototype.valueOf);

export const RegExpPrototypeExec = uncurryThis(RegExp.prototype.exec);
export const RegExpPrototypeGetSource = uncurryGetter(RegExp.prototype, "source");
/** Letter and getter of each flag, in the order of `RegExp.prototype.flags`, which itself would call user code. */
export const RegExpFlags = Object.freeze([
  ["d", "hasIndices"], ["g", "global"], ["i", "ignoreCase"], ["m", "multiline"], ["s", "dotAll"], ["u", "unicode"],
  ["v", "unicodeSets"], ["y", "sticky"],
].map(([letter, key]) => Object.freeze({ __proto__: null, letter, get: uncurryGetter(RegExp.prototype, key) })));

export const { now: DateNow } = Date;
export const DatePrototypeGetTime = uncurryThis(Date.prototype.getTime);
export const DatePrototypeToISOString = uncurryThis(Date.prototype.toISOString);
export const MapPrototypeGet = uncurryThis(Map.prototype.get);
export const MapPrototypeSet = uncurryThis(Map.prototype.set);
export const MapPrototypeHas = uncurryThis(Map.prototype.has);
export const MapPrototypeDelete = uncurryThis(Map.prototype.delete);
export const MapPrototypeForEach = uncurryThis(Map.prototype.forEach);
export const MapPrototypeGetSize = uncurryGetter(Map.prototype, "size");
export const WeakMapPrototypeGet = uncurryThis(WeakMap.prototype.get);
export const WeakMapPrototypeSet = uncurryThis(WeakMap.prototype.set);
export const WeakRefPrototypeDeref = uncurryThis(WeakRef.prototype.deref);
export const WeakSetPrototypeAdd = uncurryThis(WeakSet.prototype.add);
export const WeakSetPrototypeDelete = uncurryThis(WeakSet.prototype.delete);
export const FinalizationRegistryPrototypeRegister = uncurryThis(FinalizationRegistry.prototype.register);
export const FinalizationRegistryPrototypeUnregister = uncurryThis(FinalizationRegistry.prototype.unregister);
export const SetPrototypeAdd = uncurryThis(Set.prototype.add);

export const FunctionPrototypeToString = uncurryThis(Function.prototype.toString);
/** Prototype objects of the four kinds of function, by the name that `console` prints for them. */
export const functionPrototypes = Object.freeze({
  __proto__: null,
  AsyncFunction: getPrototypeOf(async () => {}),
  GeneratorFunction: getPrototypeOf(function* () {}),
  AsyncGeneratorFunction: getPrototypeOf(async function* () {}),
});
export const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));

export const AsyncIteratorPrototype = getPrototypeOf(getPrototypeOf((async function* () {}).prototype));

export const DOMExceptionPrototypeGetName = uncurryGetter(DOMException.prototype, "name");
export const DOMExceptionPrototypeGetMessage = uncurryGetter(DOMException.prototype, "message");
/** The engine's accessor of an error's stack. */
export const ErrorPrototypeGetStack = uncurryGetter(Error.prototype, "stack");
const { get: getPrepare, set: setPrepare } = descriptor(Error, "prepareStackTrace");

/**
 * The stack of the caller as text, one frame a line, without running a `prepareStackTrace` of the user's.
 * @returns {string} Empty where memory did not suffice for it.
 */
export function captureStack() {
  const saved = ReflectApply(getPrepare, Error, []);
  if (saved !== undefined) ReflectApply(setPrepare, Error, [undefined]);
  const error = new Error();
  if (saved !== undefined) ReflectApply(setPrepare, Error, [saved]);
  const stack = ErrorPrototypeGetStack(error);
  return typeof stack === "string" ? StringPrototypeSlice(stack, 0, -1) : "";
}

export const ArrayBufferPrototypeGetByteLength = uncurryGetter(ArrayBuffer.prototype, "byteLength");
export const ArrayBufferPrototypeGetMaxByteLength = uncurryGetter(ArrayBuffer.prototype, "maxByteLength");
export const ArrayBufferPrototypeGetResizable = uncurryGetter(ArrayBuffer.prototype, "resizable");
export const ArrayBufferPrototypeGetDetached = uncurryGetter(ArrayBuffer.prototype, "detached");
export const ArrayBufferPrototypeGetImmutable = uncurryGetter(ArrayBuffer.prototype, "immutable");
export const ArrayBufferPrototypeTransfer = uncurryThis(ArrayBuffer.prototype.transfer);
export const ArrayBufferPrototypeTransferToImmutable = uncurryThis(ArrayBuffer.prototype.transferToImmutable);
export const DataViewPrototypeGetBuffer = uncurryGetter(DataView.prototype, "buffer");
export const DataViewPrototypeGetByteLength = uncurryGetter(DataView.prototype, "byteLength");
export const DataViewPrototypeGetByteOffset = uncurryGetter(DataView.prototype, "byteOffset");
const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype);
export const TypedArrayPrototypeGetBuffer = uncurryGetter(TypedArrayPrototype, "buffer");
export const TypedArrayPrototypeGetByteLength = uncurryGetter(TypedArrayPrototype, "byteLength");
export const TypedArrayPrototypeGetByteOffset = uncurryGetter(TypedArrayPrototype, "byteOffset");
export const TypedArrayPrototypeGetLength = uncurryGetter(TypedArrayPrototype, "length");
export const TypedArrayPrototypeKeys = uncurryThis(TypedArrayPrototype.keys);
export const TypedArrayPrototypeSet = uncurryThis(TypedArrayPrototype.set);
export const { fromBase64: Uint8ArrayFromBase64 } = Uint8Array;
export const Uint8ArrayPrototypeToBase64 = uncurryThis(Uint8Array.prototype.toBase64);

/** @param {string[]} names @returns {Record<string, any>} The global constructors of these names. */
const constructors = (names) => Object.freeze(Object.assign(
  Object.create(null), Object.fromEntries(names.map((name) => [name, global[name]])),
));

/** Typed array constructors by class name, as `classOf` reports it. */
export const typedArrays = constructors([
  "Uint8ClampedArray", "Int8Array", "Uint8Array", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
  "BigInt64Array", "BigUint64Array", "Float16Array", "Float32Array", "Float64Array",
]);
/** Error constructors by name. */
export const errors = constructors([
  "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError",
  "InternalError", "SuppressedError",
]);

/**
 * An empty array without a prototype: appending to it by index can meet no setter of the user's.
 * @returns {any[]}
 */
export const newList = () => ObjectSetPrototypeOf([], null);
/**
 * Hand a list over to user code as an ordinary array.
 * @param {any[]} list
 * @returns {any[]}
 */
export const toArray = (list) => ObjectSetPrototypeOf(list, ArrayPrototype);
/** @param {unknown} value @returns {value is object} */
export const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
