/* Calls, from and to compiled functions. See compiled.h. */
#ifndef COMPILED_FRAME_H
#define COMPILED_FRAME_H

/* A frame is freed by whoever made it: call_compiled, or the interpreter it goes on in. */
static inline __attribute__((always_inline)) JSValue enter_compiled(JSContext *caller_ctx, JSValueConst func_obj, JSValueConst this_obj,
                                       JSValueConst new_target, int argc, JSValueConst *argv, int flags)
{
    JSRuntime *rt = caller_ctx->rt;
    JSObject *p = JS_VALUE_GET_OBJ(func_obj);
    JSFunctionBytecode *b = p->u.func.function_bytecode;
    CompiledFrame frame, *f = &frame;
    JSStackFrame *sf = &f->sf;
    int copied = argc < b->arg_count || (b->compiled_copies && (flags & JS_CALL_FLAG_COPY_ARGV)) ? b->arg_count : 0;
    size_t size = sizeof(JSValue) * (copied + b->var_count + b->stack_size) + sizeof(JSVarRef *) * b->var_ref_count;

    if (js_poll_interrupts(caller_ctx))
        return JS_EXCEPTION;
    if (js_check_stack_overflow(rt, size))
        return JS_ThrowStackOverflow(caller_ctx);
    JSValue *values = alloca(size);
    f->local_buf = values;
    sf->arg_buf = (JSValue *)argv;
    sf->arg_count = argc;
    if (copied) {
        int i = 0;
        for (; i < argc && i < copied; i++)
            values[i] = js_dup(argv[i]);
        for (; i < copied; i++)
            values[i] = JS_UNDEFINED;
        sf->arg_buf = values;
        sf->arg_count = copied;
        values += copied;
    }
    sf->var_buf = values;
    f->stack_buf = values + b->var_count;
    sf->var_refs = (JSVarRef **)(f->stack_buf + b->stack_size);
    sf->var_ref_count = b->var_ref_count;
    if (b->var_ref_count) {
        for (int i = 0; i < b->var_count; i++)
            values[i] = JS_UNDEFINED;
        for (int i = 0; i < b->var_ref_count; i++)
            sf->var_refs[i] = NULL;
    }
    sf->is_strict_mode = b->is_strict_mode;
    sf->is_constructor = (flags & JS_CALL_FLAG_CONSTRUCTOR) != 0;
    sf->cur_func = unsafe_unconst(func_obj);
    sf->cur_pc = NULL;
    sf->cur_sp = NULL;
    sf->cur_gc_obj = NULL;
    sf->prev_frame = rt->current_stack_frame;
    rt->current_stack_frame = sf;
    f->ctx = b->realm;
    f->code = b->byte_code_buf;
    f->cpool = b->cpool;
    f->caches = b->caches;
    f->captured = p->u.func.var_refs;
    f->this_obj = this_obj;
    f->new_target = new_target;
    f->argc = argc;
    f->argv = argv;
    f->status = b->compiled(f);
    if (likely(f->status == COMPILED_DONE)) {
        if (unlikely(sf->var_ref_count != 0)) {
            close_var_refs(rt, sf);
            for (int i = 0; i < b->var_count; i++) {
                if (b->vardefs[b->arg_count + i].is_captured)
                    JS_FreeValueRT(rt, sf->var_buf[i]);
            }
        }
        for (int i = 0; i < copied; i++)
            JS_FreeValueRT(rt, f->local_buf[i]);
        rt->current_stack_frame = sf->prev_frame;
        return f->ret;
    }
    return call_bytecode(f->ctx, JS_MKPTR(JS_TAG_UNINITIALIZED, f), JS_UNDEFINED, JS_UNDEFINED, 0, NULL, CALL_FLAG_RESUME);
}

static JSValue call_compiled(JSContext *caller_ctx, JSValueConst func_obj, JSValueConst this_obj,
                             JSValueConst new_target, int argc, JSValueConst *argv, int flags)
{
    return enter_compiled(caller_ctx, func_obj, this_obj, new_target, argc, argv, flags);
}

