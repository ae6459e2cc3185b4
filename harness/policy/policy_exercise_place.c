/* policy_exercise_place.c - jobs that come to a few unlike nodes and leave again. */
#include "harness/policy/policy_exercise.h"

#include <stdlib.h>

#include "models/cluster/nodes.h"

#define NODES 12
#define HELD  24

struct machines { /* nodes as rows */
    struct row_source source;
    struct exercise *x;
    uint32_t left;
};

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct machines *m = (struct machines *)self;
    (void)e;
    if (!m->left)
        return 0;
    m->left--;
    out->node = (struct trace_node){.model = exercise_below(m->x, 3),
                                    .gpus = m->x->small ? 1 : exercise_below(m->x, 10),
                                    .cpu_milli = 1000 * exercise_below(m->x, 128),
                                    .mem_bytes = rng_below(&m->x->r, UINT64_C(1) << 40)};
    return 1;
}

static const char *name(const struct row_source *self, uint32_t id)
{
    static const char *const names[] = {"T4", "P100", "G2"};
    (void)self;
    return names[id % 3];
}

static struct policy_job draw(struct exercise *x, uint64_t id)
{
    const uint32_t gpus = exercise_below(x, 3) ? exercise_below(x, 3) : exercise_size(x, 12);
    struct policy_job j = {.id = id,
                           .arrived_ns = x->now_ns,
                           .user = POLICY_NONE,
                           .group = POLICY_NONE,
                           .gpus = gpus,
                           .gpus_min = gpus,
                           .gpus_max = gpus,
                           .gpu_models =
                               exercise_below(x, 4) ? POLICY_ANY_MODEL : exercise_below(x, 8),
                           .cpu_milli = exercise_size(x, 20000),
                           .mem_bytes = rng_below(&x->r, UINT64_C(1) << 36),
                           .oracle_ns = 1 + rng_below(&x->r, UINT64_C(1) << 40)};
    if (gpus)
        j.gpu_milli = gpus == 1 ? 1 + exercise_below(x, 1000) : POLICY_MILLI;
    return j;
}

static const struct policy_demand demand[] = {
    {.gpus = 1, .gpu_milli = 1000, .cpu_milli = 8000, .weight = 5, .gpu_models = POLICY_ANY_MODEL},
    {.gpus = 1, .gpu_milli = 400, .cpu_milli = 4000, .weight = 3, .gpu_models = 5},
    {.gpus = 8, .gpu_milli = 1000, .cpu_milli = 64000, .weight = 1, .gpu_models = POLICY_ANY_MODEL},
    {.cpu_milli = 4000, .weight = 2, .gpu_models = POLICY_ANY_MODEL},
};

struct held {
    struct policy_job job;
    struct policy_seat seat[NODES];
    uint32_t seats;
};

static void one(struct exercise *x, struct nodes *n, struct held *h, uint64_t id)
{
    if (h->seats) {
        nodes_give(n, &h->job, h->seat, h->seats);
        h->seats = 0;
        return;
    }
    uint64_t ends[NODES];
    h->job = draw(x, id);
    for (uint32_t i = 0; i < NODES; i++) /* also some that are over, and none */
        ends[i] = i % 4 ? x->now_ns * (i % 4) / 2 + id * i : 0;
    struct policy_seat_obs o = {.job = h->job,
                                .cluster = {.now_ns = x->now_ns, .waiting = 1},
                                .n_demand = exercise_below(x, 20) ? 4 : 0,
                                .demand = demand,
                                .oracle_ends_ns = ends};
    h->seats = nodes_place(n, x->slot, &o, exercise_below(x, 3) ? NODES : 1, h->seat);
    exercise_answer(x, h->seats);
    for (uint32_t i = 0; i < h->seats; i++)
        exercise_answer(x, (int64_t)h->seat[i].node << 32 | h->seat[i].gpus);
    if (h->seats)
        nodes_take(n, &h->job, h->seat, h->seats);
}

void exercise_place(struct exercise *x, uint32_t steps)
{
    struct machines m = {
        {.table = TRACE_NODES, .next = next, .name = name}, x, x->small ? 1 : NODES};
    struct held *held = calloc(HELD, sizeof *held);
    struct nodes *n = NULL;
    struct err e = {0};
    if (held && !nodes_open(&n, &m.source, 4, &e))
        for (uint32_t id = 0; id < steps; id++) {
            exercise_wait(x, 1000000000);
            one(x, n, &held[exercise_below(x, x->small ? 2 : HELD)], id);
        }
    nodes_free(n);
    free(held);
}
