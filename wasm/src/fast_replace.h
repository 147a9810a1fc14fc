/* The short way of replacing what a regular expression matches; a part of fast_regexps.h. */
#ifndef FAST_REPLACE_H
#define FAST_REPLACE_H

/* Whether a text to put in says where something of the match goes. */
static bool fast_is_template(const JSString *put)
{
    return string_indexof_char((JSString *)put, '$', 0) >= 0;
}

static int fast_put(const FastMatch *m, StringBuffer *out, int slot)
{
    int start = fast_match_at(m, slot), end = fast_match_at(m, slot + 1);
    return start < 0 || end <= start ? 0 : string_buffer_concat(out, m->text, (uint32_t)start, (uint32_t)end);
}

/* The number of a group behind `$`, of one digit or two; 0: there is no such group. */
static int fast_group_number(const FastMatch *m, const JSString *put, int *at)
{
    int number = string_get(put, *at) - '0', next = *at + 1;
    if (next < (int)put->len && is_digit(string_get(put, next))) {
        int longer = number * 10 + string_get(put, next) - '0';
        if (longer >= 1 && longer < m->count) {
            *at = next + 1;
            return longer;
        }
    }
    if (number >= 1 && number < m->count)
        *at = next;
    return number < m->count ? number : 0;
}

/* What stands in for one match, where no group has a name. */
static void fast_put_template(const FastMatch *m, StringBuffer *out, JSString *put)
{
    int length = (int)put->len, done = 0, at;
    while ((at = string_indexof_char(put, '$', done)) >= 0 && at + 1 < length) {
        int c = string_get(put, at + 1), next = at + 1, group;
        string_buffer_concat(out, put, (uint32_t)done, (uint32_t)at);
        if (is_digit(c) && (group = fast_group_number(m, put, &next)) > 0) {
            fast_put(m, out, 2 * group);
        } else if (c == '$') {
            string_buffer_putc8(out, '$');
            next = at + 2;
        } else if (c == '&') {
            fast_put(m, out, 0);
            next = at + 2;
        } else if (c == '`') {
            string_buffer_concat(out, m->text, 0, (uint32_t)fast_match_at(m, 0));
            next = at + 2;
        } else if (c == '\'') {
            string_buffer_concat(out, m->text, (uint32_t)fast_match_at(m, 1), m->text->len);
            next = at + 2;
        } else {
            string_buffer_putc8(out, '$');
            next = at + 1;
        }
        done = next;
    }
    string_buffer_concat(out, put, (uint32_t)done, (uint32_t)length);
}

/* The text with what matches replaced by another one. */
static JSValue fast_replace_text(JSContext *ctx, const JSRegExp *re, JSValueConst regexp, JSValueConst text, JSString *put)
{
    FastMatch m;
    StringBuffer out;
    int found, done = 0;
    bool is_global = (lre_get_flags(str8(re->bytecode)) & LRE_FLAG_GLOBAL) != 0, is_template = fast_is_template(put);
    if (!fast_match_begin(&m, ctx, re, text))
        return JS_EXCEPTION;
    bool is_begun = false;
    uint32_t from = is_global ? 0 : fast_match_from(&m, regexp);
    while ((found = fast_match(&m, from)) > 0) {
        int start = fast_match_at(&m, 0), end = fast_match_at(&m, 1);
        if (!is_begun)
            string_buffer_init2(ctx, &out, (int)m.text->len, 0);
        is_begun = true;
        if (start >= done) {
            string_buffer_concat(&out, m.text, (uint32_t)done, (uint32_t)start);
            if (is_template)
                fast_put_template(&m, &out, put);
            else
                string_buffer_concat(&out, put, 0, put->len);
            done = end;
        }
        if (!is_global || out.error_status)
            break;
        from = fast_match_next(&m);
    }
    if (found >= 0)
        fast_match_keep(&m, regexp, found && !is_global);
    fast_match_end(&m);
    if (!is_begun)
        return found < 0 ? JS_EXCEPTION : js_dup(text);
    if (found < 0) {
        string_buffer_free(&out);
        return JS_EXCEPTION;
    }
    string_buffer_concat(&out, m.text, (uint32_t)done, m.text->len);
    return string_buffer_end(&out);
}

/* All matches, before the first of them is told: `count` pairs of positions for each. */
typedef struct {
    int *places;
    size_t length, room;
} FastPlaces;

static int fast_find_all(FastMatch *m, JSValueConst regexp, FastPlaces *all)
{
    bool is_global = (m->flags & LRE_FLAG_GLOBAL) != 0;
    uint32_t from = is_global ? 0 : fast_match_from(m, regexp);
    int found;
    while ((found = fast_match(m, from)) > 0) {
        if (all->room - all->length < (size_t)m->count * 2) {
            size_t room = is_global ? all->room + all->room / 2 + (size_t)m->count * 8 : (size_t)m->count * 2;
            int *places = js_realloc(m->ctx, all->places, room * sizeof(*places));
            if (!places)
                return -1;
            all->places = places;
            all->room = room;
        }
        for (int i = 0; i < m->count * 2; i++)
            all->places[all->length++] = fast_match_at(m, i);
        if (!is_global)
            break;
        from = fast_match_next(m);
    }
    if (found >= 0)
        fast_match_keep(m, regexp, found && !is_global);
    return found;
}

/* An object of what the groups with names have captured. The first one is made property by property, the next ones are
 * made with the shape of that one. */
