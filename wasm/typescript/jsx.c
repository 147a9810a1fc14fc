/* JSX: an element becomes a call, attributes the properties of an object, and what stands between its tags further
 * arguments, or the property `children`. Expressions stay where they are. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

bool has_jsx;

static bool has_keys, has_fragments, has_elements, has_lists;

static bool is_automatic(void) { return request.flags & AUTOMATIC_JSX; }

static bool is_root(Slice name, const char *path)
{
    uint32_t length = (uint32_t)strcspn(path, ".");
    return length == name.length && !memcmp(request.source + name.start, path, length);
}

bool jsx_uses(Slice name)
{
    return has_jsx && !is_automatic() && (is_root(name, request.factory) || is_root(name, request.fragment));
}

/* Whether an element is one of the document, which a string names. */
static bool is_intrinsic(TSNode name)
{
    Slice text = text_of(name);
    char first = request.source[text.start];
    return kind_of(name) == JSX_NAMESPACE_NAME || (kind_of(name) == IDENTIFIER && first >= 'a' && first <= 'z') ||
           memchr(request.source + text.start, '-', text.length);
}

static void enter_attribute(TSNode node)
{
    Children list = children(node);
    TSNode name = list.items[0].node, value = list.items[list.count - 1].node;
    Slice text = text_of(name);
    bool is_quoted = kind_of(name) == JSX_NAMESPACE_NAME || memchr(request.source + text.start, '-', text.length);
    bool is_prototype = same(text, "__proto__"); /* an own property here, as every other */
    has_keys |= same(text, "key");
    insert(text.start, is_prototype ? "[\"" : is_quoted ? "\"" : "");
    insert(text.start + text.length, is_prototype ? "\"]" : is_quoted ? "\"" : "");
    if (list.count == 1) {
        insert(text.start + text.length, ": true");
    } else {
        const Child *sign = child_of(list, SIGN_EQUALS);
        blank(sign->start, sign->end);
        put(sign->start, ':');
        Slice whole = text_of(value);
        if (kind_of(value) == STRING)
            write_jsx_string(whole.start + 1, whole.start + whole.length - 1, whole.start, whole.start + whole.length);
        else if (kind_of(value) == JSX_EXPRESSION)
            open_expression(value, "", true);
    }
    insert(ts_node_end_byte(node), ",");
}

/* Makes an expression of one in braces. */
void open_expression(TSNode node, const char *before, bool is_needed)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    uint32_t count = ts_node_named_child_count(node);
    Kind kind = OTHER;
    for (uint32_t index = 0; index < count; index++)
        if (kind_of(ts_node_named_child(node, index)) != COMMENT)
            kind = kind_of(ts_node_named_child(node, index));
    bool is_list = kind == SEQUENCE;
    if (is_needed && !count)
        refuse(start, "an expression is missing between these braces");
    blank(start, start + 1);
    blank(end - 1, end);
    if (*before && !is_list)
        put(start, *before);
    else
        insert(start, "%s%s", before, is_list ? "(" : "");
    if (is_list)
        insert(end, ")");
}

static bool is_empty(TSNode expression)
{
    uint32_t count = ts_node_named_child_count(expression);
    for (uint32_t index = 0; index < count; index++)
        if (kind_of(ts_node_named_child(expression, index)) != COMMENT)
            return false;
    return true;
}

static void enter_opening(TSNode tag, uint32_t start, bool has_children, bool is_list)
{
    Children list = children(tag);
    Child *parts = allocate(list.count * sizeof *parts);
    uint32_t count = list.count, after_name = list.items[0].end;
    memcpy(parts, list.items, count * sizeof *parts);
    bool has_attributes = false, is_fragment = true, is_keyed = false;
    for (uint32_t index = 1; index + 1 < count; index++) {
        Kind kind = parts[index].kind;
        if (kind == JSX_ATTRIBUTE || kind == JSX_EXPRESSION)
            has_attributes = true;
        else if (kind != COMMENT) {
            is_fragment = false;
            after_name = parts[index].end;
        }
        is_keyed |= kind == JSX_ATTRIBUTE && same(text_of(ts_node_child(parts[index].node, 0)), "key");
    }
    cut(start, start + 1);
    if (!is_automatic()) {
        insert(start, "%s(%s", request.factory, is_fragment ? request.fragment : "");
    } else {
        insert(start, "%s%s%s", is_keyed ? "_keyed(" : "", is_list ? "_jsxs" : "_jsx", is_keyed ? ", " : "(");
        insert(start, is_fragment ? "_Fragment" : "");
        has_fragments |= is_fragment;
        *(is_list ? &has_lists : &has_elements) = true;
        has_keys |= is_keyed;
    }
    if (!is_fragment && is_intrinsic(parts[1].node)) {
        insert(parts[1].start, "\"");
        insert(parts[1].end, "\"");
    }
    bool has_object = has_attributes || is_automatic();
    insert(after_name, has_object ? ", {" : ", null");
    for (uint32_t index = 1; index + 1 < count; index++) {
        if (parts[index].kind == JSX_ATTRIBUTE) {
            enter_attribute(parts[index].node);
        } else if (parts[index].kind == JSX_EXPRESSION) {
            open_expression(parts[index].node, "", true);
            insert(parts[index].end, ",");
        }
    }
    const Child *last = &parts[count - 1];
    cut(last->start, last->end);
    if (is_automatic() && has_children)
        insert(last->start, is_list ? " children: [" : " children: ");
    else
        insert(last->start, has_object ? "}" : "");
    if (kind_of(tag) == JSX_SELF_CLOSING)
        insert(last->start, ")");
    free(parts);
}

