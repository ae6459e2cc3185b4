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
#include "sim/lot.h"

#define MLAAS_PARTS 8 /* networks that one hook may ask */

struct mlaas_ticket {
    struct mlaas *m;
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
    bool on_gpu;
    sim_cost closing, store, gpu_work; /* of a core: to close it, for the feature store */
    struct mlaas_batch *next;          /* free list; or those that wait for weights */
};

enum mlaas_where { MLAAS_ABSENT, MLAAS_COMING, MLAAS_THERE };

/* A network that was held or asked in this run: one version of a model. */
struct mlaas_net {
    struct mlaas *m;
    int model; /* of env.infer */
    const struct mlaas_tuning *tuning;
    struct mlaas_net_cost cost;
    uint32_t crossover;
    bool used; /* the profile's constants are marked */
    struct mlaas_batch *open[MLAAS_GROUPS];

    uint64_t bytes;
    uint32_t holders;              /* handles of policies */
    uint64_t batches, gpu_batches; /* open or running; of them on the GPU, or on the way */
    bool in_host, loading;
    enum mlaas_where gpu;
    uint64_t gpu_use;                            /* a number that grows with each use */
    struct mlaas_batch *waiting, **last_waiting; /* for the weights */
    struct mlaas_net *next;                      /* in order of their first use */
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
    sim_cost hook_store; /* of a core, for the feature store */
    uint32_t hook_group, n_part;
    struct mlaas_part part[MLAAS_PARTS];

    struct arrivals {
        sim_time at[MLAAS_RULE_GAPS + 1]; /* a ring; rule "lake" only */
        uint64_t n;
    } arrivals[MLAAS_GROUPS];
    struct lot lot; /* all batches, tickets and seats */
    struct mlaas_batch *spare_batch;
    struct mlaas_ticket *spare_ticket;
    struct mlaas_seat *spare_seat;
    uint64_t inside, rows_inside; /* batches and rows, open or running */

    uint64_t host_bytes, gpu_bytes, gpu_uses;
    struct { /* the feature store, once it was used */
        bool known;
        sim_cost put, commit, row;
    } store;

    bool resident; /* the mailbox's kernel was launched */
    sim_time mailbox_until;

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
void mlaas_batch_done(struct mlaas_batch *b);                     /* calls tickets back */
void mlaas_ticket_leave(struct mlaas *m, struct mlaas_ticket *t); /* one thing less to wait for */
struct mlaas_ticket *mlaas_ticket_take(struct mlaas *m);          /* NULL: out of memory */
void mlaas_batches_free(struct mlaas *m);

/* mlaas_place.c */
bool mlaas_place_on_gpu(struct mlaas *m, const struct mlaas_batch *b);

/* mlaas_memory.c */
bool mlaas_memory_hold(struct mlaas *m, struct mlaas_net *n, bool at_start); /* false: no room */
void mlaas_memory_idle(struct mlaas_net *n);     /* a holder or a batch left it */
bool mlaas_memory_loaded(struct mlaas_batch *b); /* false: b waits, then mlaas_trip_place */
enum mlaas_where mlaas_memory_on_gpu(struct mlaas_batch *b); /* COMING: then mlaas_trip_gpu */

/* mlaas_trip.c: a closed batch goes its way. */
void mlaas_trip(struct mlaas_batch *b);
void mlaas_trip_place(struct mlaas_batch *b); /* its weights are in the host's memory */
void mlaas_trip_gpu(struct mlaas_batch *b);   /* its weights are on the GPU */
/* Work of a core that nobody, or (done) a hook waits for. */
void mlaas_trip_core(struct mlaas *m, sim_cost ps, sim_fn *done, void *ctx, uint64_t arg);

#endif
