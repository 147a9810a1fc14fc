/* What the compiler, with our patches, needs to know of scripts that are traced, and what they may do beyond the
 * standard. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* For JS_Eval, beside its own flags. */
#define JS_EVAL_FLAG_RETURN (1 << 16) /* `return` may stand at the top */
#define JS_EVAL_FLAG_YIELD (1 << 17)  /* with JS_EVAL_FLAG_ASYNC: the script is an async generator */

extern uint32_t engine_traced_run; /* the run whose text is being compiled; 0: it is not traced */
extern bool engine_traces_lines, engine_traces_comments;
bool engine_has_comment(const uint8_t *from, const uint8_t *to); /* in what stands between two words */
#define ENGINE_COVERS UINT32_MAX /* in place of a run: a module whose coverage counts; then the line is a point */
bool engine_new_point(uint32_t line, size_t offset, bool is_function, uint32_t *number); /* false: there is none */
void coverage_pass(uint32_t number);
void engine_line(uint32_t run, uint32_t line); /* the instruction `line`; its highest bit: of a comment, and where it is */

#endif