static no_inline JSValue fast_groups(JSContext *ctx, const uint8_t *code, int count, JSShape **shape, JSValueConst *captured)
{
    const char *name = lre_get_groupnames(code);
    JSProperty values[MATCH_GROUPS];
    int named = 0;
    JSValue groups = JS_UNDEFINED;
    if (!*shape && JS_IsException(groups = JS_NewObjectProto(ctx, JS_NULL)))
        return groups;
    for (int i = 1; i < count; i++, name += strlen(name) + LRE_GROUP_NAME_TRAILER_LEN) {
        if (!*name)
            continue;
        if (*shape) {
            values[named++].u.value = js_dup(captured[i]);
            continue;
        }
        named++;
        JSAtom atom = JS_NewAtom(ctx, name);
        int result = atom == JS_ATOM_NULL ? -1 : 0;
        if (!result && (!JS_IsUndefined(captured[i]) || !find_own_property1(JS_VALUE_GET_OBJ(groups), atom)))
            result = JS_DefinePropertyValue(ctx, groups, atom, js_dup(captured[i]), JS_PROP_C_W_E | JS_PROP_THROW);
        JS_FreeAtom(ctx, atom);
        if (result < 0) {
            JS_FreeValue(ctx, groups);
            return JS_EXCEPTION;
        }
    }
    if (*shape)
        return JS_NewObjectFromShape(ctx, js_dup_shape(*shape), JS_CLASS_OBJECT, values);
    JSShape *first = JS_VALUE_GET_OBJ(groups)->shape;
    if (first->prop_count == named)         /* else two groups have one name */
        *shape = js_dup_shape(first);
    return groups;
}

/* The text with what matches replaced by what a function gives. */
static JSValue fast_replace_by(JSContext *ctx, const JSRegExp *re, JSValueConst regexp, JSValueConst text,
                               JSValueConst function)
{
    FastMatch m;
    FastPlaces all = {NULL, 0, 0};
    StringBuffer out;
    JSShape *shape = NULL;
    JSValue few[MATCH_ARGUMENTS], *arguments = few;
    if (!fast_match_begin(&m, ctx, re, text))
        return JS_EXCEPTION;
    JSValue code = js_dup(JS_MKPTR(JS_TAG_STRING, re->bytecode));  /* the function may compile the expression anew */
    bool has_names = lre_get_groupnames(m.code) != NULL;
    int found = fast_find_all(&m, regexp, &all), done = 0;
    fast_match_end(&m);
    if (!all.length) {
        JS_FreeValue(ctx, code);
        return found < 0 ? JS_EXCEPTION : js_dup(text);
    }
    string_buffer_init2(ctx, &out, found < 0 ? 0 : (int)m.text->len, 0);
    if (found >= 0 && m.count + 3 > MATCH_ARGUMENTS) {
        arguments = js_malloc(ctx, sizeof(*arguments) * (size_t)(m.count + 3));
        if (!arguments)
            found = -1;
    }
    for (size_t at = 0; at < all.length && found >= 0; at += (size_t)m.count * 2) {
        const int *places = all.places + at;
        int start = places[0], end = places[1], count = 0;
        JSValue put = JS_UNDEFINED;
        for (; count < m.count && !JS_IsException(put); count++) {
            put = fast_match_text(&m, places[2 * count], places[2 * count + 1]);
            arguments[count] = put;
        }
        if (!JS_IsException(put)) {
            arguments[count++] = js_int32(start);
            arguments[count++] = js_dup(text);
            if (has_names) {
                put = fast_groups(ctx, m.code, m.count, &shape, vc(arguments));
                arguments[count++] = put;
            }
        }
        if (!JS_IsException(put))
            put = JS_ToStringFree(ctx, JS_Call(ctx, function, JS_UNDEFINED, count, vc(arguments)));
        while (count > 0)
            JS_FreeValue(ctx, arguments[--count]);
        if (JS_IsException(put) || js_poll_interrupts(ctx) || engine_is_stopped()) {
            JS_FreeValue(ctx, put);
            found = -1;
        } else if (start >= done) {
            string_buffer_concat(&out, m.text, (uint32_t)done, (uint32_t)start);
            string_buffer_concat_value_free(&out, put);
            done = end;
        } else {
            JS_FreeValue(ctx, put);
        }
        if (out.error_status)
            found = -1;
    }
    if (arguments != few)
        js_free(ctx, arguments);
    js_free_shape_null(ctx->rt, shape);
    js_free(ctx, all.places);
    JS_FreeValue(ctx, code);
    if (found < 0) {
        string_buffer_free(&out);
        return JS_EXCEPTION;
    }
    string_buffer_concat(&out, m.text, (uint32_t)done, m.text->len);
    return string_buffer_end(&out);
}

/* Whether this is how it is done: what is given are texts or a function, and no group is put in by its name. */
static bool fast_may_replace(JSContext *ctx, JSValueConst regexp, JSValueConst text, JSValueConst put)
{
    if (!tag_is_string(JS_VALUE_GET_TAG(text)))
        return false;
    const JSRegExp *re = fast_flagged_regexp(ctx, regexp);
    if (!re || JS_IsFunction(ctx, put))
        return re != NULL;
    return JS_VALUE_GET_TAG(put) == JS_TAG_STRING &&
           !(lre_get_groupnames(str8(re->bytecode)) && fast_is_template(JS_VALUE_GET_STRING(put)));
}

static JSValue fast_replace(JSContext *ctx, JSValueConst regexp, JSValueConst text, JSValueConst put)
{
    const JSRegExp *re = js_get_regexp(ctx, regexp, false);
    JSValue whole = JS_ToString(ctx, text), made;
    if (JS_IsException(whole))
        return whole;
    if (JS_VALUE_GET_TAG(put) == JS_TAG_STRING)
        made = fast_replace_text(ctx, re, regexp, whole, JS_VALUE_GET_STRING(put));
    else
        made = fast_replace_by(ctx, re, regexp, whole, put);
    JS_FreeValue(ctx, whole);
    return made;
}

#endif
