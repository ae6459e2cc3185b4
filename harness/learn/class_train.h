/* class_train.h - from labelled runs to a classifier's weights and provenance.
 *
 * Of each run the first 70 % of its rows are fitted, the next 15 % decide when
 * to stop, the last 15 % are only scored: split by time, never shuffled across
 * it.  All runs together make one network.  Two files come out, NAME.safetensors
 * and NAME.json: the same bytes for the same inputs.                        */
#ifndef HARNESS_LEARN_CLASS_TRAIN_H
#define HARNESS_LEARN_CLASS_TRAIN_H

#include "harness/learn/class_score.h"
#include "harness/learn/model_train.h"

struct class_run {
    struct class_rows rows;
    char *about; /* malloc'd JSON: what ran, and how its rows were labelled */
    size_t train, valid, test;
};

struct class_task {
    const char *command;       /* makes the same files again */
    const char *features;      /* "kml/1": what computes the inputs, and its version */
    const char *loss, *labels; /* in words */
    uint32_t n_in, n_out, n_deep, deep[INFER_DEEP_MAX];
    bool sigmoid;
    const char *const *input, *const *class_name; /* [n_in], [n_out, or 2 where that is 1] */
    struct class_run *run;
    size_t n_runs;
};

int class_train(const struct class_task *task, const struct model_train_want *want,
                struct err *e) MUST_CHECK;
void class_runs_free(struct class_run *run, size_t n);

#endif
