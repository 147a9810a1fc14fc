/* The long tail of instructions. See compiled.h. */
#ifndef COMPILED_STEPS_H
#define COMPILED_STEPS_H

/* Instructions that seldom decide how fast a program is. `sp` is the end of the operands, in the frame; they are
 * replaced by the results. What is left there after a failure the interpreter frees. Returns how many values there are
 * at the end beyond `sp`, or FAILED with `cur_sp` set. */
#define FAILED (-1000)

static JSValue special_object(CompiledFrame *f, int kind)
{
    JSContext *ctx = f->ctx;
    JSObject *p = JS_VALUE_GET_OBJ(f->sf.cur_func);
    switch (kind) {
    case OP_SPECIAL_OBJECT_ARGUMENTS:
        return js_build_arguments(ctx, f->argc, f->argv);
    case OP_SPECIAL_OBJECT_MAPPED_ARGUMENTS:
        return js_build_mapped_arguments(ctx, f->argc, f->argv, &f->sf,
                                         min_int(f->argc, p->u.func.function_bytecode->arg_count));
    case OP_SPECIAL_OBJECT_THIS_FUNC:
        return js_dup(f->sf.cur_func);
    case OP_SPECIAL_OBJECT_NEW_TARGET:
        return js_dup(f->new_target);
    case OP_SPECIAL_OBJECT_HOME_OBJECT:
        return p->u.func.home_object ? js_dup(JS_MKPTR(JS_TAG_OBJECT, p->u.func.home_object)) : JS_UNDEFINED;
    default:
        return JS_NewObjectProto(ctx, JS_NULL);
    }
}

static JSValue make_value(CompiledFrame *f, int op, const uint8_t *pc)
{
    JSContext *ctx = f->ctx;
    switch (op) {
    case OP_fclosure8:
        return js_closure(ctx, js_dup(f->cpool[pc[0]]), f->captured, &f->sf);
    case OP_fclosure:
        return js_closure(ctx, js_dup(f->cpool[get_u32(pc)]), f->captured, &f->sf);
    case OP_push_atom_value:
        return JS_AtomToValue(ctx, get_u32(pc));
    case OP_push_empty_string:
        return js_empty_string(ctx->rt);
    case OP_object:
        return JS_NewObject(ctx);
    case OP_special_object:
        return special_object(f, pc[0]);
    case OP_rest: {
        int first = min_int(get_u16(pc), f->argc);
        return js_create_array(ctx, f->argc - first, f->argc > first ? &f->argv[first] : NULL);
    }
    default: /* OP_push_this, where it is no object and the function is sloppy */
        if (JS_IsNull(f->this_obj) || JS_IsUndefined(f->this_obj))
            return js_dup(ctx->global_obj);
        return JS_ToObject(ctx, f->this_obj);
    }
}

EXPORT(c_make) JSValue c_make(CompiledFrame *f, int op, const uint8_t *pc)
{
    return make_value(f, op, pc);
}

EXPORT(c_step) int c_step(CompiledFrame *f, int op, const uint8_t *pc, JSValue *sp)
{
    JSContext *ctx = f->ctx;
    JSValue v;
    int n;
    f->sf.cur_sp = NULL;
    switch (op) {
    case OP_array_from:
        n = get_u16(pc);
        v = JS_NewArrayFrom(ctx, n, sp - n);
        sp -= n;
        if (JS_IsException(v))
            break;
        *sp = v;
        return 1 - n;
    case OP_define_field:
        if (JS_DefinePropertyValue(ctx, sp[-2], get_u32(pc), sp[-1], JS_PROP_C_W_E | JS_PROP_THROW) >= 0)
            return -1;
        sp--;
        break;
    case OP_define_array_el:
        if (JS_DefinePropertyValueValue(ctx, sp[-3], js_dup(sp[-2]), sp[-1], JS_PROP_C_W_E | JS_PROP_THROW) >= 0)
            return -1;
        sp--;
        break;
    case OP_append:
        if (!js_append_enumerate(ctx, sp)) {
            JS_FreeValue(ctx, sp[-1]);
            return -1;
        }
        break;
    case OP_apply:
        v = js_function_apply(ctx, sp[-3], 2, vc(&sp[-2]), get_u16(pc));
        if (JS_IsException(v))
            break;
        for (n = 1; n <= 3; n++)
            JS_FreeValue(ctx, sp[-n]);
        sp[-3] = v;
        return -2;
    case OP_regexp:
        sp[-2] = js_regexp_constructor_internal(ctx, JS_UNDEFINED, sp[-2], sp[-1]);
        sp--;
        if (!JS_IsException(sp[-1]))
            return -1;
        break;
    case OP_get_super:
        v = JS_GetPrototype(ctx, sp[-1]);
        if (JS_IsException(v))
            break;
        JS_FreeValue(ctx, sp[-1]);
        sp[-1] = v;
        return 0;
    case OP_set_name:
        if (JS_DefineObjectName(ctx, sp[-1], get_u32(pc), JS_PROP_CONFIGURABLE) >= 0)
            return 0;
        break;
    case OP_for_in_start:
        if (!js_for_in_start(ctx, sp))
            return 0;
        break;
    case OP_for_in_next:
        if (!js_for_in_next(ctx, sp))
            return 2;
        break;
    case OP_for_of_start:
        if (js_for_of_start(ctx, sp, false))
            break;
        sp[1] = JS_NewCatchOffset(ctx, 0);
        return 2;
    case OP_for_of_next:
        if (!js_for_of_next(ctx, sp, -3 - pc[0]))
            return 2;
        break;
    case OP_iterator_close:
        JS_FreeValue(ctx, sp[-2]);
        sp -= 2;
        if (!JS_IsUndefined(sp[-1])) {
            if (JS_IteratorClose(ctx, sp[-1], false))
                break;
            JS_FreeValue(ctx, sp[-1]);
        }
        return -3;
    case OP_get_private_field:
        v = JS_GetPrivateField(ctx, sp[-2], sp[-1]);
        JS_FreeValue(ctx, sp[-1]);
        JS_FreeValue(ctx, sp[-2]);
        sp[-2] = v;
        sp--;
        if (!JS_IsException(v))
            return -1;
        break;
    case OP_put_private_field:
        n = JS_SetPrivateField(ctx, sp[-3], sp[-1], sp[-2]);
        JS_FreeValue(ctx, sp[-3]);
        JS_FreeValue(ctx, sp[-1]);
        sp -= 3;
        if (n >= 0)
            return -3;
        break;
    case OP_close_loc:
        close_lexical_var(ctx, JS_VALUE_GET_OBJ(f->sf.cur_func)->u.func.function_bytecode, &f->sf, get_u16(pc));
        return 0;
    case OP_throw:
        JS_Throw(ctx, sp[-1]);
        sp--;
        break;
    default:
        JS_ThrowInternalError(ctx, "instruction %d has no step", op);
    }
    f->sf.cur_sp = sp;
    return FAILED;
}

#endif
