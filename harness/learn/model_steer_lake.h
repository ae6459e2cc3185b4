/* model_steer_lake.h - LinnOS's network as LAKE trains it: one for each device of one trace.
 *
 * The trace is replayed without steering and logged by whoever issues reads: a row is a whole
 * read, however many bios it becomes, and what was pending are whole requests (utcs-scea/LAKE
 * dfeef0f, linnos/training: train.sh, traceParser.py "direct 3 4").  A device's rows are shuffled;
 * slow are those from the 90th percentile of all of them on; 80 % are fitted, the others scored.
 * Keras' ways (train_net.h), 50 epochs, and the loss of pred1.py: Keras' categorical hinge, five
 * times as heavy where a slow read is taken for a fast one.  Files NAME_0, NAME_1 .. come out.  */
#ifndef HARNESS_LEARN_MODEL_STEER_LAKE_H
#define HARNESS_LEARN_MODEL_STEER_LAKE_H

#include "harness/learn/model_steer.h"

#define STEER_LAKE_REQUESTS 2000000 /* rows of a trace, at most: all of LAKE's */
#define STEER_LAKE_DEFAULTS                                                                        \
    {                                                                                              \
        .seed = 1001, .hidden = 256, .epochs = 50, .batch = 128, .patience = 50, .rate = 1e-3      \
    }

int model_steer_lake_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

/* Its loss of a row; ctx: unsigned char[], whether each is slow; y: fast, slow; d: the slopes. */
double model_steer_lake_loss(const void *ctx, size_t row, const double *y, double *d);

#endif
