/* Where a name stands in a list that only grows: the variables of a function, the names of a module's scope, its exports,
 * those of a namespace.
 *
 * A list of a few names is searched from an end. For a longer one there is a table, which takes in what was added since
 * when a name is looked for; so whoever adds need not know of it. Without memory for the table the list is searched as if
 * it were short.
 *
 * Variables are told apart by their scope as well: a function may have thousands of blocks that each have an `i`. */
#ifndef NAME_INDEX_H
#define NAME_INDEX_H

typedef struct NameIndex {
    uint32_t *slots;    /* the place in the list plus one; 0: free */
    uint32_t size;      /* of the table, a power of two; at least twice as many as `count` */
    uint32_t count;     /* so many of the list are in the table */
} NameIndex;

enum { FEW_NAMES = 16 };

/* A list of entries that each hold a name, and with `scoped` a scope. Of entries that are alike the first counts, of
 * scoped ones the last. */
typedef struct NameList {
    const void *entries;
    size_t stride;
    size_t name_offset;
    size_t scope_offset;
    bool scoped;
    uint32_t count;
} NameList;

#define NAME_LIST(list, name, length) \
    (NameList){(list), sizeof(*(list)), offsetof(__typeof__(*(list)), name), 0, false, (uint32_t)(length)}
#define SCOPED_LIST(list, name, scope, length) \
    (NameList){(list), sizeof(*(list)), offsetof(__typeof__(*(list)), name), offsetof(__typeof__(*(list)), scope), true, \
               (uint32_t)(length)}

static JSAtom name_at(const NameList *list, uint32_t place)
{
    return *(const JSAtom *)((const uint8_t *)list->entries + list->stride * place + list->name_offset);
}

static int scope_at(const NameList *list, uint32_t place)
{
    if (!list->scoped)
        return 0;
    return *(const int *)((const uint8_t *)list->entries + list->stride * place + list->scope_offset);
}

/* The slot of this name, or the free one where it would stand. */
static uint32_t *name_slot(const NameIndex *index, const NameList *list, JSAtom name, int scope)
{
    uint32_t mask = index->size - 1;
    uint32_t at = (name * 0x9e3779b1u ^ (uint32_t)scope * 0x85ebca6bu) >> 15 & mask;
    for (; index->slots[at]; at = (at + 1) & mask) {
        uint32_t place = index->slots[at] - 1;
        if (name_at(list, place) == name && scope_at(list, place) == scope)
            break;
        engine_weigh(32);    /* a program may choose names that come to the same slots */
    }
    return &index->slots[at];
}

/* Take in what the list has and the table has not; false: the list is short, or there is no memory. */
static bool name_index_update(JSContext *ctx, NameIndex *index, const NameList *list)
{
    if (list->count <= FEW_NAMES)
        return false;
    if (list->count > index->size / 2) {
        uint32_t size = 4 * FEW_NAMES;
        while (size < 2 * list->count)
            size *= 2;
        uint32_t *slots = js_realloc_rt(JS_GetRuntime(ctx), index->slots, size * sizeof(*slots));
        if (!slots)
            return false;
        memset(slots, 0, size * sizeof(*slots));
        *index = (NameIndex){slots, size, 0};
    }
    for (; index->count < list->count; index->count++) {
        uint32_t *slot = name_slot(index, list, name_at(list, index->count), scope_at(list, index->count));
        if (!*slot || list->scoped)
            *slot = index->count + 1;
    }
    return true;
}

/* The first place of this name in the list; the end of the list: it is not in it. */
static int name_place(JSContext *ctx, NameIndex *index, NameList list, JSAtom name)
{
    if (name_index_update(ctx, index, &list)) {
        uint32_t place = *name_slot(index, &list, name, 0);
        return (int)(place ? place - 1 : list.count);
    }
    engine_weigh((size_t)list.count * 2);
    uint32_t place = 0;
    while (place < list.count && name_at(&list, place) != name)
        place++;
    return (int)place;
}

#endif
