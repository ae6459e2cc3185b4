/* trial.h - one trial: the inputs opened, the policy loaded, the model run.
 *
 * Runs in a worker process.  What a worker keeps between trials is in struct
 * trial_tools; zero it, and trial_tools_free in the end.                    */
#ifndef HARNESS_RUN_TRIAL_H
#define HARNESS_RUN_TRIAL_H

#include "gpu-kernels/infer.h"
#include "harness/run/experiment.h"
#include "harness/run/pool.h"

struct infer_host;
struct trial_tools {
    enum infer_backend backend;
    const char *spans;        /* file for the spans of trial 0; NULL: none */
    struct infer_host *infer; /* opened by the first trial that has a policy */
};

/* t: from experiment_trial; its measures are filled in.  A negative return is the trial's failure.
 */
int trial_run(const struct experiment *x, const struct pool_task *task, struct trial_tools *tools,
              struct policy_beat *beat, struct result_trial *t, struct err *e) MUST_CHECK;
void trial_tools_free(struct trial_tools *tools);

struct setup;
/* Loads the policy of a slot and has it created and destroyed, with its parameters: what is wrong
 * with them? The policy's code runs in this very process. */
int trial_policy_check(const struct experiment *x, const struct setup *s, unsigned slot,
                       struct trial_tools *tools, struct err *e) MUST_CHECK;

#endif
