/* nodes_seats.c - where a job has room; taking it and giving it back. */
#include <assert.h>

#include "models/cluster/nodes_index.h"

static bool whole(const struct policy_job *j)
{
    return j->gpu_milli == POLICY_MILLI;
}

/* What one node must have free for `here` of the job's GPUs. */
static struct nodes_free need_of(const struct policy_job *j, uint32_t here)
{
    struct nodes_free f = {.cpu_milli = j->cpu_milli, .mem_bytes = j->mem_bytes};
    if (!j->gpus)
        return f;
    if (here < j->gpus) { /* rounded up, wherever among the seats it is */
        f.cpu_milli = (uint32_t)(((uint64_t)j->cpu_milli + j->gpus - 1) / j->gpus) * here;
        f.mem_bytes = (j->mem_bytes + j->gpus - 1) / j->gpus * here;
    }
    f.models = j->gpu_models;
    f.best = (uint16_t)j->gpu_milli;
    f.whole = whole(j) ? (uint16_t)here : 0;
    return f;
}

/* How many of `want` GPUs a job can have of what is free. */
static uint32_t room(const struct nodes_free *there, const struct policy_job *j, uint32_t want)
{
    struct nodes_free need = need_of(j, 1);
    uint32_t k = want < there->whole ? want : there->whole;
    if (j->gpus == 1 || !nodes_index_has(there, &need))
        return nodes_index_has(there, &need) ? k : 0;
    if (need.cpu_milli && there->cpu_milli / need.cpu_milli < k)
        k = there->cpu_milli / need.cpu_milli;
    if (need.mem_bytes && there->mem_bytes / need.mem_bytes < k)
        k = (uint32_t)(there->mem_bytes / need.mem_bytes);
    return k;
}

bool nodes_ever(const struct nodes *n, const struct policy_job *j, uint32_t most)
{
    const struct nodes_index *x = n->index;
    const struct nodes_free need = need_of(j, j->gpus);
    uint32_t left = j->gpus, seats = 0;
    if (j->gpus && !j->gpu_models)
        return false;
    for (uint32_t i = 0; i < x->n_class; i++)
        if (j->gpus <= POLICY_NODE_GPUS && nodes_index_has(&x->class[i].all, &need))
            return true;
    if (!whole(j) || most < 2)
        return false;
    /* The classes with most room first would need the fewest seats; most is the nodes' number or
     * 1 wherever it matters, so their order does not. */
    for (uint32_t i = 0; i < x->n_class && left; i++) {
        const uint32_t each = room(&x->class[i].all, j, j->gpus);
        for (uint32_t k = 0; each && k < x->class[i].n && left && seats < most; k++, seats++)
            left -= each < left ? each : left;
    }
    return !left;
}

/* Which GPUs of a node: a part goes where least is left over, whole ones to the first free. */
static uint32_t pick_gpus(const struct policy_node *node, const struct policy_job *j, uint32_t here)
{
    uint32_t set = 0, best = POLICY_NONE;
    for (uint32_t g = 0; g < node->gpus && here; g++) {
        if (node->gpu_free_milli[g] < j->gpu_milli)
            continue;
        if (whole(j)) {
            set |= 1u << g;
            here--;
        } else if (best == POLICY_NONE || node->gpu_free_milli[g] < node->gpu_free_milli[best])
            best = g;
    }
    return best == POLICY_NONE ? set : 1u << best;
}

/* All that the first nodes have, until it is enough. */
static uint32_t spread(const struct nodes *n, const struct policy_job *j, uint32_t most,
                       struct policy_seat *seat)
{
    const struct nodes_index *x = n->index;
    const struct nodes_free need = need_of(j, 1);
    uint32_t seats = 0, left = j->gpus, from = 0;
    while (left && seats < most) {
        const uint32_t i = nodes_index_first(x, from, &need);
        if (i == POLICY_NONE)
            return 0;
        const uint32_t here = room(&x->tree[x->leaves + i], j, left);
        seat[seats++] = (struct policy_seat){i, pick_gpus(&n->node[i], j, here)};
        left -= here;
        from = i + 1;
    }
    return left ? 0 : seats;
}

