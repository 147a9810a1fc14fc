/* UTF-8, between bytes and code units, sixteen at a time where the machine can.
 *
 * Bytes are measured first, so that a string is made with the size it will have. Whether they are well-formed is found by
 * the method of Keiser and Lemire (Validating UTF-8 In Less Than One Instruction Per Byte, 2020): each pair of bytes is
 * classified by three tables of half bytes, whose common bits name the errors that the pair would be. */
#include "utf8.h"

#include <string.h>

#ifdef __wasm__
#include <wasm_simd128.h>
#define VECTOR __attribute__((target("simd128")))
#else
#define VECTOR
#endif

enum { BLOCK = 16 };

VECTOR size_t utf8_ascii_run(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
#ifdef __wasm__
    for (; i + 4 * BLOCK <= length; i += 4 * BLOCK) {
        v128_t a = wasm_v128_load(bytes + i), b = wasm_v128_load(bytes + i + BLOCK);
        v128_t c = wasm_v128_load(bytes + i + 2 * BLOCK), d = wasm_v128_load(bytes + i + 3 * BLOCK);
        if (wasm_i8x16_bitmask(wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d))))
            break;
    }
    for (; i + BLOCK <= length; i += BLOCK) {
        uint32_t high = wasm_i8x16_bitmask(wasm_v128_load(bytes + i));
        if (high)
            return i + (size_t)__builtin_ctz(high);
    }
#else
    for (uint64_t word; i + 8 <= length; i += 8) {
        memcpy(&word, bytes + i, 8);
        if (word & 0x8080808080808080ull)
            break;
    }
#endif
    while (i < length && bytes[i] < 0x80)
        i++;
    return i;
}

VECTOR size_t utf8_copy_ascii(uint8_t *out, const uint8_t *bytes, size_t length)
{
    size_t i = 0;
#ifdef __wasm__
    for (; i + 4 * BLOCK <= length; i += 4 * BLOCK) {
        v128_t a = wasm_v128_load(bytes + i), b = wasm_v128_load(bytes + i + BLOCK);
        v128_t c = wasm_v128_load(bytes + i + 2 * BLOCK), d = wasm_v128_load(bytes + i + 3 * BLOCK);
        if (wasm_i8x16_bitmask(wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d))))
            break;
        wasm_v128_store(out + i, a);
        wasm_v128_store(out + i + BLOCK, b);
        wasm_v128_store(out + i + 2 * BLOCK, c);
        wasm_v128_store(out + i + 3 * BLOCK, d);
    }
#endif
    for (; i < length && bytes[i] < 0x80; i++)
        out[i] = bytes[i];
    return i;
}

VECTOR size_t utf8_widen_ascii(uint16_t *out, const uint8_t *bytes, size_t length)
{
    size_t i = 0;
#ifdef __wasm__
    for (; i + BLOCK <= length; i += BLOCK) {
        v128_t block = wasm_v128_load(bytes + i);
        if (wasm_i8x16_bitmask(block))
            break;
        wasm_v128_store(out + i, wasm_u16x8_extend_low_u8x16(block));
        wasm_v128_store(out + i + 8, wasm_u16x8_extend_high_u8x16(block));
    }
#endif
    for (; i < length && bytes[i] < 0x80; i++)
        out[i] = bytes[i];
    return i;
}

int32_t utf8_next(const uint8_t *bytes, size_t length, size_t *i, bool surrogates, bool *cut)
{
    uint8_t lead = bytes[(*i)++], low = 0x80, high = 0xbf;
    int more;
    int32_t c;
    if (lead < 0x80)
        return lead;
    if (lead >= 0xc2 && lead <= 0xdf) {
        more = 1, c = lead & 0x1f;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        more = 2, c = lead & 0xf;
        if (lead == 0xe0)
            low = 0xa0;
        if (lead == 0xed && !surrogates)
            high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        more = 3, c = lead & 7;
        if (lead == 0xf0)
            low = 0x90;
        if (lead == 0xf4)
            high = 0x8f;
    } else {
        return -1;
    }
    for (; more; more--, low = 0x80, high = 0xbf) {
        if (*i >= length && cut)
            *cut = true;
        if (*i >= length || bytes[*i] < low || bytes[*i] > high)
            return -1;
        c = c << 6 | (bytes[(*i)++] & 0x3f);
    }
    return c;
}

size_t utf8_cut_off(const uint8_t *bytes, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        bool cut = false;
        size_t i = length - back;
        if ((bytes[i] & 0xc0) == 0x80)
            continue;
        utf8_next(bytes, length, &i, false, &cut);
        return cut ? back : 0;
    }
    return 0;
}

