/* tally.h - exact statistics of a column of integers, by counting values.
 *
 * Memory grows with the number of different values, not of rows.  Past
 * TALLY_DISTINCT of them the values are rounded to 12 significant bits
 * (`exact` turns false; quantiles are then within 0.025 %); n, sum, mean, min
 * and max stay exact.                                                       */
#ifndef TRACES_TALLY_H
#define TRACES_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_DISTINCT ((size_t)1 << 22)

struct tally_pair {
    uint64_t value, count;
};

struct tally {
    struct tally_pair *pair; /* ascending */
    size_t pairs, pair_cap;
    uint64_t *fresh; /* not yet sorted in */
    size_t fresh_n, fresh_cap;
    uint64_t n, min, max;
    double sum_high; /* the sum is sum_high * 2^63 + sum_low */
    uint64_t sum_low;
    bool coarse, failed; /* failed: out of memory, sticky */
};

struct summary {
    uint64_t n, min, max, p99;        /* p99: nearest rank */
    double sum, mean, median, sd, cv; /* median: mean of the middle two; sd: of the population */
    bool exact;
};

void tally_add(struct tally *t, uint64_t v); /* a zeroed struct is an empty tally */
void tally_settle(struct tally *t);          /* afterwards `pair` is complete */
struct summary tally_summary(struct tally *t);
void tally_free(struct tally *t);

#endif
