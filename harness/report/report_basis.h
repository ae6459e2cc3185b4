/* report_basis.h - what a result rests on: constants that somebody assumed,
 * servers close to their limit, trials that did not go as they should.      */
#ifndef HARNESS_REPORT_REPORT_BASIS_H
#define HARNESS_REPORT_REPORT_BASIS_H

#include <stdbool.h>
#include <stddef.h>

#include "results/results.h"

struct basis_constant {
    char *path, *value, *unit, *source, *evidence;
    bool used; /* a run said that it charged this assumed one */
};
struct basis {
    struct basis_constant *constant; /* every one in the machine profile that carries evidence */
    size_t n, assumed, published, measured;
    size_t used; /* assumed ones that runs said they charged; 0 also when no run tells */
};

/* Walks the machine profile for objects with "evidence", and the runs for
 * incidents of kind "assumed", which name the constants they charged.       */
int basis_find(struct basis *b, const struct result_set *rs, struct err *e) MUST_CHECK;
void basis_free(struct basis *b);

#endif
