/* textset.h - distinct texts in order of first mention. Zero-initialise. */
#ifndef HARNESS_BASE_TEXTSET_H
#define HARNESS_BASE_TEXTSET_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/err.h"

struct textset {
    char **text; /* [n], each its own */
    size_t n;
};

/* Takes over text, which may be NULL when its maker had no memory (an error then).  One that is
 * there already is freed, and *is_new false. */
int textset_add(struct textset *s, char *text, bool *is_new, struct err *e) MUST_CHECK;
void textset_free(struct textset *s);

#endif
