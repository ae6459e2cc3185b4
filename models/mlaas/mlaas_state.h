/* mlaas_state.h - the inside of the inference service, shared by mlaas*.c only.
 *
 * A hook becomes a ticket (mlaas.c); for every network that it asked it takes
 * a seat in that network's open batch (mlaas_batch.c); a batch closes when it
 * is full or its window has passed, takes its place (mlaas_place.c) and its
 * trip through the machine (mlaas_trip.c) at what that costs (mlaas_cost.c).
 * A ticket whose last batch is done is called back; those of one batch in the
 * order in which they came.                                                 */
#ifndef MODELS_MLAAS_MLAAS_STATE_H
#define MODELS_MLAAS_MLAAS_STATE_H

#include "models/mlaas/mlaas.h"

#define MLAAS_PARTS 8 /* networks that one hook may ask */

struct mlaas_ticket {
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    uint32_t waits_for; /* batches */
    struct mlaas_ticket *next;
};

struct mlaas_seat {
    struct mlaas_ticket *ticket;
    struct mlaas_seat *next;
};

struct mlaas_batch {
    struct mlaas *m;
    struct mlaas_net *net;
    uint32_t group;
    bool at_once; /* on a core, without waiting for company */
    uint64_t rows;
    sim_time opened;
    struct mlaas_seat *first, **last;
    sim_event timer;
    sim_cost gpu_work;
    struct mlaas_batch *next; /* free list */
};

/* A network that was asked in this run. */
struct mlaas_net {
    int model; /* of env.infer */
    const struct mlaas_tuning *tuning;
    struct mlaas_net_cost cost;
    uint32_t crossover;
    bool used; /* the profile's constants are marked */
    struct mlaas_batch *open[MLAAS_GROUPS];
    struct mlaas_net *next; /* in order of their first use */
};

struct mlaas_part { /* of what a hook asked for */
    struct mlaas_net *net;
    uint64_t rows;
};

struct mlaas {
    struct mlaas_config c;
    struct mlaas_env env;
    struct mlaas_ways ways;
    sim_cost close; /* rule "lake": to close a batch */
    struct carry carry;
    struct err why; /* code 0: all is well; else sticky, and the run stops */
    struct mlaas_net *net, **last_net;

    bool in_hook;
    uint32_t hook_group, n_part;
    struct mlaas_part part[MLAAS_PARTS];

    struct arrivals {
        sim_time at[MLAAS_RULE_GAPS + 1]; /* a ring; rule "lake" only */
        uint64_t n;
    } arrivals[MLAAS_GROUPS];
    struct mlaas_batch *spare_batch;
    struct mlaas_ticket *spare_ticket;
    struct mlaas_seat *spare_seat;
    uint64_t inside, rows_inside; /* batches and rows, open or running */

    sim_time polled_at;
    sim_cost polled_busy;
    bool backed_off;      /* as of the last poll */
    sim_time wanted_till; /* tenants have wanted the GPU; how long that counts */

    struct mlaas_stats stats;
    struct sketch *batch_rows, *window_wait;
};

void mlaas_fail(struct mlaas *m, int rc); /* rc: of an err_set on m->why */
void mlaas_no_memory(struct mlaas *m);

/* mlaas_batch.c: a part of the hook in progress takes its seat; false: out of memory. */
bool mlaas_batch_join(struct mlaas *m, const struct mlaas_part *part, struct mlaas_ticket *ticket);
void mlaas_batch_done(struct mlaas_batch *b);            /* calls tickets back */
struct mlaas_ticket *mlaas_ticket_take(struct mlaas *m); /* NULL: out of memory */
void mlaas_batches_free(struct mlaas *m);

/* mlaas_place.c */
bool mlaas_place_on_gpu(struct mlaas *m, const struct mlaas_batch *b);

/* mlaas_trip.c: a closed batch goes its way; closing it costs so much of a core. */
void mlaas_trip(struct mlaas_batch *b, sim_cost closing);

#endif
