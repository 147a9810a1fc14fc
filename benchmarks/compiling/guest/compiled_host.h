/* What the host asks: which functions there are, and where things are. See compiled.h. */
#ifndef COMPILED_HOST_H
#define COMPILED_HOST_H

/* The next function after one, 0: the first; 0: there is none. */
EXPORT(c_next_function) JSFunctionBytecode *c_next_function(JSFunctionBytecode *after)
{
    JSRuntime *rt = guest.runtime;
    struct list_head *el = after ? after->header.link.next : rt->gc_obj_list.next;
    for (; el != &rt->gc_obj_list; el = el->next) {
        JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
        if (JS_GC_TYPE(header) == JS_GC_OBJ_TYPE_FUNCTION_BYTECODE)
            return (JSFunctionBytecode *)header;
    }
    return NULL;
}

EXPORT(c_install) int c_install(JSFunctionBytecode *b, int slot, int cache_count, int copies)
{
    if (cache_count && !b->caches) {
        b->caches = js_calloc_rt(guest.runtime, cache_count, sizeof(CompiledCache));
        if (!b->caches)
            return 0;
        b->cache_count = cache_count;
    }
    b->compiled_copies = copies;
    b->compiled = (int (*)(void *))(uintptr_t)slot;
    return 1;
}

/* Where things are, for the compiler: the order is that of layout.py. */
EXPORT(c_layout) const uint32_t *c_layout(void)
{
    static uint32_t layout[] = {
        offsetof(JSMallocBlockHeader, user_data) - offsetof(JSMallocBlockHeader, ref_count),
        offsetof(JSContext, interrupt_counter),
        offsetof(JSContext, global_var_obj),
        offsetof(JSContext, global_obj),
        offsetof(JSObject, class_id),
        offsetof(JSObject, shape),
        offsetof(JSObject, prop),
        offsetof(JSObject, u.array.u.values),
        offsetof(JSObject, u.array.count),
        offsetof(JSObject, u.func.function_bytecode),
        offsetof(JSShape, uid),
        offsetof(JSVarRef, pvalue),
        offsetof(CompiledFrame, ctx),
        offsetof(CompiledFrame, code),
        offsetof(CompiledFrame, cpool),
        offsetof(CompiledFrame, caches),
        offsetof(CompiledFrame, captured),
        offsetof(CompiledFrame, stack_buf),
        offsetof(CompiledFrame, this_obj),
        offsetof(CompiledFrame, new_target),
        offsetof(CompiledFrame, ret),
        offsetof(JSStackFrame, arg_buf),
        offsetof(JSStackFrame, var_buf),
        offsetof(JSStackFrame, cur_pc),
        offsetof(JSStackFrame, cur_sp),
        offsetof(JSFunctionBytecode, byte_code_buf),
        offsetof(JSFunctionBytecode, byte_code_len),
        offsetof(JSFunctionBytecode, vardefs),
        offsetof(JSFunctionBytecode, arg_count),
        offsetof(JSFunctionBytecode, var_count),
        offsetof(JSFunctionBytecode, stack_size),
        offsetof(JSFunctionBytecode, calls),
        offsetof(JSFunctionBytecode, cpool),
        offsetof(JSFunctionBytecode, cpool_count),
        sizeof(JSVarDef),
        offsetof(JSVarDef, var_ref_idx) - 2,
        JS_CLASS_ARRAY,
        JS_CLASS_UINT8C_ARRAY,
        JS_CLASS_FLOAT64_ARRAY,
        offsetof(JSFunctionBytecode, filename),
        JS_ATOM_length,
        JS_CLASS_BYTECODE_FUNCTION,
        offsetof(JSFunctionBytecode, closure_var_count),
        offsetof(JSContext, class_proto),
        sizeof(CompiledCache),
        0,
    };
    layout[sizeof(layout) / 4 - 1] = (uint32_t)(uintptr_t)&shape_epoch;
    return layout;
}

#endif
