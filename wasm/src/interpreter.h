/* What the interpreter's loop does seldom stays out of it.
 *
 * The loop's frame is on the stack once for every call of the program. Of these functions each is called in one place of
 * the loop, so the compiler would put them into it, and their locals into that frame: on both stacks, since wasmtime
 * keeps there what it has no register for. So they are declared before the engine's source, which defines them.
 * js_append_enumerate is not among them: without it, the compiler makes calls 3 percent slower. */
#ifndef INTERPRETER_H
#define INTERPRETER_H

#include "quickjs.h"

#define APART static __attribute__((noinline))

typedef struct JSStackFrame JSStackFrame;
typedef struct JSVarRef JSVarRef;
typedef struct JSFunctionDef JSFunctionDef;

/* while a function is compiled */
static void dead_zones_forget(JSContext *ctx, JSFunctionDef *function);    /* see dead_zones.h */

/* operators */
APART int js_operator_typeof(JSContext *ctx, JSValue op1);
APART int js_operator_delete(JSContext *ctx, JSValue *sp);
APART int js_operator_in(JSContext *ctx, JSValue *sp);
APART int js_operator_instanceof(JSContext *ctx, JSValue *sp);
APART int js_operator_private_in(JSContext *ctx, JSValue *sp);

/* statements */
APART int js_for_in_start(JSContext *ctx, JSValue *sp);
APART int js_for_in_next(JSContext *ctx, JSValue *sp);
APART int js_has_unscopable(JSContext *ctx, JSValue obj, JSAtom atom);
APART int js_op_using_check(JSContext *ctx, JSValueConst val, int hint, JSValue *pmethod);
APART JSValue js_dynamic_import(JSContext *ctx, JSValueConst specifier, JSValueConst options);

/* what defines classes and methods */
APART int js_op_define_class(JSContext *ctx, JSValue *sp, JSAtom class_name, int class_flags, JSVarRef **cur_var_refs,
                             JSStackFrame *sf, bool is_computed_name);
APART void js_method_set_home_object(JSContext *ctx, JSValue func_obj, JSValue home_obj);
APART int js_method_set_properties(JSContext *ctx, JSValue func_obj, JSAtom name, int flags, JSValue home_obj);
APART bool js_object_has_name(JSContext *ctx, JSValue obj);
APART int JS_DefineObjectName(JSContext *ctx, JSValue obj, JSAtom name, int flags);
APART int JS_AddBrand(JSContext *ctx, JSValueConst obj, JSValueConst home_obj);
APART int JS_DefinePrivateField(JSContext *ctx, JSValueConst obj, JSValue name, JSValue val);
APART JSValue JS_NewSymbolFromAtom(JSContext *ctx, JSAtom descr, int atom_type);

/* what defines globals */
APART int JS_CheckDefineGlobalVar(JSContext *ctx, JSAtom prop, int flags);
APART int JS_DefineGlobalVar(JSContext *ctx, JSAtom prop, int def_flags);
APART int JS_DefineGlobalFunction(JSContext *ctx, JSAtom prop, JSValue func, int def_flags);
APART int JS_DeleteGlobalVar(JSContext *ctx, JSAtom prop);

/* what has a large frame, and is called where a conversion may recur */
APART JSValue js_atof(JSContext *ctx, const char *str, const char **pp, int radix, int flags);

/* what is called so often that the compiler would put it into what calls it, and so into the loop */
typedef struct JSObject JSObject;
APART void js_free_value_rt(JSRuntime *rt, JSValue v);
APART bool js_get_fast_array_element(JSContext *ctx, JSObject *p, uint32_t idx, JSValue *pval);

#endif
