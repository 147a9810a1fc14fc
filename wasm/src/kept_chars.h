/* Texts of one character, each made once.
 *
 * A program that reads a text character by character makes one such text at every step, and compares it with those in its
 * source. Those are names of the engine's, and so are these: whether two names are the same needs no look at what they
 * say. Digits are none, since the engine keeps such names as numbers. */
#ifndef KEPT_CHARS_H
#define KEPT_CHARS_H

enum { KEPT_CHARS = 0x100 };

static JSString *kept_chars[KEPT_CHARS];

/* The text of this character alone; an exception: there is no memory. */
static JSValue kept_char(JSContext *ctx, uint8_t c)
{
    if (unlikely(!kept_chars[c])) {
        const char text[1] = {(char)c};
        JSValue made = js_new_string8_len(ctx, text, 1);
        if (JS_IsException(made))
            return made;
        if (c < '0' || c > '9') {
            JSAtom atom = JS_NewAtomStr(ctx, JS_VALUE_GET_STRING(made));
            if (atom == JS_ATOM_NULL)
                return JS_ThrowOutOfMemory(ctx);
            made = js_dup(JS_MKPTR(JS_TAG_STRING, ctx->rt->atom_array[atom]));
            JS_FreeAtom(ctx, atom);
        }
        kept_chars[c] = JS_VALUE_GET_STRING(made);
    }
    return js_dup(JS_MKPTR(JS_TAG_STRING, kept_chars[c]));
}

static void kept_chars_drop(JSContext *ctx)
{
    for (int c = 0; c < KEPT_CHARS; c++) {
        if (kept_chars[c])
            JS_FreeValue(ctx, JS_MKPTR(JS_TAG_STRING, kept_chars[c]));
        kept_chars[c] = NULL;
    }
}

#endif
