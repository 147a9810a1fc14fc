/* Members of classes, and parameters. */
#include <string.h>
#include "transform.h"

static bool is_modifier(const Child *each)
{
    switch (each->kind) {
    case ACCESSIBILITY: case OVERRIDE: case WORD_READONLY: case WORD_DECLARE: case WORD_ABSTRACT:
        return true;
    default:
        return false;
    }
}

/* Whether a field that is called so would, without its type, be read as a part of the next member. */
static bool is_prefix(Slice name)
{
    static const char *const words[] = {"get", "set", "static", "async", "accessor"};
    for (uint32_t index = 0; index < sizeof words / sizeof *words; index++)
        if (same(name, words[index]))
            return true;
    return false;
}

/* Where the statements of a constructor begin: in a derived class that is after `super()`. */
static uint32_t statements_of(TSNode constructor)
{
    TSNode body = ts_node_child(constructor, ts_node_child_count(constructor) - 1);
    const Child *heritage = child_of(children(parent_of(2)->node), CLASS_HERITAGE);
    if (!heritage || !child_of(children(heritage->node), EXTENDS))
        return ts_node_start_byte(body) + 1;
    Children list = children(body);
    for (uint32_t index = 0; index < list.count; index++) {
        TSNode call = ts_node_child(list.items[index].node, 0);
        if (list.items[index].kind == EXPRESSION_STATEMENT && kind_of(call) == CALL &&
            kind_of(ts_node_child(call, 0)) == SUPER)
            return list.items[index].end;
    }
    refuse(ts_node_start_byte(constructor), "a constructor with parameter properties needs 'super()' as a statement");
}

/* Parameter properties: fields that come first, and get their values where the constructor's statements begin. */
static void enter_constructor(TSNode node, TSNode parameters)
{
    Slice names[256];
    uint32_t count = 0, total = ts_node_named_child_count(parameters);
    for (uint32_t index = 0; index < total; index++) {
        TSNode parameter = ts_node_named_child(parameters, index);
        Children list = children(parameter);
        bool is_property = false;
        for (uint32_t each = 0; each < list.count; each++) {
            is_property |= is_modifier(&list.items[each]);
            if (is_property && list.items[each].kind == IDENTIFIER) {
                if (count == sizeof names / sizeof *names)
                    refuse(list.items[each].start, "a constructor has too many parameter properties");
                names[count++] = text_of(list.items[each].node);
                break;
            }
        }
    }
    if (!count)
        return;
    uint32_t at = statements_of(node);
    for (uint32_t index = 0; index < count; index++) {
        insert(parent_of(1)->start + 1, " %v;", names[index]);
        insert(at, index || request.source[at - 1] == ';' || request.source[at - 1] == '{' ? " this.%v = %v;"
                                                                                          : "; this.%v = %v;",
               names[index], names[index]);
    }
}

bool enter_member(TSNode node, Kind kind)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    if (parent_of(1)->kind != CLASS_BODY) /* of an object, which has none of this */
        return true;
    Children list = children(node);
    bool is_ambient = kind == METHOD_SIGNATURE || kind == ABSTRACT_METHOD || kind == INDEX_SIGNATURE ||
                      child_of(list, WORD_DECLARE) || child_of(list, WORD_ABSTRACT);
    if (is_ambient) {
        blank(start, end);
        put(start, ';'); /* an end of whatever stands before */
        return false;
    }
    const Child *type = NULL, *value = NULL;
    Slice name = {0, 0};
    for (uint32_t index = 0; index < list.count; index++) {
        const Child *each = &list.items[index];
        if (is_modifier(each)) {
            blank(each->start, each->end);
            bool lines;
            uint32_t next = after_gap(each->end, &lines);
            if (is_modifier(&list.items[0]) && next < end && strchr("[*", request.source[next]))
                put(start, ';');
        } else if (each->kind == WORD_ACCESSOR) {
            refuse(each->start, "fields with 'accessor' are not supported; write get and set");
        } else if (each->kind == DECORATOR) {
            refuse(each->start, "decorators are not supported; call the function yourself, on the class or the method");
        } else if (each->kind == SIGN_QUESTION || each->kind == SIGN_BANG) {
            blank(each->start, each->end);
            if (!type)
                type = each;
        } else if (each->kind == TYPE_ANNOTATION) {
            if (!type)
                type = each;
        } else if (each->kind == SIGN_EQUALS) {
            value = each;
        } else if (each->kind == PROPERTY_IDENTIFIER) {
            name = (Slice){each->start, each->end - each->start};
        }
    }
    const Child *parameters = kind == METHOD && same(name, "constructor") ? child_of(list, PARAMETERS) : NULL;
    if (parameters) {
        enter_constructor(node, parameters->node);
        return true;
    }
    if (kind == FIELD && type && !value) {
        bool lines;
        uint32_t next = after_gap(end, &lines);
        if (lines && next < request.length && (strchr("[*", request.source[next]) || is_prefix(name))) {
            blank(type->start, type->end);
            put(type->start, ';');
        }
    }
    return true;
}

bool enter_parameter(TSNode node, Kind kind)
{
    Children list = children(node);
    for (uint32_t index = 0; index < list.count; index++) {
        const Child *each = &list.items[index];
        if (is_modifier(each))
            blank(each->start, each->end);
        else if (each->kind == DECORATOR)
            refuse(each->start, "decorators are not supported; call the function yourself, on the class or the method");
        else if (each->kind == SIGN_QUESTION)
            blank(each->start, each->end);
        else if (each->kind == THIS && index == 0) {
            uint32_t end = ts_node_end_byte(node);
            bool lines;
            uint32_t next = after_gap(end, &lines);
            blank(ts_node_start_byte(node), next < request.length && request.source[next] == ',' ? next + 1 : end);
            return false;
        }
    }
    (void)kind;
    return true;
}
