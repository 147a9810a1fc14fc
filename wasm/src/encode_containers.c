/* Arrays, objects, Map and Set as messages. */
#include "encoder.h"

enum { SHORT_ARRAY = 4096 };

/* Takes `value`; `held` says whether the container is known to hold one reference beside ours. */
int encode_member(Encoder *e, JSAtom key, uint32_t index, uint32_t held, JSValue value)
{
    if (JS_IsException(value))
        return -1;
    Path step = {.up = e->w.path, .key = key, .index = index, .held = held};
    e->w.path = &step;
    int failed = encode_value(e, value);
    e->w.path = step.up;
    JS_FreeValue(e->w.ctx, value);
    return failed;
}

/* Whether a member can be written where it stands: no code of the program runs, nor does a limit end it. */
static inline bool is_leaf(const Encoder *e, JSValueConst value)
{
    int tag = JS_VALUE_GET_NORM_TAG(value);
    return (tag == JS_TAG_INT || tag == JS_TAG_FLOAT64 || tag == JS_TAG_BOOL || tag == JS_TAG_NULL ||
            tag == JS_TAG_STRING) &&
           (e->nodes + 1) % NODES_A_POLL && e->nodes < guest.control.max_nodes;
}

/* Such a member. */
static inline int encode_leaf(Encoder *e, JSAtom key, uint32_t index, JSValueConst value)
{
    Path step = {.up = e->w.path, .key = key, .index = index};
    e->w.path = &step;
    e->nodes++;
    int failed = put_leaf(e, value);
    e->w.path = step.up;
    return failed;
}

/* A short array with holes is written whole: undefined stands in the holes. */
static int encode_holes(Encoder *e, JSValueConst value, uint32_t length)
{
    if (put_array(&e->w, length))
        return -1;
    for (uint32_t i = 0; i < length; i++) {
        if (encode_member(e, JS_ATOM_NULL, i, HELD_BY_US, encode_read_index(e, value, i)))
            return -1;
    }
    return 0;
}

static int encode_sparse(Encoder *e, JSValueConst value, uint32_t length)
{
    JSPropertyEnum *keys;
    uint32_t count, present = 0, index;
    size_t mark;
    if (JS_GetOwnPropertyNames(e->w.ctx, &keys, &count, value, JS_GPN_STRING_MASK))
        return -1;
    while (present < count && internals_atom_index(keys[present].atom, &index))
        present++;
    /* Holes are values to the host. `nodes` never exceeds a limit that leaves room for both. */
    if (length - present > guest.control.max_nodes - e->nodes) {
        JS_FreePropertyEnum(e->w.ctx, keys, count);
        return refuse(e, "a sparse array with more values and holes than the max_nodes limit");
    }
    e->nodes += length - present;
    int failed = open_extension(&e->w, TAG_SPARSE_ARRAY, &mark) || put_i64(&e->w, length) || put_map(&e->w, present);
    for (uint32_t i = 0; !failed && i < present; i++) {
        internals_atom_index(keys[i].atom, &index);
        failed = put_i64(&e->w, index) || encode_member(e, JS_ATOM_NULL, index, HELD_BY_US,
                                                          encode_read(e, value, keys[i].atom));
    }
    if (!failed)
        close_extension(&e->w, mark);
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    return failed;
}

int encode_array(Encoder *e, JSValueConst value)
{
    JSValue *values;
    uint32_t count;
    int64_t length;
    if (internals_fast_array(value, &values, &count)) {
        if (count > guest.control.max_nodes)
            return refuse(e, "more values than the max_nodes limit");
        if (put_array(&e->w, count))
            return -1;
        for (uint32_t i = 0, dense = count; i < count; i++) {
            if (i < dense && is_leaf(e, values[i])) {
                if (encode_leaf(e, JS_ATOM_NULL, i, values[i]))
                    return -1;
                continue;
            }
            JSValue item = i < dense ? JS_DupValue(e->w.ctx, values[i]) : encode_read_index(e, value, i);
            if (encode_member(e, JS_ATOM_NULL, i, i < dense ? HELD_BY_PARENT_AND_US : HELD_BY_US, item))
                return -1;
            if (!internals_fast_array(value, &values, &dense))
                dense = 0;
        }
        return 0;
    }
    if (JS_GetLength(e->w.ctx, value, &length))
        return -1;
    if (length > UINT32_MAX)
        return refuse(e, "an array longer than 2^32 - 1");
    return length <= SHORT_ARRAY ? encode_holes(e, value, (uint32_t)length) : encode_sparse(e, value, (uint32_t)length);
}

