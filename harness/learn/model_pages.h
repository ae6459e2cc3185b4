/* model_pages.h - from traces of pages to the weights of a network that
 * foresees how warm each page will be.
 *
 * Of each trace (page_rows.h) the first 70 % of rows are fitted, the next 15 %
 * decide when to stop, the last 15 % are only scored, beside the guess that a
 * page stays as it was.  What is fitted is scaled by powers of two, each row by
 * its own; what is scored is not.  All traces together make one network: two LSTM
 * layers and a softmax over bins, as Kleio's, but for all pages and small.
 * Two files come out: NAME.safetensors and NAME.json.                        */
#ifndef HARNESS_LEARN_MODEL_PAGES_H
#define HARNESS_LEARN_MODEL_PAGES_H

#include "harness/learn/model_train.h"

#define PAGES_REQUESTS 5000 /* rows of a trace, at most */
#define PAGES_LAYERS   2
#define PAGES_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 7, .hidden = 32, .epochs = 16, .batch = 32, .patience = 5, .rate = 5e-3            \
    }

extern const char *const model_pages_traces[]; /* what is trained on by default; NULL ends it */

/* Rows of the trace are `period` to a period. */
#define PAGES_PERIOD 1000

int model_pages_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
