/* gpu_fair.c - GPU time in proportion to weights.
 *
 * Each tenant has a virtual time, its GPU time divided by its weight; of those
 * that wait, the one that is behind most goes.  A tenant that comes back from
 * idleness starts where the others are, so it can not claim what it did not
 * use.  What runs is charged only as it runs, so at most `ahead` kernels of one
 * tenant are on the GPU.  Good for tenants of one kind; it knows no latencies,
 * and whole kernels make shares uneven over short times.
 *
 * Source: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM'96), with used
 * GPU time as the service.
 *
 * Parameters
 *   ahead  (2)   kernels of one tenant on the GPU                             */
#include "gpu_tenants.h"

struct fair {
    uint32_t ahead;
    double at;                             /* virtual time of who went last */
    double v[POLICY_GPU_TENANTS_MAX];      /* of each */
    uint64_t used[POLICY_GPU_TENANTS_MAX]; /* up to here it is counted in v */
    uint64_t busy[POLICY_GPU_TENANTS_MAX]; /* 1 + the question at which it was last there */
    uint64_t question;
};

static int create(void **self, const struct policy_host *h)
{
    struct fair *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->ahead = (uint32_t)gpu_param(h, "ahead", 2, 1, 1e6, &bad);
    return gpu_created(self, h, s, bad);
}

static void charge(struct fair *s, const struct policy_gpu_tenant *t)
{
    double ran = (double)(t->used_ns - s->used[t->id]);
    s->v[t->id] += ran * 1024 / (t->weight ? t->weight : 1);
    s->used[t->id] = t->used_ns;
    if (s->busy[t->id] != s->question && s->v[t->id] < s->at)
        s->v[t->id] = s->at; /* it was away */
    s->busy[t->id] = s->question + 1;
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    struct fair *s = self;
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        charge(s, t);
        if (t->waiting && t->running < s->ahead &&
            (best == POLICY_NONE || s->v[t->id] < s->v[o->tenant[best].id]))
            best = i;
    }
    s->question++;
    if (best != POLICY_NONE && s->v[o->tenant[best].id] > s->at)
        s->at = s->v[o->tenant[best].id];
    gpu_answer(answer, best);
}

POLICY(.name = "gpu-fair", .summary = "GPU: time in proportion to weights", .create = create,
       .destroy = free, .gpu_dispatch = dispatch);