EXPORT(c_free) void c_free(CompiledFrame *f, JSValue v)
{
    js_free_value_rt(f->ctx->rt, v);
}

EXPORT(c_poll) int c_poll(CompiledFrame *f)
{
    return __js_poll_interrupts(f->ctx);
}

static inline JSValue call_any(CompiledFrame *f, JSValueConst func, JSValueConst this_obj, int argc, JSValue *argv)
{
    if (likely(JS_VALUE_GET_TAG(func) == JS_TAG_OBJECT)) {
        JSObject *p = JS_VALUE_GET_OBJ(func);
        if (p->class_id == JS_CLASS_BYTECODE_FUNCTION && p->u.func.function_bytecode->compiled)
            return enter_compiled(f->ctx, func, this_obj, JS_UNDEFINED, argc, vc(argv), JS_CALL_FLAG_COPY_ARGV);
    }
    return JS_CallInternal(f->ctx, func, this_obj, JS_UNDEFINED, argc, vc(argv), JS_CALL_FLAG_COPY_ARGV);
}

EXPORT(c_call) JSValue c_call(CompiledFrame *f, JSValue *base, int argc)
{
    return call_any(f, base[0], JS_UNDEFINED, argc, base + 1);
}

/* A few built-in methods, where what they do is simple; false: it is not. */
static bool call_simple(CompiledFrame *f, JSObject *func, JSValueConst this_obj, int argc, JSValue *argv, JSValue *result)
{
    JSContext *ctx = f->ctx;
    if (argc < 1)
        return false;
    if (func->u.cfunc.c_function.generic_magic == js_array_push && argc == 1) {
        if (JS_VALUE_GET_TAG(this_obj) != JS_TAG_OBJECT)
            return false;
        JSObject *p = JS_VALUE_GET_OBJ(this_obj);
        if (func->u.cfunc.magic || p->class_id != JS_CLASS_ARRAY || !p->fast_array || !p->extensible ||
            p->shape->proto != JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]) || !ctx->std_array_prototype ||
            p->u.array.count >= p->u.array.u1.size || p->prop[0].u.value != (JSValue)p->u.array.count ||
            !(get_shape_prop(p->shape)->flags & JS_PROP_WRITABLE))
            return false;
        p->u.array.u.values[p->u.array.count++] = js_dup(argv[0]);
        p->prop[0].u.value = *result = js_int32(p->u.array.count);
        return true;
    }
    if (func->u.cfunc.c_function.generic == js_string_charCodeAt) {
        if (JS_VALUE_GET_TAG(this_obj) != JS_TAG_STRING || JS_VALUE_GET_TAG(argv[0]) != JS_TAG_INT)
            return false;
        JSString *text = JS_VALUE_GET_STRING(this_obj);
        uint32_t index = JS_VALUE_GET_INT(argv[0]);
        if (index >= text->len)
            return false;
        *result = js_int32(string_get(text, index));
        return true;
    }
    if (func->u.cfunc.cproto == JS_CFUNC_f_f) {
        double d;
        if (!js_arith_to_float64(argv[0], &d))
            return false;
        *result = js_number(func->u.cfunc.c_function.f_f(d));
        return true;
    }
    return false;
}

EXPORT(c_call_method) JSValue c_call_method(CompiledFrame *f, JSValue *base, int argc)
{
    JSValue result;
    if (JS_VALUE_GET_TAG(base[1]) == JS_TAG_OBJECT && JS_VALUE_GET_OBJ(base[1])->class_id == JS_CLASS_C_FUNCTION &&
        call_simple(f, JS_VALUE_GET_OBJ(base[1]), base[0], argc, base + 2, &result))
        return result;
    return call_any(f, base[1], base[0], argc, base + 2);
}

EXPORT(c_construct) JSValue c_construct(CompiledFrame *f, JSValue *base, int argc)
{
    return JS_CallConstructorInternal(f->ctx, base[0], base[1], argc, vc(base + 2), JS_CALL_FLAG_COPY_ARGV);
}

#endif
