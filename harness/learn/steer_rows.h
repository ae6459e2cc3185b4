/* steer_rows.h - baseline runs of model "io" as rows for training and evaluation.
 *
 * The trace is replayed with every read at home, and what the policy is shown
 * before each read is kept beside how long the read then took on its device:
 * what a device would log.  A read is slow when its latency reaches the 90th
 * percentile of its device's reads in the fitted part (IO_SLOW_RANK in
 * models/blk: LAKE trains LinnOS the same way).                             */
#ifndef HARNESS_LEARN_STEER_ROWS_H
#define HARNESS_LEARN_STEER_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "models/machine.h"
#include "policies/linnos_features.h"
#include "traces/record.h"

#define STEER_DEVICES   16
#define STEER_SLOW_RANK 0.9

struct steer_rows { /* in the order in which the reads finished */
    size_t n, cap;
    float *x; /* [n][LINNOS_N] */
    float *latency_us;
    unsigned char *device;
    unsigned char *slow;                /* after steer_rows_label */
    double threshold_us[STEER_DEVICES]; /* the same; 0: too few reads */
};

/* Adds the reads of one run; section: model "io"'s, "{}" for its defaults. */
int steer_rows_collect(struct steer_rows *rows, struct row_source *from, const struct machine *m,
                       const char *section, uint64_t seed, struct err *e) MUST_CHECK;
/* Labels all, by the first `fitted` rows. */
int steer_rows_label(struct steer_rows *rows, size_t fitted, struct err *e) MUST_CHECK;
void steer_rows_free(struct steer_rows *rows);

#endif
