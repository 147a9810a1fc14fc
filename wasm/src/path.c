#include "path.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_STEPS = 20, KEY_CHARS = 64, STEP_ROOM = 4 * KEY_CHARS + 16 };

static const char cut[] = "\xe2\x80\xa6"; /* an ellipsis */

static bool is_identifier(const char *key)
{
    size_t length = 0;
    for (; key[length]; length++) {
        char c = key[length];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
        if (!letter && !(length && c >= '0' && c <= '9'))
            return false;
    }
    return length && length <= KEY_CHARS;
}

static size_t put_quoted(char *out, const char *key)
{
    size_t at = 0;
    int chars = 0;
    char quote = strchr(key, '\'') && !strchr(key, '"') ? '"' : '\'';
    out[at++] = '[';
    out[at++] = quote;
    for (; *key; key++) {
        uint8_t c = (uint8_t)*key;
        if ((c & 0xc0) != 0x80 && chars++ == KEY_CHARS) {
            memcpy(out + at, cut, sizeof(cut) - 1);
            at += sizeof(cut) - 1;
            break;
        }
        const char *named = strchr("\nn\rr\tt", c);
        if (c == quote || c == '\\') {
            out[at++] = '\\';
            out[at++] = *key;
        } else if (named && c < ' ') {
            out[at++] = '\\';
            out[at++] = named[1];
        } else if (c < ' ' || c == 0x7f) {
            at += snprintf(out + at, 5, "\\x%02x", c);
        } else {
            out[at++] = *key;
        }
    }
    out[at++] = quote;
    out[at++] = ']';
    return at;
}

/* At most STEP_ROOM bytes. */
static size_t put_step(JSContext *ctx, char *out, const Path *step)
{
    if (step->key == JS_ATOM_NULL)
        return snprintf(out, STEP_ROOM, "[%u]", step->index);
    const char *key = JS_AtomToCString(ctx, step->key);
    if (!key) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return snprintf(out, STEP_ROOM, "%s", cut);
    }
    size_t length = is_identifier(key) ? (size_t)snprintf(out, STEP_ROOM, ".%s", key) : put_quoted(out, key);
    JS_FreeCString(ctx, key);
    return length;
}

/* The first and the last steps of a long path, as far as there is room. */
void path_text(JSContext *ctx, const Path *path, char out[PATH_ROOM])
{
    size_t at = 1;
    uint32_t depth = 0;
    for (const Path *step = path; step; step = step->up)
        depth++;
    out[0] = '$';
    for (uint32_t shown = 0; shown < depth && at + STEP_ROOM + sizeof(cut) < PATH_ROOM; shown++) {
        if (depth > 2 * SHOWN_STEPS && shown == SHOWN_STEPS) {
            memcpy(out + at, cut, sizeof(cut) - 1);
            at += sizeof(cut) - 1;
            shown = depth - SHOWN_STEPS;
        }
        const Path *step = path;
        for (uint32_t up = depth - 1; up > shown; up--)
            step = step->up;
        at += put_step(ctx, out + at, step);
    }
    out[at] = 0;
}