void enter_element(TSNode node, Kind kind)
{
    uint32_t start = ts_node_start_byte(node);
    has_jsx = true;
    if (kind == JSX_SELF_CLOSING) {
        enter_opening(node, start, false, false);
        return;
    }
    Children list = children(node);
    Child *parts = allocate(list.count * sizeof *parts);
    uint32_t count = list.count, given = 0;
    bool has_spread = false;
    memcpy(parts, list.items, count * sizeof *parts);
    /* First what there is, for it decides on the call; then what becomes of it. */
    uint32_t from = parts[0].end;
    for (uint32_t index = 1; index < count; index++) {
        Kind each = parts[index].kind;
        if (each != JSX_EXPRESSION && each != JSX_ELEMENT && each != JSX_SELF_CLOSING && each != JSX_CLOSING)
            continue;
        given += jsx_text(from, parts[index].start, NULL) + (each == JSX_ELEMENT || each == JSX_SELF_CLOSING) +
                 (each == JSX_EXPRESSION && !is_empty(parts[index].node));
        has_spread |= each == JSX_EXPRESSION && ts_node_named_child_count(parts[index].node) &&
                      kind_of(ts_node_named_child(parts[index].node, 0)) == SPREAD;
        from = parts[index].end;
    }
    bool is_list = given > 1 || has_spread;
    enter_opening(parts[0].node, start, given, is_list);
    from = parts[0].end;
    uint32_t number = 0;
    for (uint32_t index = 1; index < count; index++) {
        Kind each = parts[index].kind;
        if (each != JSX_EXPRESSION && each != JSX_ELEMENT && each != JSX_SELF_CLOSING && each != JSX_CLOSING)
            continue;
        const char *before = is_automatic() && !number ? "" : ",";
        if (jsx_text(from, parts[index].start, before))
            number++;
        before = is_automatic() && !number ? "" : ",";
        if (each == JSX_EXPRESSION) {
            bool nothing = is_empty(parts[index].node);
            open_expression(parts[index].node, nothing ? "" : before, false);
            number += !nothing;
        } else if (each != JSX_CLOSING) {
            insert(parts[index].start, *before ? ", " : "");
            number++;
        }
        from = parts[index].end;
    }
    const Child *last = &parts[count - 1];
    cut(last->start, last->end);
    insert(last->start, is_automatic() && given ? is_list ? "]})" : "})" : ")");
    free(parts);
}

/* What automatic JSX calls. Imports come before everything, wherever they stand. */
void settle_jsx(TSNode root)
{
    if (!has_jsx || !is_automatic())
        return;
    if (request.flags & CLASSIC_SCRIPT)
        refuse(0, "JSX imports what it calls, which only a module can do; a script needs 'classic' JSX");
    uint32_t at = 0, count = ts_node_child_count(root);
    for (uint32_t index = 0; index < count; index++) { /* after `#!` */
        TSNode child = ts_node_child(root, index);
        at = ts_node_start_byte(child);
        if (request.source[at] != '#' && kind_of(child) != COMMENT)
            break;
    }
    insert_early(at, "import {%s%s%s } from \"%s/jsx-runtime\"; ", has_elements ? " jsx as _jsx," : "",
                 has_lists ? " jsxs as _jsxs," : "", has_fragments ? " Fragment as _Fragment," : "", request.import_source);
    if (has_keys)
        insert_early(at, "function _keyed(call, type, { key, ...rest }) { return call(type, rest, key); } ");
}
