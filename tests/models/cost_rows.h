/* cost_rows.h - rows of measured costs from an array, as a table of an experiment would have them.
 */
#ifndef TESTS_MODELS_COST_ROWS_H
#define TESTS_MODELS_COST_ROWS_H

#include <stddef.h>

#include "traces/record.h"

struct cost_row {
    const char *name;
    uint64_t key[6];
    double us;
};

struct cost_rows {
    struct row_source source;
    const struct cost_row *row;
    size_t n, at;
};

void cost_rows_begin(struct cost_rows *r, const struct cost_row *row, size_t n);
/* A small model of 2 layers, linear in everything: dense 99 us + 1 us a token a layer (qkv_proj;
 * all else 0), head 50 us, attention 10 us + 4 ns for a token of a prompt and one of its past + 2
 * ns for each cached token of those who decode, a layer. */
struct cost_rows *cost_rows_linear(void); /* a static; its attention bends nowhere */
/* The same, but attention is not linear in the context: it rises, stays and falls. */
struct cost_rows *cost_rows_bent(void);

#endif
