/* Where in a value something is, as text: `$.users[3].name`. The same text as sandbox/_wire.py makes of a path. */
#ifndef PATH_H
#define PATH_H

#include "guest.h"

typedef struct Path {
    struct Path *up;
    JSAtom key;           /* borrowed; JS_ATOM_NULL: `index` counts */
    uint32_t index;
    uint32_t held;        /* references that this step itself accounts for: more of them mean a shared object */
} Path;

enum { PATH_ROOM = 2048 };

void path_text(JSContext *ctx, const Path *path, char out[PATH_ROOM]);

#endif
