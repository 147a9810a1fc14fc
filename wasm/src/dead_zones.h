/* Which uses of a `let`, a `const` or a class cannot come before its declaration.
 *
 * The engine looks at every use whether the variable has been initialized. Most uses cannot fail: this finds them, by
 * what every way to them has done before, and has them be plain ones, which are shorter, and which the engine's own
 * optimizations know. It runs on a function's code after its variables are resolved and before its labels are.
 *
 * A variable counts as initialized after its declaration, and after a use that looked. It does not where a scope begins
 * (again). Two ways merge to what both have. What is caught may have been thrown anywhere, and what comes after a
 * `finally` block has been through it: there nothing is known. So a wrong answer here can only be a look too many. */
#ifndef DEAD_ZONES_H
#define DEAD_ZONES_H

enum {
    ZONE_WORDS = 8,                 /* variables beyond the first 512 of a function are looked at as ever */
    ZONE_BITS = 64,
    ZONE_LABELS = 1 << 13,          /* no more than half a megabyte; a function with more is left as it is */
    ZONE_ROUNDS = 6,                /* so is one whose loops are not settled by then */
};

typedef struct Zones {
    JSFunctionDef *function;
    uint64_t (*at)[ZONE_WORDS];     /* what is initialized at each label, by all ways to it that have been seen */
    uint64_t here[ZONE_WORDS];
    bool has_changed;
} Zones;

/* One more way to a label, on which this is initialized. */
static void zones_merge(Zones *zones, int label, const uint64_t known[ZONE_WORDS])
{
    for (int i = 0; i < ZONE_WORDS; i++) {
        uint64_t both = zones->at[label][i] & known[i];
        zones->has_changed |= both != zones->at[label][i];
        zones->at[label][i] = both;
    }
}

/* Go through the code once; with `is_last`, change what need not look. */
static void zones_pass(Zones *zones, bool is_last)
{
    static const uint64_t nothing[ZONE_WORDS];
    uint8_t *code = zones->function->byte_code.buf;
    int length = (int)zones->function->byte_code.size;
    zones->has_changed = false;
    engine_weigh((size_t)length);
    memset(zones->here, 0, sizeof(zones->here));
    for (int at = 0, next; at < length; at = next) {
        int op = code[at], format = opcode_info[op].fmt;
        next = at + opcode_info[op].size;
        if (format == OP_FMT_label || format == OP_FMT_atom_label_u8) {
            int label = (int)get_u32(code + at + (format == OP_FMT_label ? 1 : 5));
            zones_merge(zones, label, op == OP_catch ? nothing : zones->here);
            if (op == OP_label)
                memcpy(zones->here, zones->at[label], sizeof(zones->here));
        }
        unsigned index = format == OP_FMT_loc ? get_u16(code + at + 1) : ZONE_WORDS * ZONE_BITS;
        uint64_t none = 0, *word = index < ZONE_WORDS * ZONE_BITS ? &zones->here[index / ZONE_BITS] : &none;
        uint64_t bit = 1ull << index % ZONE_BITS;
        switch (op) {
        case OP_get_loc_check:
        case OP_put_loc_check:
            if (is_last && (*word & bit))
                code[at] = op == OP_get_loc_check ? OP_get_loc : OP_put_loc;
            *word |= bit;
            break;
        case OP_put_loc:
        case OP_set_loc:
        case OP_put_loc_check_init:
            *word |= bit;
            break;
        case OP_set_loc_uninitialized:
            *word &= ~bit;
            break;
        case OP_gosub:
            memset(zones->here, 0, sizeof(zones->here));
            break;
        case OP_goto:
        case OP_ret:
        case OP_return:
        case OP_return_undef:
        case OP_return_async:
        case OP_throw:
        case OP_throw_error:
            memset(zones->here, 0xff, sizeof(zones->here)); /* nothing comes here but by a label */
            break;
        }
    }
}

static void dead_zones_forget(JSContext *ctx, JSFunctionDef *function)
{
    Zones zones = {.function = function};
    int labels = function->label_count;
    if (!function->var_count || labels > ZONE_LABELS)
        return;
    if (labels && !(zones.at = js_malloc_rt(ctx->rt, (size_t)labels * sizeof(*zones.at))))
        return;                     /* it costs speed, not the function */
    if (labels)
        memset(zones.at, 0xff, (size_t)labels * sizeof(*zones.at));
    int rounds = 0;
    do
        zones_pass(&zones, false);
    while (zones.has_changed && ++rounds < ZONE_ROUNDS);
    if (!zones.has_changed)
        zones_pass(&zones, true);
    js_free_rt(ctx->rt, zones.at);
}

#endif
