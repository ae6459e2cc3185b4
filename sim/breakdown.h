/* breakdown.h - what totals are made of, on the whole and among the largest.
 *
 * A total is given as its parts, whole numbers (ns). Totals of about one size
 * (within 1.6 %) are added up together, part by part, so that afterwards the
 * largest of them can be asked about: what is the slowest 1 % made of?  Sums
 * are exact; memory is bounded by the range of totals, not their number.    */
#ifndef SIM_BREAKDOWN_H
#define SIM_BREAKDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/measures.h"

#define BREAKDOWN_PARTS   8
#define BREAKDOWN_OCTAVES 64 /* of totals */

struct breakdown_bucket {
    uint64_t count, sum[BREAKDOWN_PARTS];
};

struct breakdown {
    uint32_t parts; /* at most BREAKDOWN_PARTS */
    uint64_t count;
    bool failed;                                        /* out of memory: totals are missing */
    struct breakdown_bucket *octave[BREAKDOWN_OCTAVES]; /* NULL: none so large */
};

/* Zeroed but for `parts` is an empty one. */
void breakdown_free(struct breakdown *b);
void breakdown_add(struct breakdown *b, const uint64_t *part); /* part[b->parts] */

/* Adds up the totals from the q-quantile on (nearest rank; with it all of its bucket), q in 0..1,
 * 0: all.  How many they are; sum[b->parts]. */
uint64_t breakdown_from(const struct breakdown *b, double q, uint64_t *sum);

/* The measures PREFIX.NAME, of the whole and, as PREFIX_p99.NAME, of the slowest 1 %: each part's
 * share, 0 where there was nothing.  Names of the parts, in their order. */
void breakdown_report(const struct breakdown *b, const char *prefix, const char *const *name,
                      struct measures *out);

#endif
