/* From TypeScript and JSX to JavaScript. One request in one instance: nothing is freed, and a failure ends it. */
#ifndef TRANSFORM_H
#define TRANSFORM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tree_sitter/api.h"
#include "kinds.h"

#define KIND(name, text) name,
typedef enum { OTHER, NODE_KINDS(KIND) KINDS } Kind;
#undef KIND

typedef struct { uint32_t start, length; } Slice; /* of the source, in bytes */

/* A child of a node, as `children` lists them. */
typedef struct { TSNode node; Kind kind; uint32_t start, end; } Child;
typedef struct { const Child *items; uint32_t count; } Children;

/* What is on the way from the root to where the walk is. */
typedef struct {
    TSNode node;
    Kind kind;
    uint32_t start, end, more; /* `more`: of the construct; see where it is set */
} Frame;

enum { LANGUAGE_TYPESCRIPT, LANGUAGE_TSX };
enum { KEEP_TYPES = 1, AUTOMATIC_JSX = 2, VERBATIM_IMPORTS = 4, CLASSIC_SCRIPT = 8 };

typedef struct {
    const char *source;
    uint32_t length, flags;
    const char *factory, *fragment, *import_source;
} Request;

extern Request request;

/* --- tree.c: the tree, and names in it --- */
TSNode parse(uint32_t language);
Kind kind_of(TSNode node);
Children children(TSNode node); /* valid until the next call */
const Child *child_of(Children list, Kind kind); /* the first one, or NULL */
Slice text_of(TSNode node);
/* Where type arguments end that begin at a place, if what is called stands right before them and a template after them; else
 * 0. `is_plain`: without parentheses, which may as well be of an expression. */
uint32_t end_before_template(uint32_t at, bool *is_plain);
bool same(Slice slice, const char *text);

/* A set of names; a name is a part of the source. */
typedef struct { Slice *slots; uint32_t capacity, count; } Names;
void names_add(Names *names, Slice name);
bool names_have(const Names *names, Slice name);

/* --- output.c: what becomes of the source --- */
void blank(uint32_t start, uint32_t end);             /* to spaces; line ends stay */
void cut(uint32_t start, uint32_t end);               /* to nothing; line ends stay */
void put(uint32_t at, char character);                /* in the place of one that is erased */
bool is_blank(uint32_t at);
void insert(uint32_t at, const char *format, ...);    /* before what stands there; `%s`, and `%v` for a Slice */
void insert_early(uint32_t at, const char *format, ...); /* the same, before everything else */
void insert_late(uint32_t at, const char *format, ...); /* the same, after everything that is inserted there by `insert` */
uint32_t after_gap(uint32_t at, bool *lines);         /* the next place that is no blank and no comment */
uint32_t code_finish(char **code);
typedef struct { uint32_t line, column, source_line, source_column; } Mapping;
extern Mapping *mappings;
extern uint32_t mapping_count;

/* --- the walk and what it meets --- */
extern Frame *frames;
extern uint32_t depth;
const Frame *parent_of(uint32_t up); /* 1: of the node that is being entered */
void walk(TSNode root);
void erase_statement(uint32_t start, uint32_t end);
bool enter_member(TSNode node, Kind kind);
bool enter_parameter(TSNode node, Kind kind);
bool enter_import(TSNode node, Kind kind);
bool enter_export(TSNode node);
void use_name(Slice name);
void declare_type(TSNode declaration);
void settle_modules(void);
void enter_enum(TSNode node);
void qualify_member(TSNode identifier);
bool enter_namespace(TSNode node);
bool is_type_namespace(TSNode node);
bool enter_namespace_export(TSNode node); /* false: it is no namespace's */

/* --- JSX --- */
extern bool has_jsx;
void enter_element(TSNode node, Kind kind);
void open_expression(TSNode node, const char *before, bool is_needed);
uint32_t jsx_text(uint32_t start, uint32_t end, const char *before);
void write_jsx_string(uint32_t start, uint32_t end, uint32_t whole_start, uint32_t whole_end);
bool jsx_uses(Slice name); /* without anybody's writing it */
void settle_jsx(TSNode root);

/* A name that has a value, and the block it is declared in; of an enum its members, and those that are strings. */
typedef struct {
    Slice name;
    uint32_t container;
    Names members, strings;
} Declared;
void declare_value(Slice name);
Declared *open_object(uint32_t start, uint32_t body, Slice name, uint32_t end); /* valid until the next declaration */

/* Ends the request: what is wrong, and where in the source. Takes what `insert` takes. */
_Noreturn void refuse(uint32_t at, const char *format, ...);
char *formatted(const char *format, va_list arguments);

/* Memory, or the end of the request. */
void *allocate(size_t bytes);
void *allocate_zeroed(size_t count, size_t bytes);
void *reallocate(void *block, size_t bytes);

#endif
