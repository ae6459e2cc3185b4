/* lifetime_oracle.c - the node whose emptiness a job delays least, told when jobs end.
 *
 * A job goes where its end comes least after that of the last job there: best
 * is a node that stays occupied for longer anyhow, worst an empty one.  So
 * nodes fill with jobs that leave together and come free whole, for those that
 * want a whole one.  Among equals the node with the fewest GPUs left over, then
 * the one that ends soonest.  Google's NILAS ranks hosts so by predicted
 * lifetimes (Ling et al., LAVA, MLSys'25); this one has the true ones, and
 * costs in place of its classes of temporal cost.  Greedy: it knows nothing of
 * jobs that are to come.  Where no job wants much of a node, best fit is as good.
 *
 * Parameters
 *   grain_s  (60)    ends as close as this are the same, 0..1e9              */
#include <stdlib.h>

#include "node_fit.h"

struct oracle {
    uint64_t grain;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    const double grain = h->param(h->host, "grain_s", 60);
    if (!(grain >= 0 && grain <= 1e9)) {
        h->log(h->host, "grain_s: want 0..1000000000");
        free(s);
        return -1;
    }
    s->grain = (uint64_t)(grain * 1e9) + 1;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

struct fit {
    uint64_t delay; /* in grains, of the node's coming free */
    uint32_t left;  /* 1/1000 GPUs */
    uint64_t end;
};

static struct fit fit_of(const struct oracle *s, const struct policy_seat_obs *o, uint32_t node)
{
    const struct policy_job *j = &o->job;
    const uint64_t now = o->cluster.now_ns, ends = o->oracle_ends_ns[node];
    const uint64_t own = now + (j->oracle_ns > j->ran_ns ? j->oracle_ns - j->ran_ns : 0);
    const uint64_t free_at = ends > now ? ends : now;
    return (struct fit){.delay = own > free_at ? (own - free_at) / s->grain : 0,
                        .left = node_gpu_free(&o->node[node]) - j->gpus * j->gpu_milli,
                        .end = free_at};
}

static int better(const struct fit *a, const struct fit *b)
{
    if (a->delay != b->delay)
        return a->delay < b->delay;
    return a->left != b->left ? a->left < b->left : a->end < b->end;
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    const struct oracle *s = self;
    uint32_t at = POLICY_NONE;
    struct fit best = {0};
    for (uint32_t i = 0; i < o->n; i++) {
        if (!node_fits(&o->node[i], &o->job))
            continue;
        const struct fit f = fit_of(s, o, i);
        if (at == POLICY_NONE || better(&f, &best)) {
            at = i;
            best = f;
        }
    }
    if (at == POLICY_NONE)
        return node_spread(o, seat);
    *seat = (struct policy_seat){at, node_gpus_best(&o->node[at], &o->job)};
    return 1;
}

POLICY(.name = "lifetime-oracle",
       .summary = "cluster: the node that a job keeps from coming free least (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .cluster_place = place);
