/* Appending to a text that nobody else has.
 *
 * Programs build texts by `text += more`. While that is executed the text has two owners, the variable and the stack, so the
 * engine copies it each time, up to the length from which it makes ropes. Where the next instruction gives the variable its
 * new value, nobody can see the old one any more: then it grows where it is, with room for what may come. A patch includes
 * this in the midst of the engine's source, before the interpreter's loop. */
#ifndef FAST_APPEND_H
#define FAST_APPEND_H

enum {
    APPEND_ROOM_FROM = 64,          /* characters that a text has before it gets room for more: a half, or as much again */
    APPEND_LONGEST = 1 << 20,       /* bytes of a text that is moved to get room; longer ones are ropes */
};

/* A build that looks for leaks has a list of all texts. */
static JSString *fast_unlisted(JSString *text)
{
#ifdef ENABLE_DUMPS
    list_del(&text->link);
#endif
    return text;
}

static void fast_append_listed(JSRuntime *rt, JSString *text)
{
#ifdef ENABLE_DUMPS
    list_add_tail(&text->link, &rt->string_list);
#endif
}

/* Append a text to another one that has one owner. False: nothing was done. */
static bool fast_append(JSContext *ctx, JSValue *text, JSValueConst more)
{
    JSString *p = JS_VALUE_GET_STRING(*text);
    const JSString *q = JS_VALUE_GET_STRING(more);
    if (JS_REF_COUNT(p) != 1 || p->atom_type || p->kind != JS_STRING_KIND_NORMAL || (q->is_wide_char && !p->is_wide_char))
        return false;
    int wide = p->is_wide_char;
    size_t length = (size_t)p->len + q->len, bytes = sizeof(*p) + (length << wide) + 1 - (size_t)wide;
    if (length > JS_STRING_LEN_MAX)
        return false;
    if (js_malloc_usable_size(ctx, p) < bytes) {
        if (bytes > APPEND_LONGEST)
            return false;
        JSString *moved = js_realloc_rt(ctx->rt, fast_unlisted(p), length < APPEND_ROOM_FROM ? bytes : bytes + bytes / 2);
        fast_append_listed(ctx->rt, moved ? moved : p);
        if (!moved)
            return false;
        p = moved;
        *text = JS_MKPTR(JS_TAG_STRING, p);
    }
    engine_weigh(q->len);
    if (wide) {
        copy_str16(str16(p) + p->len, (JSString *)q, 0, (int)q->len);
    } else {
        memcpy(str8(p) + p->len, str8((JSString *)q), q->len);
        str8(p)[length] = 0;
    }
    p->len = (uint32_t)length;
    return true;
}

/* The variable that the next instruction gives what is on the stack, where that is all it does; or NULL. */
static JSValue *fast_assigned(const uint8_t *pc, JSValue *locals, JSVarRef **outer)
{
    if (*pc == OP_dup)
        pc++;
    switch (*pc) {
    case OP_put_loc0: case OP_put_loc1: case OP_put_loc2: case OP_put_loc3:
        return &locals[*pc - OP_put_loc0];
    case OP_put_loc8:
        return &locals[pc[1]];
    case OP_put_loc: case OP_put_loc_check:
        return &locals[get_u16(pc + 1)];
    case OP_put_var_ref0: case OP_put_var_ref1: case OP_put_var_ref2: case OP_put_var_ref3:
        return outer[*pc - OP_put_var_ref0]->pvalue;
    case OP_put_var_ref: case OP_put_var_ref_check:
        return outer[get_u16(pc + 1)]->pvalue;
    }
    return NULL;
}

/* The sum of two texts at the top of the stack, where the first one is in a variable, of which the next instruction takes
 * it. False: nothing was done. */
static no_inline bool fast_append_next(JSContext *ctx, JSValue *sp, const uint8_t *pc, JSValue *locals, JSVarRef **outer)
{
    JSString *text = JS_VALUE_GET_STRING(sp[-2]);
    if (JS_REF_COUNT(text) != 2)
        return false;
    JSValue *variable = fast_assigned(pc, locals, outer);
    if (!variable || JS_VALUE_GET_TAG(*variable) != JS_TAG_STRING || JS_VALUE_GET_STRING(*variable) != text)
        return false;
    JS_REF_COUNT(text)--;
    if (!fast_append(ctx, &sp[-2], sp[-1])) {
        JS_REF_COUNT(text)++;
        return false;
    }
    *variable = JS_UNDEFINED;
    JS_FreeValue(ctx, sp[-1]);
    return true;
}

#endif
