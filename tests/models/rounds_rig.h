/* rounds_rig.h - a table of rates, jobs and a policy of the test's own, for clusters in rounds. */
#ifndef TESTS_MODELS_ROUNDS_RIG_H
#define TESTS_MODELS_ROUNDS_RIG_H

#include "models/rounds/schedule.h"

struct rig_cost { /* a row of the table of costs */
    const char *name, *where, *with;
    uint32_t unit;
    uint64_t gpus, with_gpus, value;
};

/* Rows of costs; to be closed. */
struct row_source *rig_rows(const struct rig_cost *cost, size_t n);

/* The rates of these rows, on these types; to be freed.  Fails the test if they can't be had. */
struct rates *rig_rates(const struct rig_cost *cost, size_t n, const char *const *type,
                        uint32_t types);

struct rig_run {
    const struct schedule_arrival *job;
    size_t n, next, left;
    sim_time left_at[64]; /* by id */
};
int rig_next(void *ctx, struct schedule_arrival *a, struct err *e);
int rig_left(void *ctx, uint64_t id, uint32_t kind, sim_time arrived, sim_time left);

#endif
