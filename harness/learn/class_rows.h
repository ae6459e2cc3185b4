/* class_rows.h - labelled rows of one run, in the order of simulated time. */
#ifndef HARNESS_LEARN_CLASS_ROWS_H
#define HARNESS_LEARN_CLASS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct class_rows {
    uint32_t n_in;
    size_t n, cap;
    float *x; /* [n][n_in] */
    unsigned char *label;
};

bool class_rows_add(struct class_rows *r, const float *x, uint32_t label); /* false: no memory */
bool class_rows_append(struct class_rows *r, const struct class_rows *from, size_t at, size_t n);
void class_rows_free(struct class_rows *r);

#endif
