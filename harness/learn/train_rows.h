/* train_rows.h - a request stream as rows for training and evaluation.
 *
 * Replays the stream as a server would live it and takes the features of each
 * request exactly as the policies do (policies/length_features.h), before its
 * answer is known.  When an answer finishes depends on the server, which a
 * trace does not have: a nominal one is assumed, TRAIN_FIRST_NS plus
 * TRAIN_TOKEN_NS per token after arrival, whatever else runs.               */
#ifndef HARNESS_LEARN_TRAIN_ROWS_H
#define HARNESS_LEARN_TRAIN_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "policies/length_features.h"
#include "traces/record.h"

#define TRAIN_FIRST_NS UINT64_C(200000000)
#define TRAIN_TOKEN_NS UINT64_C(25000000)

struct train_rows {
    size_t n, cap;
    float *x;         /* [n][LENGTH_N] */
    uint32_t *tokens; /* of the answer */
};

/* At most `most` rows, the first ones. Frees nothing that is already in it. */
int train_rows_replay(struct train_rows *rows, struct request_source *from, size_t most,
                      struct err *e) MUST_CHECK;
void train_rows_free(struct train_rows *rows);

#endif
