/* report_basis.h - what a result rests on: constants that somebody assumed,
 * servers close to their limit, trials that did not go as they should.      */
#ifndef HARNESS_REPORT_BASIS_H
#define HARNESS_REPORT_BASIS_H

#include <stddef.h>

#include "results/results.h"

struct basis_constant {
    char *path, *value, *unit, *source, *evidence;
};
struct basis {
    struct basis_constant *constant; /* every one in the machine profile that carries evidence */
    size_t n, assumed, published, measured;
};

/* Walks the machine profile for objects with "evidence". */
int basis_find(struct basis *b, const struct result_set *rs, struct err *e) MUST_CHECK;
void basis_free(struct basis *b);

#endif
