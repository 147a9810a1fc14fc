/* How objects of one shape are written as messages.
 *
 * What a program answers with is mostly a list of objects that have the same properties. What is to be known of one before
 * it is written follows from its shape: which of its properties cross, that none of them is a getter, that it is nobody's
 * iterator. So it is found out once, and kept until a garbage collection, or until some prototype changes: one of its own
 * might have become an iterator's. internals.c includes this behind the engine. */
#ifndef KEPT_RECORDS_H
#define KEPT_RECORDS_H

enum { KEPT_RECORDS = 8 };           /* a power of two */

static Record kept_records[KEPT_RECORDS];

static bool kept_record_field(RecordField *field, const JSAtomStruct *name, JSAtom atom, int at)
{
    const uint8_t *from = strv((JSAtomStruct *)name);
    if (name->is_wide_char || name->len >= sizeof(field->key))
        return false;
    field->key[0] = (uint8_t)(0xa0 | name->len);
    for (uint32_t i = 0; i < name->len; i++) {
        if (from[i] >= 0x80)
            return false;
        field->key[1 + i] = from[i];
    }
    field->key_bytes = (uint8_t)(1 + name->len);
    field->at = (uint8_t)at;
    field->atom = atom;
    return true;
}

/* False: what has this shape is to be looked at each time. */
static no_inline bool kept_record_made(JSContext *ctx, Record *record, JSShape *shape)
{
    JSShapeProperty *property = get_shape_prop(shape);
    JSObject *end = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]);
    JSShape *old = record->shape;
    int hops = 0;
    uint32_t index;
    record->shape = NULL;
    record->count = 0;
    js_free_shape_null(ctx->rt, old);
    for (const JSObject *from = shape->proto; from && from != end; from = from->shape->proto) {
        if (from->is_exotic || ++hops > 8 || find_own_property1((JSObject *)from, JS_ATOM_Symbol_iterator) ||
            find_own_property1((JSObject *)from, JS_ATOM_Symbol_asyncIterator))
            return false;
    }
    for (int i = 0; i < shape->prop_count; i++, property++) {
        if (property->atom == guest.brand || property->atom == JS_ATOM_Symbol_iterator ||
            property->atom == JS_ATOM_Symbol_asyncIterator)
            return false;
        if (property->atom == JS_ATOM_NULL || !(property->flags & JS_PROP_ENUMERABLE))
            continue;
        if (__JS_AtomIsTaggedInt(property->atom) || (property->flags & JS_PROP_TMASK) != JS_PROP_NORMAL)
            return false;
        const JSAtomStruct *name = ctx->rt->atom_array[property->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        if (record->count == RECORD_FIELDS || JS_AtomIsArrayIndex(ctx, &index, property->atom) ||
            !kept_record_field(&record->fields[record->count], name, property->atom, i))
            return false;
        record->count++;
    }
    record->shape = js_dup_shape(shape);
    record->changes = prototype_changes;
    return true;
}

const Record *internals_record(JSContext *ctx, JSValueConst object, const JSValue **values)
{
    static_assert(sizeof(JSProperty) == sizeof(JSValue), "values stand side by side");
    const JSObject *p = JS_VALUE_GET_OBJ(object);
    JSShape *shape = p->shape;
    if (p->class_id != JS_CLASS_OBJECT || p->is_exotic || !shape->is_hashed || shape->prop_count > RECORD_FIELDS)
        return NULL;
    Record *record = &kept_records[(uint32_t)(uintptr_t)shape >> 4 & (KEPT_RECORDS - 1)];
    if (unlikely(record->shape != shape || record->changes != prototype_changes) && !kept_record_made(ctx, record, shape))
        return NULL;
    *values = &p->prop[0].u.value;
    return record;
}

static void kept_records_drop(JSRuntime *rt)
{
    for (int i = 0; i < KEPT_RECORDS; i++) {
        JSShape *old = kept_records[i].shape;
        kept_records[i].shape = NULL;
        js_free_shape_null(rt, old);
    }
}

#endif
