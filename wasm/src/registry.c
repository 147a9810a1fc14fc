#include "registry.h"

#include <stdlib.h>

static uint32_t slot_of(const Registry *registry, uint32_t id)
{
    /* The upper bits of the product: ids may be addresses, whose lower bits are all the same. */
    return (id * 2654435769u) >> (__builtin_clz(registry->room) + 1);
}

Entry *registry_find(const Registry *registry, uint32_t id)
{
    if (!registry->room || !id)
        return NULL;
    for (uint32_t slot = slot_of(registry, id);; slot = (slot + 1) & (registry->room - 1)) {
        Entry *entry = &registry->entries[slot];
        if (entry->id == id)
            return entry;
        if (!entry->id)
            return NULL;
    }
}

static Entry *free_slot(Registry *registry, uint32_t id)
{
    uint32_t slot = slot_of(registry, id);
    while (registry->entries[slot].id)
        slot = (slot + 1) & (registry->room - 1);
    return &registry->entries[slot];
}

static bool grow(Registry *registry)
{
    Registry wider = {.room = registry->room ? registry->room * 2 : 16, .count = registry->count};
    wider.entries = calloc(wider.room, sizeof(Entry));
    if (!wider.entries)
        return false;
    for (uint32_t slot = 0; slot < registry->room; slot++) {
        Entry *entry = &registry->entries[slot];
        if (entry->id)
            *free_slot(&wider, entry->id) = *entry;
    }
    free(registry->entries);
    *registry = wider;
    return true;
}

Entry *registry_add(Registry *registry, uint32_t id)
{
    if ((registry->count + 1) * 4 > registry->room * 3 && !grow(registry))
        return NULL;
    Entry *entry = free_slot(registry, id);
    registry->count++;
    *entry = (Entry){.id = id, .first = JS_UNDEFINED, .second = JS_UNDEFINED};
    return entry;
}

void registry_remove(Registry *registry, Entry *entry)
{
    /* Close the gap so that no probe sequence is cut: move later entries of the cluster back where they may stand. */
    uint32_t mask = registry->room - 1;
    uint32_t gap = (uint32_t)(entry - registry->entries);
    for (uint32_t slot = (gap + 1) & mask; registry->entries[slot].id; slot = (slot + 1) & mask) {
        uint32_t home = slot_of(registry, registry->entries[slot].id);
        if (((slot - home) & mask) >= ((slot - gap) & mask)) {
            registry->entries[gap] = registry->entries[slot];
            gap = slot;
        }
    }
    registry->entries[gap].id = 0;
    registry->count--;
}

void registry_free(Registry *registry)
{
    free(registry->entries);
    *registry = (Registry){0};
}
