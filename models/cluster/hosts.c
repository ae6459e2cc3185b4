/* hosts.c - the GPUs: a pool of identical ones without constraints of place, or nodes. */
#include "models/cluster/hosts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/demand.h"

struct hosts {
    struct nodes *nodes; /* NULL: a pool */
    struct policy_slot *place;
    struct demand *demand;           /* NULL: nobody asks what is typical */
    uint64_t gpus, used_milli, down; /* of a pool; down: GPUs */
    uint64_t down_milli;             /* of nodes */
    bool *broken;                    /* [nodes] */
    struct policy_seat *seat;        /* [most]: the answer */
    uint64_t *ends;                  /* [nodes], for oracles: struct policy_seat_obs */
    uint32_t most;                   /* seats of a job */
    struct neighbours *beside;       /* who shares GPUs; NULL: that does not matter */
    struct full *full;               /* nodes as full machines; NULL: abstract */
};

static enum nodes_part part_of(const struct cluster *s)
{
    static const enum nodes_part part[] = {[OF_NOTHING] = PART_MEMORY,
                                           [OF_TIME] = PART_TIME,
                                           [OF_MEMORY] = PART_MEMORY,
                                           [OF_MPS] = PART_MPS,
                                           [OF_MIG] = PART_MIG};
    return part[s->c.of];
}

/* A policy that places wants to know what is typical: one pass over the trace. */
static int open_place(struct cluster *s, struct hosts *h)
{
    struct policy_slot *p = h->place = model_policy(s->env, POLICY_HOOK_CLUSTER_PLACE);
    if (!p)
        return 0;
    p->out = s->out;
    if (!s->env->plan[POLICY_HOOK_CLUSTER_PLACE] && (!p->ops || !p->ops->cluster_place))
        return 0;
    return demand_of_rows(&h->demand, h->nodes, s->env->rows, part_of(s), DEMAND_SHARE, s->e);
}

static int open_nodes(struct cluster *s, struct hosts *h)
{
    const struct trace_node like = {.gpus = s->c.even_gpus,
                                    .cpu_milli = UINT32_MAX,
                                    .mem_bytes = UINT64_C(1) << 62,
                                    .name = TRACE_NAME_NONE,
                                    .model = TRACE_NAME_NONE};
    int rc = s->c.even_nodes ? nodes_even(&h->nodes, s->c.even_nodes, &like, s->c.rack_nodes, s->e)
                             : nodes_open(&h->nodes, s->env->nodes, s->c.rack_nodes, s->e);
    if (rc)
        return rc;
    if ((rc = open_place(s, h)))
        return rc;
    h->most = s->c.spread ? s->c.spread : h->nodes->n;
    h->most = h->most < h->nodes->n ? h->most : h->nodes->n;
    h->seat = malloc((h->most + 1) * sizeof *h->seat);
    h->ends = malloc((h->nodes->n + 1) * sizeof *h->ends);
    h->broken = calloc(h->nodes->n + 1, sizeof *h->broken);
    if (!h->seat || !h->ends || !h->broken)
        return cluster_no_memory(s);
    if (s->c.full.model)
        return full_open(&h->full, s, h->nodes);
    return s->c.n_beside > 1 ? neighbours_open(&h->beside, h->nodes, s->e) : 0;
}

int hosts_open(struct cluster *s)
{
    const bool many = s->c.pool != 0, even = s->c.even_nodes != 0, rows = s->env->nodes != NULL;
    if (many + even + rows != 1)
        return err_set(s->e, ERR_EUSAGE,
                       "cluster: %s, want one of \"pool\", \"even\" and the experiment's \"nodes\"",
                       (many + even + rows) ? "GPUs said twice" : "no GPUs");
    if (many && s->c.n_beside > 1)
        return err_set(s->e, ERR_EUSAGE,
                       "cluster: \"interference\" needs nodes: a pool does not say who is beside "
                       "whom");
    s->hosts = calloc(1, sizeof *s->hosts);
    if (!s->hosts)
        return cluster_no_memory(s);
    s->hosts->gpus = s->c.pool;
    return many ? 0 : open_nodes(s, s->hosts);
}

void hosts_close(struct cluster *s)
{
    struct hosts *h = s->hosts;
    if (!h)
        return;
    neighbours_close(h->beside);
    full_close(h->full);
    demand_free(h->demand);
    nodes_free(h->nodes);
    free(h->seat);
    free(h->ends);
    free(h->broken);
    free(h);
}

/* ---- how much there is ----------------------------------------------------------- */

