/* What generated parsers are made of, by the name under which they include it, and by the names that it had when these
 * were generated. */
#define TSFieldMapSlice TSMapSlice
#include "src/parser.h"
