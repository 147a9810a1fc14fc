/* Guest values that the host holds by id. One id a crossing: the host releases each id it was given once. */
#include "guest.h"

uint32_t handles_add(JSContext *ctx, JSValueConst value)
{
    uint32_t id = ++guest.next_handle;
    Entry *entry = id ? registry_add(&guest.handles, id) : NULL;
    if (!entry) {
        guest.control.failed_allocations++;
        JS_ThrowOutOfMemory(ctx);
        return 0;
    }
    entry->first = JS_DupValue(ctx, value);
    guest.control.live_handles = guest.handles.count;
    return id;
}

JSValue handles_get(JSContext *ctx, uint32_t id)
{
    Entry *entry = registry_find(&guest.handles, id);
    if (!entry)
        return JS_ThrowReferenceError(ctx, "the value behind this handle was released");
    return JS_DupValue(ctx, entry->first);
}

void handles_replace(JSContext *ctx, uint32_t id, JSValue value)
{
    Entry *entry = registry_find(&guest.handles, id);
    if (!entry) {
        JS_FreeValue(ctx, value);
        return;
    }
    JSValue old = entry->first;
    entry->first = value;
    JS_FreeValue(ctx, old);
}

uint32_t handles_chain(uint32_t id, uint32_t previous)
{
    registry_find(&guest.handles, id)->second = JS_MKVAL(JS_TAG_INT, (int32_t)previous);
    return id;
}

void handles_take_back(uint32_t id)
{
    Entry *entry;
    while (id && (entry = registry_find(&guest.handles, id))) {
        uint32_t previous = (uint32_t)JS_VALUE_GET_INT(entry->second);
        handles_release(id);
        id = previous;
    }
}

void handles_release(uint32_t id)
{
    Entry *entry = registry_find(&guest.handles, id);
    if (!entry)
        return;
    JSValue value = entry->first;
    registry_remove(&guest.handles, entry);
    guest.control.live_handles = guest.handles.count;
    JS_FreeValue(guest.context, value);
}

bool handles_keep(uint32_t id, Registry *kept)
{
    Entry *entry = registry_find(&guest.handles, id);
    if (!entry)
        return true;    /* it was released, and whoever uses it is told so */
    Entry *copy = registry_add(kept, id);
    if (!copy) {
        guest.control.failed_allocations++;
        return false;
    }
    copy->first = entry->first;
    copy->second = entry->second;
    registry_remove(&guest.handles, entry);
    return true;
}

void handles_replace_all(Registry *kept)
{
    Registry dropped = guest.handles;
    guest.handles = *kept;
    guest.control.live_handles = guest.handles.count;
    for (uint32_t slot = 0; slot < dropped.room; slot++)
        if (dropped.entries[slot].id)
            JS_FreeValue(guest.context, dropped.entries[slot].first);
    registry_free(&dropped);
}