uint64_t hosts_milli(const struct cluster *s)
{
    return s->hosts->nodes ? s->hosts->nodes->gpu_milli : s->hosts->gpus * 1000;
}

uint64_t hosts_down(const struct cluster *s)
{
    return s->hosts->nodes ? s->hosts->down_milli : s->hosts->down * 1000;
}

uint64_t hosts_free(const struct cluster *s)
{
    const struct hosts *h = s->hosts;
    return h->nodes ? h->nodes->gpu_milli_free : hosts_milli(s) - hosts_down(s) - h->used_milli;
}

uint64_t hosts_cpu(const struct cluster *s)
{
    return s->hosts->nodes ? s->hosts->nodes->cpu_milli : 0;
}

uint64_t hosts_mem(const struct cluster *s)
{
    return s->hosts->nodes ? s->hosts->nodes->mem_bytes : 0;
}

/* ---- what a job asks for ------------------------------------------------------------ */

static int ask_for(struct cluster *s, const struct trace_job *row, struct policy_job *p)
{
    const bool one = row->gpus == 1 && row->gpu_milli < 1000;
    if (s->hosts->nodes)
        return nodes_job(s->hosts->nodes, row, s->env->rows, part_of(s), p, s->e);
    p->gpus = row->gpus;
    p->gpu_milli = one ? nodes_part_milli(part_of(s), row->gpu_milli) : 1000;
    p->gpu_models = POLICY_ANY_MODEL;
    p->cpu_milli = row->cpu_milli;
    p->mem_bytes = row->mem_bytes;
    return 0;
}

int hosts_read(struct cluster *s, const struct trace_job *row, struct job *j)
{
    int rc = ask_for(s, row, &j->seen);
    return rc || !s->hosts->full ? rc : full_read(s->hosts->full, s, row, j);
}

bool hosts_feasible(const struct cluster *s, const struct job *j)
{
    struct policy_job least = j->seen;
    least.gpus = j->seen.gpus_min;
    return s->hosts->nodes ? nodes_ever(s->hosts->nodes, &least, s->hosts->most)
                           : (uint64_t)least.gpus * least.gpu_milli <= hosts_milli(s);
}

bool hosts_fits(const struct cluster *s, const struct job *j)
{
    struct policy_job least = j->seen;
    least.gpus = j->seen.gpus_min;
    if ((uint64_t)least.gpus * least.gpu_milli > hosts_free(s))
        return false;
    return !s->hosts->nodes ||
           nodes_first(s->hosts->nodes, &least, s->hosts->most, s->hosts->seat) > 0;
}

/* ---- taking and giving ------------------------------------------------------------------ */

/* When the last job of each node ends. */
static const uint64_t *ends(const struct cluster *s, struct hosts *h)
{
    memset(h->ends, 0, h->nodes->n * sizeof *h->ends);
    for (uint32_t i = 0; i < s->running; i++) {
        const struct job *j = &s->job[s->ran[i]];
        const uint64_t end = run_end(s, j);
        for (uint32_t k = 0; k < j->n_seat; k++)
            if (h->ends[j->seat[k].node] < end)
                h->ends[j->seat[k].node] = end;
    }
    return h->ends;
}

static bool take_seats(struct cluster *s, uint32_t slot, uint32_t given)
{
    struct job *j = &s->job[slot];
    struct hosts *h = s->hosts;
    struct policy_seat_obs o = {.job = j->seen,
                                .cluster = {.now_ns = sim_now(s->sim),
                                            .waiting = s->waiting,
                                            .running = s->running,
                                            .gpu_milli = hosts_milli(s),
                                            .gpu_milli_free = hosts_free(s)},
                                .n_demand = h->demand ? h->demand->n : 0,
                                .demand = h->demand ? h->demand->kind : NULL};
    struct policy_ticket asked;
    struct policy_slot *place = scheduler_placer(s, &asked);
    o.job.gpus = given;
    if (policy_slot_oracle(place))
        o.oracle_ends_ns = ends(s, h);
    const uint32_t n = nodes_place(h->nodes, place, &o, h->most, h->seat);
    scheduler_placed(s, &asked);
    if (!n)
        return false;
    j->seat = malloc(n * sizeof *j->seat);
    if (!j->seat) {
        cluster_no_memory(s);
        return false;
    }
    memcpy(j->seat, h->seat, n * sizeof *j->seat);
    j->n_seat = n;
    return true;
}

/* Its GPUs, as taken: also back after hosts_lend. */
void hosts_claim(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    struct hosts *h = s->hosts;
    struct policy_job p = j->seen;
    p.gpus = j->given;
    if (h->nodes)
        nodes_take(h->nodes, &p, j->seat, j->n_seat);
    else
        h->used_milli += j->milli;
}

