/* Enums: an object with a property for each member, and one for each number that leads back to the member's name. All of
 * it is written into the lines where the members are, and initializers stay as they are. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

/* What the members of the enum around an initializer are; initializers may call them by their names alone. */
static struct {
    Slice name;
    uint32_t start, end;
    Names *members, *strings;
} current;

static bool is_string(TSNode value)
{
    /* As far as the text says: that is what decides for TypeScript as well where a file is compiled by itself. */
    for (uint32_t steps = 0; steps < 1000; steps++) {
        switch (kind_of(value)) {
        case STRING: case TEMPLATE:
            return true;
        case IDENTIFIER:
            return current.strings && names_have(current.strings, text_of(value));
        case PARENTHESIZED:
            value = ts_node_named_child(value, 0);
            break;
        case AS: case SATISFIES: case NON_NULL:
            value = ts_node_child(value, 0);
            break;
        case BINARY: {
            TSNode sign = ts_node_child(value, 1), right = ts_node_child(value, 2);
            if (!same(text_of(sign), "+"))
                return false;
            Kind kind = kind_of(right);
            if (kind == STRING || kind == TEMPLATE ||
                (kind == IDENTIFIER && current.strings && names_have(current.strings, text_of(right))))
                return true;
            value = ts_node_child(value, 0);
            break;
        }
        default:
            return false;
        }
    }
    return false;
}

/* The value of a decimal integer, which may have a sign. */
static bool is_integer(TSNode value, int64_t *number)
{
    bool is_negative = kind_of(value) == UNARY && same(text_of(ts_node_child(value, 0)), "-");
    if (is_negative)
        value = ts_node_child(value, 1);
    Slice text = text_of(value);
    if (kind_of(value) != NUMBER || text.length > 15 || (text.length > 1 && request.source[text.start] == '0'))
        return false;
    *number = 0;
    for (uint32_t at = text.start; at < text.start + text.length; at++) {
        if (request.source[at] < '0' || request.source[at] > '9')
            return false;
        *number = 10 * *number + request.source[at] - '0';
    }
    if (is_negative)
        *number = -*number;
    return true;
}

static void digits(int64_t number, char out[24])
{
    char reversed[24];
    uint32_t count = 0, length = 0;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        reversed[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        out[length++] = '-';
    while (count)
        out[length++] = reversed[--count];
    out[length] = 0;
}

/* The name of a member as a string literal: what is in the source, in quotes if it has none. */
static Slice key_of(TSNode name, const char **quote)
{
    if (kind_of(name) == OTHER && same((Slice){ts_node_start_byte(name), 1}, "["))
        name = ts_node_named_child(name, 0);
    *quote = kind_of(name) == PROPERTY_IDENTIFIER ? "\"" : "";
    if (kind_of(name) != PROPERTY_IDENTIFIER && kind_of(name) != STRING)
        refuse(ts_node_start_byte(name), "a member of an enum has a name or a string for a name");
    return text_of(name);
}

static Slice bare(Slice key, const char *quote)
{
    return *quote ? key : (Slice){key.start + 1, key.length - 2};
}

void enter_enum(TSNode node)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    Children list = children(node);
    const Child *name_child = child_of(list, IDENTIFIER), *body_child = child_of(list, ENUM_BODY);
    if (!name_child || !body_child)
        refuse(start, "this enum cannot be read");
    Slice name = text_of(name_child->node);
    TSNode body = body_child->node;
    uint32_t body_start = body_child->start;
    Declared *declared = open_object(start, body_start, name, end);

    current.name = name;
    current.start = body_start;
    current.end = end;
    current.members = &declared->members;
    current.strings = &declared->strings;
    list = children(body);
    Child *members = allocate(list.count * sizeof *members + 1);
    uint32_t count = list.count;
    memcpy(members, list.items, count * sizeof *members);
    bool has_number = true;
    int64_t number = 0;
    Slice before = {0, 0};
    const char *before_quote = "";
    for (uint32_t index = 0; index < count; index++) {
        const Child *each = &members[index];
        if (each->kind == SIGN_COMMA) {
            cut(each->start, each->end);
            continue;
        }
        if (each->kind == SIGN_OPEN_BRACE || each->kind == SIGN_CLOSE_BRACE || each->kind == COMMENT)
            continue;
        bool has_value = each->kind == ENUM_ASSIGNMENT;
        TSNode key_node = has_value ? ts_node_child(each->node, 0) : each->node;
        Slice whole = text_of(key_node);
        const char *quote;
        Slice key = key_of(key_node, &quote);
        cut(whole.start, whole.start + whole.length);
        if (has_value) {
            TSNode value = ts_node_child(each->node, ts_node_child_count(each->node) - 1);
            if (is_string(value)) {
                insert(whole.start, "%v[%s%v%s]", name, quote, key, quote);
                insert(each->end, ";");
                names_add(current.strings, bare(key, quote));
                before.length = 0;
                has_number = false;
            } else {
                insert(whole.start, "%v[%v[%s%v%s]", name, name, quote, key, quote);
                insert_late(each->end, "] = %s%v%s;", quote, key, quote);
                has_number = is_integer(value, &number);
                number++;
                before = key;
            }
        } else {
            char text[24];
            digits(number, text);
            insert(whole.start, "%v[%v[%s%v%s] = ", name, name, quote, key, quote);
            if (has_number)
                insert(whole.start, "%s", text);
            else if (before.length)
                insert(whole.start, "%v[%s%v%s] + 1", name, before_quote, before, before_quote);
            else
                refuse(whole.start, "this member of an enum needs an initializer, for it follows one with a string");
            insert(whole.start, "] = %s%v%s;", quote, key, quote);
            number++;
            before = key;
        }
        before_quote = quote;
        names_add(current.members, bare(key, quote));
    }
    free(members);
}

void qualify_member(TSNode identifier)
{
    Slice name = text_of(identifier);
    if (name.start > current.start && name.start < current.end && current.members && names_have(current.members, name))
        insert(name.start, "%v.", current.name);
}
