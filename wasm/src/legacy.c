/* The decoders of the Encoding Standard other than UTF-8, by its algorithms; the tables are made by wasm/encodings.py. */
#include "legacy.h"

#include <string.h>

#include "encoding_tables.h"
#include "utf8.h"

enum {
    MALFORMED = -1,       /* consumed; U+FFFD stands for it */
    UNFINISHED = -2,      /* more bytes are needed; nothing was consumed */
    NOTHING = -3,         /* consumed; it is no text */
    PAIRED = 1 << 24,     /* beside a code point: U+0304 or U+030C follows it */
    CARON = 1 << 25,
};

/* --- labels --- */

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

const Encoding *encoding_of(const uint8_t *label, size_t length)
{
    char name[32];
    while (length && is_space(*label))
        label++, length--;
    while (length && is_space(label[length - 1]))
        length--;
    if (length >= sizeof(name))
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (!label[i])
            return NULL;
        name[i] = (char)(label[i] >= 'A' && label[i] <= 'Z' ? label[i] | 0x20 : label[i]);
    }
    name[length] = 0;
    for (int low = 0, high = ENCODING_LABELS; low < high;) {
        int middle = (low + high) / 2, order = strcmp(name, encoding_labels[middle].label);
        if (!order)
            return &encodings[encoding_labels[middle].encoding];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool encoding_is_utf8(const Encoding *encoding) { return encoding->kind == ENCODING_UTF8; }
bool encoding_is_replacement(const Encoding *encoding) { return encoding->kind == ENCODING_REPLACEMENT; }

bool encoding_is_utf16(const Encoding *encoding)
{
    return encoding->kind == ENCODING_UTF16LE || encoding->kind == ENCODING_UTF16BE;
}

/* --- one sequence ---
 * Each of these reads one from `bytes`, of which `length` are there: at least one. `*i` is 0, and becomes the number of
 * bytes that were consumed. A byte that was read and is to be read again is just not consumed. */

static int32_t index_entry(const uint16_t *index, uint32_t length, uint32_t pointer)
{
    return pointer < length && index[pointer] ? index[pointer] : MALFORMED;
}

/* What follows a trail byte that stands for nothing: it is read again if it is ASCII. */
static int32_t bad_trail(uint8_t trail, size_t *i)
{
    *i = trail < 0x80 ? 1 : 2;
    return MALFORMED;
}

static int32_t gb18030_linear(uint32_t pointer)
{
    if (pointer >= 189000)
        return pointer <= 1237575 ? (int32_t)(pointer - 189000 + 0x10000) : MALFORMED;
    if (pointer > 39419)
        return MALFORMED;
    uint32_t low = 0, high = GB18030_RANGES;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (gb18030_ranges[middle].pointer <= pointer)
            low = middle;
        else
            high = middle;
    }
    return (int32_t)(gb18030_ranges[low].code_point + pointer - gb18030_ranges[low].pointer);
}

static inline int32_t next_gb18030(const uint8_t *bytes, size_t length, size_t *i)
{
    uint32_t first = bytes[0];
    *i = 1;
    if (first == 0x80)
        return 0x20ac;
    if (first == 0xff)
        return MALFORMED;
    if (length < 2)
        return UNFINISHED;
    uint32_t second = bytes[1];
    if (second >= 0x30 && second <= 0x39) {
        if (length < 3)
            return UNFINISHED;
        if (bytes[2] < 0x81 || bytes[2] > 0xfe)
            return MALFORMED;
        if (length < 4)
            return UNFINISHED;
        if (bytes[3] < 0x30 || bytes[3] > 0x39)
            return MALFORMED;
        *i = 4;
        return gb18030_linear(((first - 0x81) * 10 + second - 0x30) * 1260 + (bytes[2] - 0x81u) * 10 + bytes[3] - 0x30);
    }
    *i = 2;
    int32_t c = MALFORMED;
    if (second >= 0x40 && second != 0x7f && second != 0xff)
        c = index_entry(index_gb18030, INDEX_GB18030_LENGTH, (first - 0x81) * 190 + second - (second < 0x7f ? 0x40 : 0x41));
    return c == MALFORMED ? bad_trail((uint8_t)second, i) : c;
}

static inline int32_t next_big5(const uint8_t *bytes, size_t length, size_t *i)
{
    uint32_t lead = bytes[0];
    *i = 1;
    if (lead == 0x80 || lead == 0xff)
        return MALFORMED;
    if (length < 2)
        return UNFINISHED;
    uint32_t trail = bytes[1];
    *i = 2;
    if ((trail >= 0x40 && trail <= 0x7e) || (trail >= 0xa1 && trail <= 0xfe)) {
        uint32_t pointer = (lead - 0x81) * 157 + trail - (trail < 0x7f ? 0x40 : 0x62);
        switch (pointer) {
        case 1133: return 0xca | PAIRED;
        case 1135: return 0xca | PAIRED | CARON;
        case 1164: return 0xea | PAIRED;
        case 1166: return 0xea | PAIRED | CARON;
        }
        int32_t c = index_entry(index_big5, INDEX_BIG5_LENGTH, pointer);
        if (c != MALFORMED)
            return index_big5_plane_2[pointer >> 3] >> (pointer & 7) & 1 ? c | 0x20000 : c;
    }
    return bad_trail((uint8_t)trail, i);
}

