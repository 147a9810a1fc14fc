/* What the generated parsers leave to code: where a semicolon is inserted, what a template's text is, whether a `?` is a
 * conditional's, and what text between JSX tags is. Nothing is remembered between two tokens.
 *
 * The numbers of the tokens are those that both grammars list as external. */
#include "tree_sitter/parser.h"

enum {
    AUTOMATIC_SEMICOLON,
    TEMPLATE_CHARACTERS,
    TERNARY_QUESTION_MARK,
    HTML_COMMENT,
    LOGICAL_OR, /* this and the next two are never made here: that they are allowed says where in a program one is */
    ESCAPE_SEQUENCE,
    REGEX_PATTERN,
    JSX_TEXT,
    SIGNATURE_SEMICOLON, /* after a function that has no body */
    ERROR_RECOVERY,
};

typedef enum { NOTHING, SAME_LINE, NEW_LINE, NO_SPACE } Gap;

static bool is_line_end(int32_t character)
{
    return character == '\n' || character == '\r' || character == 0x2028 || character == 0x2029;
}

static bool is_space(int32_t character)
{
    return character == ' ' || (character >= '\t' && character <= '\r') || character == 0xa0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200a) || character == 0x2028 || character == 0x2029 ||
           character == 0x202f || character == 0x205f || character == 0x3000 || character == 0xfeff;
}

static bool is_word(int32_t character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_' ||
           character == '$' || (character >= '0' && character <= '9') || character >= 0x80;
}

static bool scan_template(TSLexer *lexer)
{
    lexer->result_symbol = TEMPLATE_CHARACTERS;
    for (bool some = false;; some = true) {
        lexer->mark_end(lexer);
        if (lexer->eof(lexer))
            return false;
        if (lexer->lookahead == '`' || lexer->lookahead == '\\')
            return some;
        bool dollar = lexer->lookahead == '$';
        lexer->advance(lexer, false);
        if (dollar && lexer->lookahead == '{')
            return some;
    }
}

/* Text that is only there to lay out a program (blanks with a line end among them) is none. */
static bool scan_jsx_text(TSLexer *lexer)
{
    bool some = false, lines = false, visible = false;
    while (!lexer->eof(lexer) && lexer->lookahead != '<' && lexer->lookahead != '>' && lexer->lookahead != '{' &&
           lexer->lookahead != '}') {
        some = true;
        lines |= is_line_end(lexer->lookahead);
        visible |= !is_space(lexer->lookahead);
        lexer->advance(lexer, false);
    }
    lexer->mark_end(lexer);
    lexer->result_symbol = JSX_TEXT;
    return some && (visible || !lines);
}

/* Over blanks and comments. NO_SPACE: what stands there is a slash that begins no comment. */
static Gap skip_gap(TSLexer *lexer)
{
    Gap gap = NOTHING;
    for (;;) {
        if (!lexer->eof(lexer) && is_space(lexer->lookahead)) {
            if (is_line_end(lexer->lookahead))
                gap = NEW_LINE;
            lexer->advance(lexer, true);
        } else if (lexer->lookahead == '/') {
            lexer->advance(lexer, true);
            if (lexer->lookahead == '/') {
                while (!lexer->eof(lexer) && !is_line_end(lexer->lookahead))
                    lexer->advance(lexer, true);
            } else if (lexer->lookahead == '*') {
                lexer->advance(lexer, true);
                for (bool star = false; !lexer->eof(lexer); lexer->advance(lexer, true)) {
                    if (star && lexer->lookahead == '/') {
                        lexer->advance(lexer, true);
                        break;
                    }
                    star = lexer->lookahead == '*';
                    if (is_line_end(lexer->lookahead))
                        gap = NEW_LINE;
                }
            } else {
                return NO_SPACE;
            }
            if (gap == NOTHING)
                gap = SAME_LINE;
        } else {
            return gap;
        }
    }
}

/* Whether a word stands here and ends here; consumes as much of it as there is. */
static bool at_word(TSLexer *lexer, const char *word)
{
    for (; *word; word++) {
        if (lexer->lookahead != *word)
            return false;
        lexer->advance(lexer, true);
    }
    return !is_word(lexer->lookahead);
}

