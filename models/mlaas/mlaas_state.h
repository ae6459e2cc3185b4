/* mlaas_state.h - the inside of the inference service, shared by mlaas*.c only.
 *
 * A hook becomes a ticket (mlaas.c); a ticket joins the open batch of its
 * network (mlaas_batch.c); the batch closes when it is full or its window has
 * passed, takes its place (mlaas_place.c) and its trip through the machine
 * (mlaas_trip.c) at what that costs (mlaas_cost.c); its tickets are called
 * back in the order in which they came.                                     */
#ifndef MODELS_MLAAS_MLAAS_STATE_H
#define MODELS_MLAAS_MLAAS_STATE_H

#include "models/mlaas/mlaas.h"

struct ticket {
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    struct ticket *next;
};

struct batch {
    struct mlaas *m;
    int model;
    uint32_t group;
    bool at_once; /* on a core, without waiting for company */
    uint64_t rows;
    struct ticket *first, **last;
    sim_event timer;
    sim_cost gpu_work;
    struct batch *next; /* free list */
};

struct mlaas {
    struct mlaas_config c;
    struct mlaas_env env;
    struct mlaas_costs k;
    struct carry carry;
    bool failed; /* out of memory: sticky; the run stops */
    bool in_hook;
    int hook_model; /* of the hook in progress */
    uint32_t hook_group;
    uint64_t hook_rows;
    struct batch *open[MLAAS_GROUPS];
    struct arrivals {
        sim_time at[MLAAS_RULE_GAPS + 1]; /* a ring; rule "lake" only */
        uint64_t n;
    } arrivals[MLAAS_GROUPS];
    struct batch *spare_batch;
    struct ticket *spare_ticket;
    uint64_t inside; /* batches open or running */
    sim_time polled_at;
    sim_cost polled_busy;
    double utilisation; /* as of the last poll */
    struct mlaas_stats stats;
};

void mlaas_fail(struct mlaas *m);

/* mlaas_batch.c: the hook in progress, which asked for rows, becomes a ticket; false: out of
 * memory. */
bool mlaas_batch_join(struct mlaas *m, const struct ticket *want);
void mlaas_batch_done(struct batch *b); /* calls its tickets back */
void mlaas_batches_free(struct mlaas *m);

/* mlaas_cost.c */
sim_cost mlaas_cost_cpu(const struct mlaas *m, int model, uint64_t rows);
sim_cost mlaas_cost_gpu(const struct mlaas *m, int model, uint64_t rows);

/* mlaas_place.c */
bool mlaas_place_on_gpu(struct mlaas *m, const struct batch *b);

/* mlaas_trip.c: a closed batch goes its way; closing it costs so much of a core. */
void mlaas_trip(struct batch *b, sim_cost closing);

#endif
