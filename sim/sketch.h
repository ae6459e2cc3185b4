/* sketch.h - a mergeable quantile sketch with a stated relative error.
 *
 * DDSketch (Masson et al., VLDB'19): logarithmic buckets, quantiles within
 * SKETCH_ERROR of the true sample value, relative.  Counts, sum, min and max
 * are exact.  Memory is bounded by the range of values, not their number.
 * In exact mode it keeps every value instead (memory grows; asked for).     */
#ifndef SIM_SKETCH_H
#define SIM_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/buf.h"

#define SKETCH_ERROR 0.005 /* relative */

struct sketch;
struct sketch *sketch_new(bool exact);
void sketch_free(struct sketch *s);
void sketch_add(struct sketch *s, double v); /* v >= 0; zero and tiny values share one bucket */
/* 0, or a negative enum err_code: ERR_EUSAGE for buckets into exact values. */
int sketch_merge(struct sketch *into, const struct sketch *from);
bool sketch_failed(const struct sketch *s); /* out of memory: values are missing */
uint64_t sketch_count(const struct sketch *s);
double sketch_sum(const struct sketch *s);
double sketch_mean(const struct sketch *s); /* 0 when empty */
double sketch_min(const struct sketch *s);
double sketch_max(const struct sketch *s);
double sketch_quantile(const struct sketch *s,
                       double q); /* nearest rank, q in 0..1; 0 when empty */

/* Calls f for every bucket, ascending: representative value and count. */
void sketch_each(const struct sketch *s, void (*f)(void *ctx, double value, uint64_t count),
                 void *ctx);

void sketch_pack(const struct sketch *s, struct buf *b);
struct sketch *sketch_unpack(struct buf *b); /* NULL when malformed */

#endif
