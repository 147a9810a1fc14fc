"""Rules for statements and whole programs."""

from __future__ import annotations

from typing import Final

from tests.soak.grammar import words

RULES: Final[dict[str, list[str]]] = {
    "program": [
        *words("@attack @attack"),
        "@block @value",
        "@block @value",
        "@statement @statement @attack @value",
        "@guarded @guarded @attack",
        "@guarded @guarded @value",
        "@guarded @attack @guarded @value",
        "try { @attack } catch (e) { v0 = e } @statement @value",
        "(() => { @attack return @value })()",
        "(async () => { @statement @attack })()",
        "(() => { @block return @value })()",
        "(async () => { @block return @value })()",
        "(function () { 'use strict'; @block return [@value, @value] })()",
        "await @value",
        "@block await @promise",
        "for await (const x of @iterable) { @block } @value",
        "@guarded @guarded @guarded ({x: @value, y: @value, z: [@value, @value]})",
    ],
    # Evaluated as a module.
    "module_program": [
        "@block export default @value",
        "export const x = @value; @block export {x as default, x as y}",
        "import {x} from '@module'; export default [x, @value]",
        "import * as m from '@module'; @block export * from '@module'; export default m",
        "export default await @promise",
        "export default class { x = @value } export function* y() { @steps }",
        "import '@module'; export let x = import.meta.url; @attack",
        "export default function () { @block }",
    ],
    "block": [
        "@statement",
        "@statement @statement",
        "@guarded @statement",
        "@guarded @guarded @statement @statement",
    ],
    "guarded": [
        "try { @block } catch (e) { v0 = e }",
        "try { @block } catch { @statement } finally { @statement }",
        "{ @block }",
        "try { @attack } catch (e) { v1 = e; @statement }",
    ],
    "statement": [
        *words("@assignment; @assignment; @declaration; @loop @branch @jump @definition @call; ; @value;"),
        "try { @block } catch { @statement }",
        "{ @block }",
    ],
    "assignment": [
        "n0 = @number",
        "s0 = @string",
        "a0 = @array",
        "o0 = @object",
        "f0 = @function",
        "b0 = @buffer",
        "p0 = @promise",
        "i0 = @iterator",
        "v0 = @value",
        "v1 = @value",
        "@variable = @value",
        "o0.@property = @value",
        "o1['@key'] = @value",
        "a0[@index] = @value",
        "a0.length = @small",
        "b0[@small] = @number",
        "[a0, ...a1] = @iterable",
        "({x: v0, y: v1 = @value, ...o0} = @object)",
        "[v0 = @value, [v1] = [@value]] = @array",
        "v0 ??= @value",
        "v1 ||= @value",
        "n0 @arithmetic= @number",
        "for (v0 of @array) break",
    ],
    "declaration": [
        "var @name = @value",
        "let x@small = @value, y@small = @value",
        "const {x: x@small = @value, ...y@small} = @object",
        "const [x@small, y@small = x@small] = @iterable",
        "let {length: x@small} = @value",
    ],
    "loop": [
        "for (let i = 0; i < @small; i++) { @block }",
        "for (const x of @iterable) { @block if (n0++ > 50) break; }",
        "for (const k in @value) { @statement }",
        "for (var [x, y] of Object.entries(Object(@value))) { @statement }",
        "while (n0++ < @small) { @block }",
        "do { @statement } while (@boolean && n1++ < 20);",
        "outer: for (const x of @array) { for (const y of @array) { if (@boolean) continue outer; @statement } }",
        "label: { @block if (@boolean) break label; @statement }",
    ],
    "branch": [
        "if (@boolean) { @block } else { @block }",
        "if (@value) @statement",
        "switch (@value) { case @value: @statement break; default: @statement case @number: @statement }",
        "try { throw @value } catch ({x, message = x}) { v0 = message }",
    ],
    "jump": [
        "if (@boolean && n1++ > 3) throw @value;",
        "throw @value;",
        "try { throw @error } finally { @statement }",
        "debugger;",
    ],
    "definition": [
        "function f@small(x, {y, ...z} = {}, ...rest) { @block return @value }",
        "async function f@small(x) { @block return await @value }",
        "function* g@small() { @steps }",
        "async function* g@small() { @steps }",
        "class C@small extends Base { #p = @value; x() { return super.x?.(this.#p) } static { @statement } }",
        "var x@small = function* () { @steps }()",
        "f1 = @function;",
    ],
    "call": [
        *words(
            "f0(@value) f0(...@iterable) @variable.@property(@value) a0.@mapping(@function) i0.next?.(@value) "
            "i0.return?.(@value) i0.throw?.(@value) b0.set?.(@array) @host"
        ),
        "@function(@value, @value)",
        "a0.push(@value, @value)",
        "p0.then(@function).catch(() => {})",
        "globalThis['@key'] = @value",
        "delete globalThis.@variable",
        "queueMicrotask(() => { @statement })",
        "setTimeout(() => { @statement }, @small)",
        "setInterval(() => { @statement }, @small)",
    ],
    # Contains no quotes: it stands in one.
    "simple": [
        "var x = 1; return x + 1",
        "for (;;) break",
        "return [...arguments]",
        "throw 1",
        "let x = ;",
        "return this",
    ],
}