static bool scan_semicolon(TSLexer *lexer, const bool *valid)
{
    lexer->result_symbol = valid[AUTOMATIC_SEMICOLON] ? AUTOMATIC_SEMICOLON : SIGNATURE_SEMICOLON;
    lexer->mark_end(lexer);
    Gap gap = skip_gap(lexer);
    if (gap == NO_SPACE)
        return false;
    if (lexer->eof(lexer) || lexer->lookahead == '}')
        return true;
    if (gap != NEW_LINE)
        return false;
    /* Where `||` may follow, an expression may go on; elsewhere a type or a member of a class has ended. */
    bool in_expression = valid[LOGICAL_OR];
    switch (lexer->lookahead) {
    case ',': case ':': case ';': case '%': case '>': case '=': case '?': case '^': case '|': case '&':
        return false;
    case '(': case '[': case '`': case '*': case '<':
        return !in_expression;
    case '{':
        return !valid[SIGNATURE_SEMICOLON];
    case '.':
        lexer->advance(lexer, true);
        return lexer->lookahead >= '0' && lexer->lookahead <= '9';
    case '+': case '-': {
        int32_t sign = lexer->lookahead;
        lexer->advance(lexer, true);
        return lexer->lookahead == sign;
    }
    case '!':
        lexer->advance(lexer, true);
        return lexer->lookahead != '=';
    case 'i':
        lexer->advance(lexer, true);
        if (lexer->lookahead != 'n' || !in_expression)
            return true;
        lexer->advance(lexer, true);
        return is_word(lexer->lookahead) && !at_word(lexer, "stanceof");
    default:
        return true;
    }
}

static bool scan_question_mark(TSLexer *lexer)
{
    lexer->result_symbol = TERNARY_QUESTION_MARK;
    while (!lexer->eof(lexer) && is_space(lexer->lookahead))
        lexer->advance(lexer, true);
    if (lexer->lookahead != '?')
        return false;
    lexer->advance(lexer, false);
    if (lexer->lookahead == '?')
        return false;
    lexer->mark_end(lexer);
    if (lexer->lookahead == '.') {
        lexer->advance(lexer, false);
        return lexer->lookahead >= '0' && lexer->lookahead <= '9';
    }
    while (!lexer->eof(lexer) && is_space(lexer->lookahead))
        lexer->advance(lexer, false);
    /* `?:`, `?)` and `?,` say that a parameter may be left out. */
    return lexer->lookahead != ':' && lexer->lookahead != ')' && lexer->lookahead != ',';
}

static bool scan(TSLexer *lexer, const bool *valid)
{
    if (valid[TEMPLATE_CHARACTERS])
        return !valid[AUTOMATIC_SEMICOLON] && scan_template(lexer);
    if (valid[JSX_TEXT] && !valid[AUTOMATIC_SEMICOLON])
        return scan_jsx_text(lexer);
    if (valid[AUTOMATIC_SEMICOLON] || valid[SIGNATURE_SEMICOLON]) {
        if (scan_semicolon(lexer, valid))
            return true;
        return valid[TERNARY_QUESTION_MARK] && lexer->lookahead == '?' && scan_question_mark(lexer);
    }
    return valid[TERNARY_QUESTION_MARK] && scan_question_mark(lexer);
}

#define SCANNER(language)                                                                                              \
    void *tree_sitter_##language##_external_scanner_create(void) { return 0; }                                         \
    void tree_sitter_##language##_external_scanner_destroy(void *state) { (void)state; }                               \
    unsigned tree_sitter_##language##_external_scanner_serialize(void *state, char *out)                               \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)out;                                                                                                     \
        return 0;                                                                                                      \
    }                                                                                                                  \
    void tree_sitter_##language##_external_scanner_deserialize(void *state, const char *in, unsigned length)           \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)in;                                                                                                      \
        (void)length;                                                                                                  \
    }                                                                                                                  \
    bool tree_sitter_##language##_external_scanner_scan(void *state, TSLexer *lexer, const bool *valid)                \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        return scan(lexer, valid);                                                                                     \
    }

SCANNER(tsx)
SCANNER(typescript)
