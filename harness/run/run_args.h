/* run_args.h - the command line that `malv run` and `malv sweep` share. */
#ifndef HARNESS_RUN_RUN_ARGS_H
#define HARNESS_RUN_RUN_ARGS_H

#include <stdbool.h>

#include "gpu-kernels/infer.h"
#include "harness/run/experiment.h"

struct run_args {
    const char *file; /* the experiment; NULL only with explain */
    const char *out, *spans, *explain;
    struct experiment_set *set;
    char **set_path; /* what set[].path points to */
    struct experiment_edits edits;
    enum infer_backend backend;
    double policy_limit_s; /* 0: the default */
    unsigned jobs;         /* 0: not said */
    bool json, quiet, help;
};

int run_args_parse(struct run_args *a, int argc, char **argv, bool sweep, struct err *e) MUST_CHECK;
void run_args_free(struct run_args *a);

#endif
