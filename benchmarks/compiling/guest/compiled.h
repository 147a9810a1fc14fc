/* Compiled functions: the engine's side. Included at the end of internals.c, in the prototype's guest only.
 *
 * Compiled code is WebAssembly that the host made of one function's bytecode; JSFunctionBytecode.compiled is its slot in
 * the function table. It keeps the operand stack and those variables that no closure shares in wasm locals, and gives up
 * by writing them into the frame, which is the interpreter's: that goes on at the instruction, or handles the exception.
 * What it calls borrows its operands, unless it says that they are taken. */
#ifndef COMPILED_H
#define COMPILED_H

#define EXPORT(name) __attribute__((export_name(#name), visibility("default")))

#include "compiled_frame.h"
#include "compiled_operators.h"
#include "compiled_properties.h"
#include "compiled_steps.h"
#include "compiled_host.h"

#endif