void hosts_lend(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    struct hosts *h = s->hosts;
    struct policy_job p = j->seen;
    p.gpus = j->given;
    if (h->nodes)
        nodes_give(h->nodes, &p, j->seat, j->n_seat);
    else
        h->used_milli -= j->milli;
}

bool hosts_take(struct cluster *s, uint32_t slot, uint32_t given)
{
    struct job *j = &s->job[slot];
    const uint64_t milli = (uint64_t)given * j->seen.gpu_milli;
    if (milli > hosts_free(s) || (s->hosts->nodes && !take_seats(s, slot, given)))
        return false;
    j->given = given;
    j->milli = milli;
    j->pace_micro = s->c.beside_micro[0];
    hosts_claim(s, slot);
    if (s->hosts->beside)
        neighbours_join(s->hosts->beside, s, slot);
    if (s->hosts->full)
        full_join(s->hosts->full, s, slot);
    return true;
}

void hosts_give(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    if (s->hosts->beside)
        neighbours_leave(s->hosts->beside, s, slot);
    if (s->hosts->full)
        full_leave(s->hosts->full, s, slot);
    hosts_lend(s, slot);
    free(j->seat);
    j->seat = NULL;
    j->n_seat = 0;
}

struct full *hosts_full(const struct cluster *s)
{
    return s->hosts->full;
}

void hosts_worked(struct cluster *s, const struct job *j, uint64_t wall)
{
    if (s->hosts->full)
        full_worked(s->hosts->full, j, wall);
}

void hosts_report(struct cluster *s)
{
    if (s->hosts->full)
        full_report(s->hosts->full, s->out);
    if (s->hosts->place)
        policy_slot_report(s->hosts->place, s->out);
}

/* ---- failures ------------------------------------------------------------------- */

uint64_t hosts_units(const struct cluster *s)
{
    return s->hosts->nodes ? s->hosts->nodes->n : s->hosts->gpus;
}

/* A pool's GPUs have no names: the last ones are those that are down. */
bool hosts_up(const struct cluster *s, uint64_t unit)
{
    return s->hosts->nodes ? !s->hosts->broken[unit] : unit < s->hosts->gpus - s->hosts->down;
}

static bool sits_on(const struct job *j, uint64_t node)
{
    for (uint32_t i = 0; i < j->n_seat; i++)
        if (j->seat[i].node == node)
            return true;
    return false;
}

/* A pool's GPUs belong to the jobs that run, in the order of the heap; parts of GPUs lie side by
 * side. */
uint32_t hosts_on(const struct cluster *s, uint64_t unit, uint32_t *slot)
{
    const uint64_t hit = unit * 1000;
    uint64_t at = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->running; i++) {
        const struct job *j = &s->job[s->ran[i]];
        const bool here =
            s->hosts->nodes ? sits_on(j, unit) : j->milli && at < hit + 1000 && at + j->milli > hit;
        if (here)
            slot[n++] = s->ran[i];
        at += j->milli;
    }
    return n;
}

/* All that an empty node has. */
static struct policy_job whole(const struct policy_node *node)
{
    return (struct policy_job){.gpus = node->gpus,
                               .gpu_milli = 1000,
                               .gpu_models = POLICY_ANY_MODEL,
                               .cpu_milli = node->cpu_milli,
                               .mem_bytes = node->mem_bytes};
}

static void set_broken(struct hosts *h, uint32_t unit, bool broken)
{
    const struct policy_node *node = &h->nodes->node[unit];
    const struct policy_job all = whole(node);
    const struct policy_seat seat = {.node = unit, .gpus = (1u << node->gpus) - 1};
    h->broken[unit] = broken;
    if (broken) {
        h->down_milli += UINT64_C(1000) * node->gpus;
        nodes_take(h->nodes, &all, &seat, 1);
    } else {
        h->down_milli -= UINT64_C(1000) * node->gpus;
        nodes_give(h->nodes, &all, &seat, 1);
    }
}

void hosts_break(struct cluster *s, uint64_t unit)
{
    if (s->hosts->nodes) {
        set_broken(s->hosts, (uint32_t)unit, true);
        return;
    }
    s->hosts->down++;
    assert(s->hosts->used_milli + hosts_down(s) <= hosts_milli(s));
}

void hosts_repair(struct cluster *s, uint64_t unit)
{
    if (s->hosts->nodes)
        set_broken(s->hosts, (uint32_t)unit, false);
    else
        s->hosts->down--;
}
