/* Operators, where the fast paths of compiled code end. See compiled.h. */
#ifndef COMPILED_OPERATORS_H
#define COMPILED_OPERATORS_H

/* Takes both. */
EXPORT(c_binary) JSValue c_binary(CompiledFrame *f, int op, JSValue a, JSValue b)
{
    JSContext *ctx = f->ctx;
    JSValue two[2] = {a, b};
    int failed;
    switch (op) {
    case OP_add:
        failed = js_add_slow(ctx, two + 2);
        break;
    case OP_lt:
    case OP_lte:
    case OP_gt:
    case OP_gte:
        failed = js_relational_slow(ctx, two + 2, op);
        break;
    case OP_eq:
    case OP_neq:
        failed = js_eq_slow(ctx, two + 2, op == OP_neq);
        break;
    case OP_strict_eq:
    case OP_strict_neq:
        failed = js_strict_eq_slow(ctx, two + 2, op == OP_strict_neq);
        break;
    case OP_shl:
    case OP_sar:
    case OP_and:
    case OP_or:
    case OP_xor:
        failed = js_binary_logic_slow(ctx, two + 2, op);
        break;
    case OP_shr:
        failed = js_shr_slow(ctx, two + 2);
        break;
    case OP_in:
        failed = js_operator_in(ctx, two + 2);
        break;
    case OP_instanceof:
        failed = js_operator_instanceof(ctx, two + 2);
        break;
    case OP_delete:
        failed = js_operator_delete(ctx, two + 2);
        break;
    case OP_mod: {
        double x, y;
        if (js_arith_to_float64(a, &x) && js_arith_to_float64(b, &y))
            return js_number(fmod(x, y));
        failed = js_binary_arith_slow(ctx, two + 2, op);
        break;
    }
    default:
        failed = js_binary_arith_slow(ctx, two + 2, op);
    }
    return failed ? JS_EXCEPTION : two[0];
}

/* Takes it. */
EXPORT(c_unary) JSValue c_unary(CompiledFrame *f, int op, JSValue a)
{
    JSContext *ctx = f->ctx;
    JSValue one[1] = {a}, v;
    switch (op) {
    case OP_not:
        return js_not_slow(ctx, one + 1) ? JS_EXCEPTION : one[0];
    case OP_typeof:
        v = JS_AtomToString(ctx, js_operator_typeof(ctx, a));
        JS_FreeValue(ctx, a);
        return v;
    case OP_typeof_is_undefined:
    case OP_typeof_is_function:
        v = js_bool(js_operator_typeof(ctx, a) == (op == OP_typeof_is_function ? JS_ATOM_function : JS_ATOM_undefined));
        JS_FreeValue(ctx, a);
        return v;
    case OP_to_object:
        v = JS_ToObject(ctx, a);
        JS_FreeValue(ctx, a);
        return v;
    case OP_to_propkey:
        v = JS_ToPropertyKey(ctx, a);
        JS_FreeValue(ctx, a);
        return v;
    default:
        return js_unary_arith_slow(ctx, one + 1, op) ? JS_EXCEPTION : one[0];
    }
}

/* Takes it. */
EXPORT(c_truth) int c_truth(CompiledFrame *f, JSValue a)
{
    return JS_ToBoolFree(f->ctx, a);
}

EXPORT(c_to_int32) int c_to_int32(double d)
{
    int32_t n;
    JS_ToInt32(NULL, &n, js_float64(d)); /* numbers need no context */
    return n;
}

#endif
