/* host_rig.h - the host model on a committed machine, for tests. */
#ifndef TESTS_MODELS_HOST_RIG_H
#define TESTS_MODELS_HOST_RIG_H

#include "models/host/host_run.h"

struct rig {
    const char *stack;
    uint64_t seed;
    bool shuffle;
    struct spans *spans;
    struct measures *out; /* of the last run; rig_end frees it */
};

/* Runs a "host" section (JSON; ' stands for "). Fails the test where it does not run. */
void rig_run(struct rig *r, const char *section, struct host_result *result);
double rig_number(const struct rig *r, const char *name);
void rig_end(struct rig *r);

#endif