/* The properties from a place on. */
static int encode_rest(Encoder *e, JSValueConst value, Properties *cursor)
{
    JSAtom key;
    JSValue property;
    Text text;
    int failed = 0;
    while (!failed && internals_properties_next(e->w.ctx, value, cursor, &key, &property)) {
        failed = !internals_atom_text(e->w.ctx, key, &text) || put_text(&e->w, &text);
        if (failed)
            JS_FreeValue(e->w.ctx, property);
        else
            failed = encode_member(e, key, 0, HELD_BY_PARENT_AND_US, property);
    }
    return failed;
}

/* A property of a record that may run code of the program: then the object may be another one than before. -1, or whether
 * the rest was written as well. */
static int encode_branch(Encoder *e, JSValueConst object, const Record **record, const JSValue **values, uint32_t i)
{
    uint8_t at = (*record)->fields[i].at;
    Properties cursor = internals_properties_behind(object, at);
    int done = encode_member(e, (*record)->fields[i].atom, 0, HELD_BY_PARENT_AND_US,
                             JS_DupValue(e->w.ctx, (*values)[at]));
    if (!done) {
        *record = internals_record(e->w.ctx, object, values);
        if (!*record || (*record)->shape != cursor.shape)
            done = encode_rest(e, object, &cursor) ? -1 : 1;
    }
    internals_properties_close(e->w.ctx, &cursor);
    return done;
}

int encode_record(Encoder *e, JSValueConst object, const Record *record, const JSValue *values)
{
    int done = put_map(&e->w, record->count);
    for (uint32_t i = 0; !done && i < record->count; i++) {
        const RecordField *field = &record->fields[i];
        JSValueConst value = values[field->at];
        if (put_key(&e->w, field->key, field->key_bytes))
            return -1;
        done = is_leaf(e, value) ? encode_leaf(e, field->atom, 0, value)
                                 : encode_branch(e, object, &record, &values, i);
    }
    return done < 0 ? -1 : 0;
}

int encode_properties(Encoder *e, JSValueConst value)
{
    Properties cursor;
    Text text;
    int failed;
    if (internals_properties_open(e->w.ctx, value, &cursor)) {
        failed = put_map(&e->w, cursor.count) || encode_rest(e, value, &cursor) ? -1 : 0;
        internals_properties_close(e->w.ctx, &cursor);
        return failed;
    }
    JSPropertyEnum *keys;
    uint32_t count;
    if (JS_GetOwnPropertyNames(e->w.ctx, &keys, &count, value, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    failed = count > guest.control.max_nodes ? refuse(e, "more values than the max_nodes limit") : put_map(&e->w, count);
    for (uint32_t i = 0; !failed && i < count; i++) {
        JSValue name = JS_AtomToString(e->w.ctx, keys[i].atom);
        failed = JS_IsException(name) || !internals_text(e->w.ctx, name, &text) || put_text(&e->w, &text);
        JS_FreeValue(e->w.ctx, name);
        if (!failed)
            failed = encode_member(e, keys[i].atom, 0, HELD_BY_US, encode_read(e, value, keys[i].atom));
    }
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    return failed;
}

int encode_collection(Encoder *e, JSValueConst value, Tag tag)
{
    uint32_t count, at = 0;
    size_t mark;
    JSValue *values;
    if (!internals_collection(e->w.ctx, value, &values, &count))
        return -1;
    int failed = open_extension(&e->w, tag, &mark) || put_array(&e->w, count);
    for (; !failed && at < count; at++)
        failed = encode_member(e, JS_ATOM_NULL, tag == TAG_MAP ? at / 2 : at, HELD_BY_PARENT_AND_US, values[at]);
    for (; at < count; at++)
        JS_FreeValue(e->w.ctx, values[at]);
    js_free(e->w.ctx, values);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}

/* Through proxies, down to what they stand for; NULL-safe against chains that were revoked. */
bool stands_for_array(JSContext *ctx, JSValueConst value)
{
    JSValue at = JS_DupValue(ctx, value);
    for (int hops = 0; hops < 64 && JS_IsProxy(at); hops++) {
        JSValue target = JS_GetProxyTarget(ctx, at);
        JS_FreeValue(ctx, at);
        at = target;
        if (JS_IsException(at)) {
            JS_FreeValue(ctx, JS_GetException(ctx));
            return false;
        }
    }
    bool array = JS_IsArray(at);
    JS_FreeValue(ctx, at);
    return array;
}

int encode_proxied_array(Encoder *e, JSValueConst value)
{
    int64_t length;
    if (JS_GetLength(e->w.ctx, value, &length))
        return -1;
    if (length > guest.control.max_nodes)
        return refuse(e, "more values than the max_nodes limit");
    if (put_array(&e->w, (uint32_t)length))
        return -1;
    for (int64_t i = 0; i < length; i++) {
        if (encode_member(e, JS_ATOM_NULL, (uint32_t)i, HELD_BY_US, JS_GetPropertyInt64(e->w.ctx, value, i)))
            return -1;
    }
    return 0;
}
