/* share_oracle.c - the whole GPU for whoever will have requests in the coming period.
 *
 * A critical tenant that has a request, or will have one before the next
 * question, gets everything, best effort the least that there is; while none
 * will, best effort gets everything.  Its grain is the period: a request at the
 * end of one keeps best effort off for all of it.  Bounds the latency that
 * parts can give; how much best effort keeps beside that is greedy.            */
#include "gpu_tenants.h"

struct oracle {
    uint64_t asked, period; /* when last; ns between two questions */
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = gpu_state(h, sizeof *s);
    return s ? gpu_created(self, h, s, 0) : -1;
}

static int wants(const struct oracle *s, const struct policy_share_obs *o,
                 const struct policy_gpu_tenant *t)
{
    return gpu_class(t) == GPU_CRITICAL &&
           (t->request_ns || !t->oracle_next_ns || t->oracle_next_ns <= o->now_ns ||
            t->oracle_next_ns - o->now_ns <= s->period);
}

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    struct oracle *s = self;
    int critical = 0;
    if (o->now_ns > s->asked)
        s->period = o->now_ns - s->asked;
    s->asked = o->now_ns;
    for (uint32_t i = 0; i < o->n; i++)
        critical |= wants(s, o, &o->tenant[i]);
    for (uint32_t i = 0; i < o->n; i++)
        milli[i] =
            (critical ? wants(s, o, &o->tenant[i]) : gpu_class(&o->tenant[i]) == GPU_BEST_EFFORT)
                ? POLICY_MILLI
                : 1;
}

POLICY(.name = "share-oracle",
       .summary = "GPU parts: all for who will have requests in the period (oracle)", .oracle = 1,
       .create = create, .destroy = free, .gpu_share = share);
