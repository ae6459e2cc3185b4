/* model_ahead.h - labelled runs of the page cache, and the readahead network of KML.
 *
 * Files are read in one way each run (traces/synth_pages.h, "files"): forwards,
 * backwards, at random (with and without writes), in runs of 2 to 128 pages, at
 * three rates.  Each run is made once for every amount of readahead there is
 * (policies/kml_features.h), and the label of all its windows is the amount
 * that took the least time; amounts within AHEAD_TIE of it count as equal, and
 * of equals the largest is taken, as reading backwards looks like reading
 * forwards in KML's features and readahead costs nothing there.  Rows are the
 * windows of every file, under each of the amounts.                         */
#ifndef HARNESS_LEARN_MODEL_AHEAD_H
#define HARNESS_LEARN_MODEL_AHEAD_H

#include "harness/learn/class_train.h"
#include "models/machine.h"

#define AHEAD_TIE      0.01
#define AHEAD_FILES    8
#define AHEAD_REQUESTS 60000 /* accesses of a run */
#define AHEAD_MACHINE  "machines/h200-server.json"
#define AHEAD_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 2001, .hidden = 15, .epochs = 15, .batch = 16, .patience = 10, .rate = 0.02        \
    }

struct ahead_workload {
    const char *mode;
    uint32_t run_pages, per_window; /* of each file: accesses a second, which is a window */
    double write;
};
const struct ahead_workload *model_ahead_workload(size_t i); /* NULL past the end */

/* The run, labelled: rows and `about` are filled. */
int model_ahead_run(struct class_run *run, const struct ahead_workload *w, const struct machine *m,
                    uint64_t accesses, uint64_t seed, struct err *e) MUST_CHECK;
int model_ahead_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
