/* template_cluster.c - a small order of jobs, and where each goes, to be copied.
 *
 * The job whose user's jobs have been short lately goes first, and whoever has
 * waited long is forgiven.  It goes to the node that is fullest already and
 * still has room, so that the others stay whole for large jobs.  To make your
 * own: `malv policy new NAME --hook cluster.order` (or cluster.place); the
 * steps and the rules stand in template.c.                                   */
#include <stdlib.h>

#include "node_fit.h"
#include "policy.h"

#define USERS 256

struct template_cluster_state {
    const struct policy_host *h; /* stays valid until destroy */
    double aging;
    double mean_s[USERS]; /* of each user's jobs, moving; those that collide share it */
};

static int create(void **self, const struct policy_host *h)
{
    struct template_cluster_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    s->aging = h->param(h->host, "aging", 1);
    if (!(s->aging >= 0 && s->aging <= 1e3)) {
        h->log(h->host, "aging: want 0..1000");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t whose(const struct policy_job *j)
{
    return (j->user == POLICY_NONE ? j->group : j->user) % USERS;
}

/* The lowest key runs first.  A key counts for as long as nothing is said here about when to ask
 * again; a later arrival has waited less, so its key is larger by as much. */
static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    const struct template_cluster_state *s = self;
    const double arrived_s = (double)o->job.arrived_ns / 1e9;
    const double key = 1e3 * (s->mean_s[whose(&o->job)] + s->aging * arrived_s);
    answer->key = key < 0x1p61 ? (int64_t)key : INT64_C(1) << 61;
}

/* A job ended: how long this user's jobs take these days. */
static void done(void *self, const struct policy_job_done *d)
{
    struct template_cluster_state *s = self;
    double *mean = &s->mean_s[whose(&d->job)];
    *mean += ((double)d->duration_ns / 1e9 - *mean) / 8;
}

/* Where a job runs: one node, which GPUs of it; or, when no node holds it all, several. */
static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    const struct policy_node *best = NULL;
    (void)self;
    for (uint32_t i = 0; i < o->n; i++)
        if (node_fits(&o->node[i], &o->job) &&
            (!best || node_gpu_free(&o->node[i]) < node_gpu_free(best)))
            best = &o->node[i];
    if (!best)
        return node_spread(o, seat); /* 0 where a job may not have several nodes */
    *seat = (struct policy_seat){best->id, node_gpus_best(best, &o->job)};
    return 1;
}

/* Parts of every type of GPU for every job (in rounds): the same for all, in proportion. */
static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    double gpus = 0;
    uint32_t n = 0;
    (void)self;
    for (uint32_t t = 0; t < o->types; t++)
        gpus += o->gpus[t];
    for (uint32_t i = 0; i < o->n; i++) {
        const double own = gpus / o->n / o->job[i].gpus; /* of all its time */
        for (uint32_t t = 0; t < o->types && n < o->most; t++)
            part[n++] =
                (struct policy_part){i, POLICY_NONE, t, (own < 1 ? own : 1) * o->gpus[t] / gpus};
    }
    return n;
}

POLICY(.name = "template-cluster",
       .summary = "cluster: short users first, on the fullest node (the one to copy)",
       .create = create, .destroy = destroy, .cluster_order = order, .cluster_done = done,
       .cluster_place = place, .cluster_share = share);
