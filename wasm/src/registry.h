/* Ids to values: what the guest keeps for the host (handles) and from it (requests), and who was seen in a message. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "quickjs.h"

typedef struct Entry {
    uint32_t id;          /* 0: free; ids in use are never 0 */
    JSValue first, second; /* owned by whoever fills the entry */
} Entry;

typedef struct Registry {
    Entry *entries;       /* open addressing, linear probing */
    uint32_t room;        /* 0 or a power of two */
    uint32_t count;
} Registry;

Entry *registry_find(const Registry *registry, uint32_t id);
Entry *registry_add(Registry *registry, uint32_t id);   /* NULL: out of memory; the id must not be present */
void registry_remove(Registry *registry, Entry *entry);
void registry_free(Registry *registry);

#endif