static inline int32_t next_euc_kr(const uint8_t *bytes, size_t length, size_t *i)
{
    uint32_t lead = bytes[0];
    *i = 1;
    if (lead == 0x80 || lead == 0xff)
        return MALFORMED;
    if (length < 2)
        return UNFINISHED;
    uint32_t trail = bytes[1];
    *i = 2;
    int32_t c = MALFORMED;
    if (trail >= 0x41 && trail <= 0xfe)
        c = index_entry(index_euc_kr, INDEX_EUC_KR_LENGTH, (lead - 0x81) * 190 + trail - 0x41);
    return c == MALFORMED ? bad_trail((uint8_t)trail, i) : c;
}

static inline int32_t next_shift_jis(const uint8_t *bytes, size_t length, size_t *i)
{
    uint32_t lead = bytes[0];
    *i = 1;
    if (lead == 0x80)
        return 0x80;
    if (lead >= 0xa1 && lead <= 0xdf)
        return (int32_t)(0xff61 - 0xa1 + lead);
    if (lead == 0xa0 || lead > 0xfc)
        return MALFORMED;
    if (length < 2)
        return UNFINISHED;
    uint32_t trail = bytes[1];
    *i = 2;
    if (trail >= 0x40 && trail <= 0xfc && trail != 0x7f) {
        uint32_t pointer = (lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 188 + trail - (trail < 0x7f ? 0x40 : 0x41);
        if (pointer >= 8836 && pointer <= 10715)
            return (int32_t)(0xe000 - 8836 + pointer);
        int32_t c = index_entry(index_jis0208, INDEX_JIS0208_LENGTH, pointer);
        if (c != MALFORMED)
            return c;
    }
    return bad_trail((uint8_t)trail, i);
}

static bool is_euc(uint8_t byte) { return byte >= 0xa1 && byte <= 0xfe; }

static inline int32_t next_euc_jp(const uint8_t *bytes, size_t length, size_t *i)
{
    uint8_t lead = bytes[0];
    *i = 1;
    if (lead != 0x8e && lead != 0x8f && !is_euc(lead))
        return MALFORMED;
    if (length < 2)
        return UNFINISHED;
    uint8_t trail = bytes[1];
    *i = 2;
    if (lead == 0x8e && trail >= 0xa1 && trail <= 0xdf)
        return 0xff61 - 0xa1 + trail;
    int32_t c = MALFORMED;
    if (lead == 0x8f && is_euc(trail)) {
        if (length < 3)
            return UNFINISHED;
        *i = 3;
        if (is_euc(bytes[2]))
            c = index_entry(index_jis0212, INDEX_JIS0212_LENGTH, (trail - 0xa1u) * 94 + bytes[2] - 0xa1);
        if (c == MALFORMED && bytes[2] < 0x80)
            *i = 2;
        return c;
    }
    if (is_euc(lead) && is_euc(trail))
        c = index_entry(index_jis0208, INDEX_JIS0208_LENGTH, (lead - 0xa1u) * 94 + trail - 0xa1);
    return c == MALFORMED ? bad_trail(trail, i) : c;
}

enum { JIS_ASCII, JIS_ROMAN, JIS_KATAKANA, JIS_TWO_BYTES };

static int32_t next_iso_2022_jp(Decoding *decoding, const uint8_t *bytes, size_t length, bool last, size_t *i)
{
    static const struct { uint8_t first, second, mode; } escapes[] = {
        {'(', 'B', JIS_ASCII}, {'(', 'J', JIS_ROMAN}, {'(', 'I', JIS_KATAKANA}, {'$', '@', JIS_TWO_BYTES},
        {'$', 'B', JIS_TWO_BYTES},
    };
    uint8_t lead = bytes[0];
    *i = 1;
    if (lead == 0x1b) {
        /* An escape sequence that is none is malformed in its first byte alone. */
        if (!last && (length < 2 || (length < 3 && (bytes[1] == '(' || bytes[1] == '$'))))
            return UNFINISHED;
        for (size_t n = 0; length >= 3 && n < sizeof(escapes) / sizeof(escapes[0]); n++) {
            if (bytes[1] != escapes[n].first || bytes[2] != escapes[n].second)
                continue;
            bool again = decoding->escaped;
            decoding->mode = escapes[n].mode;
            decoding->escaped = true;
            *i = 3;
            return again ? MALFORMED : NOTHING;
        }
        decoding->escaped = false;
        return MALFORMED;
    }
    decoding->escaped = false;
    switch (decoding->mode) {
    case JIS_KATAKANA:
        return lead >= 0x21 && lead <= 0x5f ? 0xff61 - 0x21 + lead : MALFORMED;
    case JIS_TWO_BYTES:
        if (lead < 0x21 || lead > 0x7e)
            return MALFORMED;
        if (length < 2)
            return UNFINISHED;
        if (bytes[1] == 0x1b)
            return MALFORMED;
        *i = 2;
        if (bytes[1] < 0x21 || bytes[1] > 0x7e)
            return MALFORMED;
        return index_entry(index_jis0208, INDEX_JIS0208_LENGTH, (lead - 0x21u) * 94 + bytes[1] - 0x21);
    case JIS_ROMAN:
        if (lead == 0x5c)
            return 0xa5;
        if (lead == 0x7e)
            return 0x203e;
    }
    return lead < 0x80 && lead != 0x0e && lead != 0x0f ? lead : MALFORMED;
}

static inline int32_t next_utf16(const uint8_t *bytes, size_t length, bool big, size_t *i)
{
    if (length < 2)
        return UNFINISHED;
    uint32_t unit = (uint32_t)(bytes[!big] << 8 | bytes[big]);
    *i = 2;
    if ((unit & 0xf800) != 0xd800)
        return (int32_t)unit;
    if (unit & 0x400)
        return MALFORMED;
    if (length < 4)
        return UNFINISHED;
    uint32_t second = (uint32_t)(bytes[2 + !big] << 8 | bytes[2 + big]);
    if ((second & 0xfc00) != 0xdc00)
        return MALFORMED;
    *i = 4;
    return (int32_t)(0x10000 + ((unit & 0x3ff) << 10) + (second & 0x3ff));
}

/* --- many --- */

size_t decoding_most_units(const Decoding *decoding, size_t bytes)
{
    return encoding_is_utf16(decoding->encoding) ? bytes / 2 + 1 : bytes + 1;
}

static inline uint16_t *put(uint16_t *out, int32_t c)
{
    if (c >= PAIRED) {
        *out++ = (uint16_t)c;
        *out++ = c & CARON ? 0x30c : 0x304;
    } else if (c >= 0x10000) {
        *out++ = (uint16_t)(0xd7c0 + (c >> 10));
        *out++ = (uint16_t)(0xdc00 + (c & 0x3ff));
    } else {
        *out++ = (uint16_t)c;
    }
    return out;
}

/* The loop around one of the functions above, each in a copy of its own. */
#define RUN(ASCII_BELOW, NEXT)                                                                                         \
    while (at < stop) {                                                                                                \
        const uint8_t *here = bytes + at;                                                                              \
        size_t left = length - at, i = 0;                                                                              \
        if (*here < (ASCII_BELOW)) {                                                                                   \
            size_t run = utf8_widen_ascii(out, here, stop - at);                                                       \
            out += run;                                                                                                \
            at += run;                                                                                                 \
            continue;                                                                                                  \
        }                                                                                                              \
        int32_t c = (NEXT);                                                                                            \
        if (c == UNFINISHED) {                                                                                         \
            if (!last)                                                                                                 \
                break;                                                                                                 \
            c = MALFORMED;                                                                                             \
            i = left;                                                                                                  \
        }                                                                                                              \
        at += i;                                                                                                       \
        if (c == NOTHING)                                                                                              \
            continue;                                                                                                  \
        if (c == MALFORMED) {                                                                                          \
            if (decoding->fatal) {                                                                                     \
                decoding->malformed = true;                                                                            \
                break;                                                                                                 \
            }                                                                                                          \
            c = 0xfffd;                                                                                                \
        }                                                                                                              \
        out = put(out, c);                                                                                             \
    }                                                                                                                  \
    break

static inline int32_t next_of_table(const uint16_t *table, uint8_t byte, size_t *i)
{
    uint16_t c = table[byte - 0x80];
    *i = 1;
    return c ? c : MALFORMED;
}

static inline int32_t next_user_defined(uint8_t byte, size_t *i)
{
    *i = 1;
    return 0xf780 + byte - 0x80;
}

size_t decoding_run(Decoding *decoding, uint16_t **to, const uint8_t *bytes, size_t length, size_t stop, bool last)
{
    const uint16_t *table = single_byte_tables[decoding->encoding->table];
    uint16_t *out = *to;
    size_t at = 0;
    switch (decoding->encoding->kind) {
    case ENCODING_SINGLE_BYTE: RUN(0x80, next_of_table(table, *here, &i));
    case ENCODING_USER_DEFINED: RUN(0x80, next_user_defined(*here, &i));
    case ENCODING_GB18030: RUN(0x80, next_gb18030(here, left, &i));
    case ENCODING_BIG5: RUN(0x80, next_big5(here, left, &i));
    case ENCODING_EUC_JP: RUN(0x80, next_euc_jp(here, left, &i));
    case ENCODING_EUC_KR: RUN(0x80, next_euc_kr(here, left, &i));
    case ENCODING_SHIFT_JIS: RUN(0x80, next_shift_jis(here, left, &i));
    case ENCODING_ISO_2022_JP: RUN(0, next_iso_2022_jp(decoding, here, left, last, &i));
    case ENCODING_UTF16LE: RUN(0, next_utf16(here, left, false, &i));
    case ENCODING_UTF16BE: RUN(0, next_utf16(here, left, true, &i));
    }
    *to = out;
    return at;
}