uint32_t nodes_first(const struct nodes *n, const struct policy_job *j, uint32_t most,
                     struct policy_seat *seat)
{
    if (!most || (j->gpus && !j->gpu_models) || (whole(j) && j->gpus > n->index->whole))
        return 0;
    if (j->gpus <= POLICY_NODE_GPUS) {
        const struct nodes_free need = need_of(j, j->gpus);
        const uint32_t i = nodes_index_first(n->index, 0, &need);
        if (i != POLICY_NONE) {
            seat[0] = (struct policy_seat){i, pick_gpus(&n->node[i], j, j->gpus)};
            return 1;
        }
    }
    return whole(j) && most > 1 ? spread(n, j, most, seat) : 0;
}

uint32_t nodes_place(const struct nodes *n, struct policy_slot *p, struct policy_seat_obs *o,
                     uint32_t most, struct policy_seat *seat)
{
    uint32_t seats;
    o->n = n->n;
    o->node = n->node;
    o->most = most;
    o->cluster.gpu_milli = n->gpu_milli;
    o->cluster.gpu_milli_free = n->gpu_milli_free;
    return policy_slot_seat(p, o, seat, &seats) ? seats : nodes_first(n, &o->job, most, seat);
}

static uint32_t kind_of(const struct policy_job *j)
{
    if (!whole(j))
        return 0;
    return j->gpus < POLICY_KINDS - 1 ? j->gpus : POLICY_KINDS - 1;
}

static void count_kind(struct nodes *n, struct policy_node *node, const struct policy_job *j,
                       int by)
{
    if (!j->gpus)
        return;
    const uint32_t k = kind_of(j);
    uint16_t *count = &n->kind[(size_t)node->id * POLICY_KINDS + k];
    *count = (uint16_t)(*count + by);
    node->kinds = *count ? node->kinds | 1u << k : node->kinds & ~(1u << k);
}

/* by: -1 takes, 1 gives. */
static void move(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                 uint32_t before, int by)
{
    struct policy_node *node = &n->node[seat->node];
    const uint32_t here = (uint32_t)__builtin_popcount(seat->gpus);
    const int64_t cpu = by * (int64_t)policy_seat_part(j->cpu_milli, j->gpus, before, here);
    const int64_t mem = by * (int64_t)policy_seat_part(j->mem_bytes, j->gpus, before, here);
    for (uint32_t g = 0; g < node->gpus; g++)
        if (seat->gpus >> g & 1) {
            const int now = node->gpu_free_milli[g] + by * (int)j->gpu_milli;
            assert(now >= 0 && now <= POLICY_MILLI && "a GPU taken twice, or given back twice");
            node->gpu_free_milli[g] = (uint16_t)now;
        }
    const int64_t cpu_now = node->cpu_free_milli + cpu,
                  mem_now = (int64_t)node->mem_free_bytes + mem;
    assert(cpu_now >= 0 && cpu_now <= node->cpu_milli && mem_now >= 0 &&
           mem_now <= (int64_t)node->mem_bytes && "more CPU or memory than there is");
    node->cpu_free_milli = (uint32_t)cpu_now;
    node->mem_free_bytes = (uint64_t)mem_now;
    node->jobs -= (uint32_t)by;
    count_kind(n, node, j, -by);
    node->changes++;
    n->cpu_milli_free += (uint64_t)cpu;
    n->mem_bytes_free += (uint64_t)mem;
    n->gpu_milli_free += (uint64_t)(by * (int64_t)here * j->gpu_milli);
    nodes_index_set(n->index, node);
}

static void move_all(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                     uint32_t seats, int by)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < seats; i++) {
        move(n, j, &seat[i], before, by);
        before += (uint32_t)__builtin_popcount(seat[i].gpus);
    }
    assert(seats && before == j->gpus);
}

void nodes_take(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                uint32_t seats)
{
    move_all(n, j, seat, seats, -1);
}

void nodes_give(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                uint32_t seats)
{
    move_all(n, j, seat, seats, 1);
}
