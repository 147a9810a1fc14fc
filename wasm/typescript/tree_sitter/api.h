/* The parser's runtime, by the name under which everybody includes it. */
#include "include/tree_sitter/api.h"