/* --- from bytes --- */

static void measure_each(Measure *measure, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        int32_t c = utf8_next(bytes, length, &i, false, NULL);
        measure->valid = measure->valid && c >= 0;
        measure->wide = measure->wide || c < 0 || c > 0xff;
        measure->units += c >= 0x10000 ? 2 : 1;
    }
}

#ifdef __wasm__
enum {
    TOO_SHORT = 1 << 0,   /* a lead or an ASCII byte where the one before wants a continuation */
    TOO_LONG = 1 << 1,    /* a continuation after ASCII */
    OVERLONG_3 = 1 << 2,
    TOO_LARGE = 1 << 3,
    SURROGATE = 1 << 4,
    OVERLONG_2 = 1 << 5,
    TOO_LARGE_1000 = 1 << 6, /* a lead above F4, before 80 to 8F */
    OVERLONG_4 = 1 << 6,
    TWO_CONTINUATIONS = 1 << 7, /* an error unless the two or three bytes before want that */
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS,
};

/* Not zero where something is malformed in `block`, which follows `before`. */
VECTOR static inline v128_t errors_in(v128_t block, v128_t before)
{
    const v128_t first_high = wasm_u8x16_const(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTINUATIONS,
        TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS, TOO_SHORT | OVERLONG_2, TOO_SHORT,
        TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
    const v128_t first_low = wasm_u8x16_const(
        CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE,
        CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000);
    const v128_t second_high = wasm_u8x16_const(
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
    const v128_t low_half = wasm_u8x16_const_splat(0x0f);
    v128_t one = wasm_i8x16_shuffle(before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    v128_t two = wasm_i8x16_shuffle(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    v128_t three = wasm_i8x16_shuffle(before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    v128_t pairs = wasm_v128_and(wasm_v128_and(wasm_i8x16_swizzle(first_high, wasm_u8x16_shr(one, 4)),
                                               wasm_i8x16_swizzle(first_low, wasm_v128_and(one, low_half))),
                                 wasm_i8x16_swizzle(second_high, wasm_u8x16_shr(block, 4)));
    /* The third byte of three, or the third or fourth of four: there two continuations stand by right. */
    v128_t wanted = wasm_v128_or(wasm_u8x16_sub_sat(two, wasm_u8x16_const_splat(0xe0 - 0x80)),
                                 wasm_u8x16_sub_sat(three, wasm_u8x16_const_splat(0xf0 - 0x80)));
    return wasm_v128_xor(wasm_v128_and(wanted, wasm_u8x16_const_splat(0x80)), pairs);
}

VECTOR static bool measure_valid(Measure *measure, const uint8_t *bytes, size_t length)
{
    v128_t before = wasm_u8x16_const_splat(0), errors = before, largest = before;
    size_t units = 0, i = 0;
    uint8_t rest[BLOCK] = {0};
    for (bool last = false; !last; i += BLOCK) {
        if (i + 4 * BLOCK <= length && (!i || bytes[i - 1] < 0x80)) {
            size_t run = utf8_ascii_run(bytes + i, length - i) / BLOCK * BLOCK;
            if (run) {
                units += run;
                i += run;
                before = wasm_u8x16_const_splat(0);
            }
        }
        const uint8_t *at = bytes + i;
        last = i + BLOCK > length;
        if (last) {
            /* Zeros close the text: a sequence that is cut off is too short. */
            memcpy(rest, at, length - i);
            at = rest;
        }
        v128_t block = wasm_v128_load(at);
        errors = wasm_v128_or(errors, errors_in(block, before));
        largest = wasm_u8x16_max(largest, block);
        /* Each byte but continuations begins a code point; those of four bytes are two code units. */
        units += (size_t)__builtin_popcount(wasm_i8x16_bitmask(wasm_i8x16_gt(block, wasm_i8x16_const_splat(-65))));
        units += (size_t)__builtin_popcount(wasm_i8x16_bitmask(wasm_u8x16_ge(block, wasm_u8x16_const_splat(0xf0))));
        before = block;
    }
    if (wasm_v128_any_true(errors))
        return false;
    measure->units += units - (i - length);
    measure->wide = measure->wide || wasm_v128_any_true(wasm_u8x16_gt(largest, wasm_u8x16_const_splat(0xc3)));
    return true;
}
#else
static bool measure_valid(Measure *measure, const uint8_t *bytes, size_t length)
{
    Measure found = *measure;
    measure_each(&found, bytes, length);
    if (found.valid)
        *measure = found;
    return found.valid;
}
#endif

void utf8_measure(Measure *measure, const uint8_t *bytes, size_t length)
{
    size_t run = utf8_ascii_run(bytes, length);
    measure->units += run;
    if (run < length && !measure_valid(measure, bytes + run, length - run))
        measure_each(measure, bytes + run, length - run);
}

VECTOR static size_t decode_narrow(uint8_t *out, const uint8_t *bytes, size_t length)
{
    uint8_t *start = out;
    for (size_t i = 0; i < length;) {
        size_t stop = length;
#ifdef __wasm__
        if (i + BLOCK <= length) {
            v128_t block = wasm_v128_load(bytes + i);
            if (!wasm_i8x16_bitmask(block)) {
                wasm_v128_store(out, block);
                out += BLOCK;
                i += BLOCK;
                continue;
            }
            stop = i + BLOCK;
        }
#endif
        while (i < stop) {
            uint8_t byte = bytes[i++];
            *out++ = byte < 0x80 ? byte : (uint8_t)(byte << 6 | (bytes[i++] & 0x3f));
        }
    }
    return (size_t)(out - start);
}

static size_t decode_valid(uint16_t *out, const uint8_t *bytes, size_t length)
{
    uint16_t *start = out;
    for (size_t i = 0; i < length;) {
        size_t run = utf8_widen_ascii(out, bytes + i, length - i);
        i += run;
        out += run;
        while (i < length && bytes[i] >= 0x80) {
            uint32_t lead = bytes[i], c;
            if (lead < 0xe0) {
                *out++ = (uint16_t)((lead & 0x1f) << 6 | (bytes[i + 1] & 0x3f));
                i += 2;
            } else if (lead < 0xf0) {
                *out++ = (uint16_t)(lead << 12 | (bytes[i + 1] & 0x3f) << 6 | (bytes[i + 2] & 0x3f));
                i += 3;
            } else {
                c = (lead & 7) << 18 | (bytes[i + 1] & 0x3fu) << 12 | (bytes[i + 2] & 0x3f) << 6 | (bytes[i + 3] & 0x3f);
                *out++ = (uint16_t)(0xd7c0 + (c >> 10));
                *out++ = (uint16_t)(0xdc00 + (c & 0x3ff));
                i += 4;
            }
        }
    }
    return (size_t)(out - start);
}

static size_t decode_each(uint16_t *out, const uint8_t *bytes, size_t length)
{
    uint16_t *start = out;
    for (size_t i = 0; i < length;) {
        int32_t c = utf8_next(bytes, length, &i, false, NULL);
        if (c < 0)
            c = 0xfffd;
        if (c >= 0x10000) {
            *out++ = (uint16_t)(0xd7c0 + (c >> 10));
            *out++ = (uint16_t)(0xdc00 + (c & 0x3ff));
        } else {
            *out++ = (uint16_t)c;
        }
    }
    return (size_t)(out - start);
}

size_t utf8_decode(void *out, const Measure *measure, const uint8_t *bytes, size_t length)
{
    return !measure->wide   ? decode_narrow(out, bytes, length)
           : measure->valid ? decode_valid(out, bytes, length)
                            : decode_each(out, bytes, length);
}

/* --- to bytes --- */

static bool is_lead(uint16_t unit) { return (unit & 0xfc00) == 0xd800; }
static bool is_trail(uint16_t unit) { return (unit & 0xfc00) == 0xdc00; }

static size_t narrow_bytes(const uint8_t *units, size_t length)
{
    size_t bytes = length;
    for (size_t i = 0; i < length; i++)
        bytes += units[i] >> 7;
    return bytes;
}

/* The unit after the last one is looked at when `more` says that it is there. */
static size_t wide_bytes(const uint16_t *units, size_t length, bool more)
{
    size_t bytes = length;
    for (size_t i = 0; i < length; i++) {
        bytes += (size_t)(units[i] >= 0x80) + (units[i] >= 0x800);
        /* The two halves of a pair take four bytes; a lone one becomes three, whichever it is. */
        if (is_lead(units[i]) && (more || i + 1 < length) && is_trail(units[i + 1]))
            bytes -= 2;
    }
    return bytes;
}

VECTOR size_t utf8_encoded_bytes(const void *units, size_t length, bool wide)
{
    const uint8_t *narrow = units;
    const uint16_t *text = units;
    size_t bytes = 0, i = 0;
#ifdef __wasm__
    for (; !wide && i + BLOCK <= length; i += BLOCK)
        bytes += BLOCK + (size_t)__builtin_popcount(wasm_i8x16_bitmask(wasm_v128_load(narrow + i)));
    for (; wide && i + BLOCK / 2 < length; i += BLOCK / 2) {
        v128_t block = wasm_v128_load(text + i);
        uint32_t surrogates = wasm_i16x8_bitmask(wasm_i16x8_eq(wasm_v128_and(block, wasm_u16x8_const_splat(0xf800)),
                                                               wasm_u16x8_const_splat(0xd800)));
        if (surrogates) {
            bytes += wide_bytes(text + i, BLOCK / 2, true);
            continue;
        }
        uint32_t two = wasm_i16x8_bitmask(wasm_u16x8_ge(block, wasm_u16x8_const_splat(0x80)));
        uint32_t three = wasm_i16x8_bitmask(wasm_u16x8_ge(block, wasm_u16x8_const_splat(0x800)));
        bytes += BLOCK / 2 + (size_t)__builtin_popcount(two) + (size_t)__builtin_popcount(three);
    }
#endif
    return bytes + (wide ? wide_bytes(text + i, length - i, false) : narrow_bytes(narrow + i, length - i));
}

/* The ASCII units at the beginning as bytes; at most `length`. */
VECTOR static size_t narrow_ascii(uint8_t *out, const uint16_t *units, size_t length)
{
    size_t i = 0;
#ifdef __wasm__
    for (; i + BLOCK <= length; i += BLOCK) {
        v128_t low = wasm_v128_load(units + i), high = wasm_v128_load(units + i + 8);
        v128_t above = wasm_v128_and(wasm_v128_or(low, high), wasm_u16x8_const_splat(0xff80));
        if (wasm_v128_any_true(above))
            break;
        wasm_v128_store(out + i, wasm_u8x16_narrow_i16x8(low, high));
    }
#endif
    for (; i < length && units[i] < 0x80; i++)
        out[i] = (uint8_t)units[i];
    return i;
}

VECTOR static size_t encode_narrow(uint8_t *out, size_t room, const uint8_t *units, size_t length, size_t *read)
{
    size_t at = utf8_copy_ascii(out, units, length < room ? length : room), i = at;
#ifdef __wasm__
    while (length - i >= BLOCK && room - at >= 2 * BLOCK) {
        v128_t block = wasm_v128_load(units + i);
        if (!wasm_i8x16_bitmask(block)) {
            wasm_v128_store(out + at, block);
            at += BLOCK;
            i += BLOCK;
            continue;
        }
        for (size_t stop = i + BLOCK; i < stop; i++) {
            if (units[i] >= 0x80)
                out[at++] = (uint8_t)(0xc0 | units[i] >> 6);
            out[at++] = (uint8_t)(units[i] < 0x80 ? units[i] : 0x80 | (units[i] & 0x3f));
        }
    }
#endif
    for (; i < length && room - at >= 1 + (units[i] >> 7); i++) {
        if (units[i] >= 0x80)
            out[at++] = (uint8_t)(0xc0 | units[i] >> 6);
        out[at++] = (uint8_t)(units[i] < 0x80 ? units[i] : 0x80 | (units[i] & 0x3f));
    }
    *read = i;
    return at;
}

size_t utf8_encode(uint8_t *out, size_t room, const void *units, size_t length, bool wide, bool surrogates, size_t *read)
{
    const uint16_t *text = units;
    size_t at = 0, i = 0;
    if (!wide)
        return encode_narrow(out, room, units, length, read);
    while (i < length && at < room) {
        size_t run = narrow_ascii(out + at, text + i, length - i < room - at ? length - i : room - at);
        at += run;
        i += run;
        for (; i < length && text[i] >= 0x80; i++) {
            uint32_t c = text[i];
            size_t left = room - at;
            if (c < 0x800) {
                if (left < 2)
                    goto full;
                out[at++] = (uint8_t)(0xc0 | c >> 6);
                out[at++] = (uint8_t)(0x80 | (c & 0x3f));
            } else if (is_lead(text[i]) && i + 1 < length && is_trail(text[i + 1])) {
                if (left < 4)
                    goto full;
                c = 0x10000 + ((c & 0x3ff) << 10) + (text[++i] & 0x3ff);
                out[at++] = (uint8_t)(0xf0 | c >> 18);
                out[at++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
                out[at++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
                out[at++] = (uint8_t)(0x80 | (c & 0x3f));
            } else {
                if (left < 3)
                    goto full;
                if (!surrogates && c >= 0xd800 && c < 0xe000)
                    c = 0xfffd;
                out[at++] = (uint8_t)(0xe0 | c >> 12);
                out[at++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
                out[at++] = (uint8_t)(0x80 | (c & 0x3f));
            }
        }
    }
full:
    *read = i;
    return at;
}
