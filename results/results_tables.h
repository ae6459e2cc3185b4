/* results_tables.h - the parts of a results file, between results_*.c only. */
#ifndef RESULTS_RESULTS_TABLES_H
#define RESULTS_RESULTS_TABLES_H

#include <string.h>

#include "results/h5.h"
#include "results/results.h"

static inline size_t longest(size_t so_far, const char *s)
{
    size_t n = s ? strlen(s) : 0;
    return n > so_far ? n : so_far;
}

void results_write_trials(struct h5 *f, const struct result_set *rs);
void results_write_sketches(struct h5 *f, const struct result_set *rs);
void results_write_series(struct h5 *f, const struct result_set *rs);
void results_write_incidents(struct h5 *f, const struct result_set *rs);

#endif
