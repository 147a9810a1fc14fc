/* The sandbox's time zone: a table of transitions that the host gives before anything runs, and that the engine's Date
 * asks. Without one, local time is UTC. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#define CYCLE_SECONDS INT64_C(12622780800)   /* 400 years, after which the calendar repeats */
#define FARTHEST_SECONDS INT64_C(9000000000000) /* beyond every Date */

typedef struct Transition {
    int64_t at;          /* seconds since the Unix epoch */
    int32_t offset;      /* of local time from UTC from then on, in seconds */
} Transition;

static struct {
    Transition *transitions; /* ascending; owned */
    uint32_t count;
    int32_t first_offset;    /* before the first one */
    bool repeats;            /* what holds in the last 400 years of the table holds ever after */
} zone;

static uint32_t read_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* The table: whether it repeats and the first offset, both 32 bits, then 64 bits of time and 32 of offset for each
 * transition. False: it is none, or there is no memory. */
bool zones_set(Bytes table)
{
    const uint8_t *bytes = (const uint8_t *)table.data;
    size_t count = table.length < 8 ? 0 : (table.length - 8) / 12;
    if (table.length != 8 + count * 12)
        return false;
    Transition *transitions = count ? malloc(count * sizeof(*transitions)) : NULL;
    if (count && !transitions)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + 8 + i * 12;
        memcpy(&transitions[i].at, entry, 8);
        transitions[i].offset = (int32_t)read_u32(entry + 8);
    }
    free(zone.transitions);
    zone.transitions = transitions;
    zone.count = (uint32_t)count;
    zone.repeats = count && read_u32(bytes);
    zone.first_offset = (int32_t)read_u32(bytes + 4);
    return true;
}

static int32_t offset_before(uint32_t index)
{
    return index ? zone.transitions[index - 1].offset : zone.first_offset;
}

/* When a transition comes: by UTC, or by the clocks on the wall. Of a local time that was skipped or that comes twice,
 * what held before the transition counts, as ECMA-262 says. */
static int64_t moment(uint32_t index, bool is_local)
{
    int32_t before = offset_before(index), after = zone.transitions[index].offset;
    return zone.transitions[index].at + (is_local ? before > after ? before : after : 0);
}

static int32_t offset_at(int64_t seconds, bool is_local)
{
    if (!zone.count)
        return zone.first_offset;
    if (seconds > FARTHEST_SECONDS)
        seconds = FARTHEST_SECONDS;
    int64_t last = moment(zone.count - 1, is_local);
    if (zone.repeats && seconds >= last)
        seconds -= ((seconds - last) / CYCLE_SECONDS + 1) * CYCLE_SECONDS;
    uint32_t low = 0, high = zone.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (moment(middle, is_local) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return offset_before(low);
}

static int64_t floor_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

int64_t zones_offset_ms(int64_t utc_ms)
{
    return offset_at(floor_seconds(utc_ms), false) * INT64_C(1000);
}

int64_t zones_local_offset_ms(int64_t local_ms)
{
    return offset_at(floor_seconds(local_ms), true) * INT64_C(1000);
}
