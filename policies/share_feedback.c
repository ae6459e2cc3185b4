/* share_feedback.c - critical tenants get the part that keeps their latency, no more.
 *
 * Once a period: a critical tenant whose last request, or the one it is at,
 * took longer than `target_ms` gets half as much again; one that stayed well
 * below (`slack` of the target) gives a little back.  Best effort shares what
 * is left by weight.  Finds the part that a latency needs without a profile;
 * it reacts after the harm, and swings where load changes faster than the
 * period.
 *
 * Source: the feedback of Gpulets and iGniter (ATC'22, TPDS'23) in its
 * simplest form: multiplicative up, additive down.
 *
 * Parameters
 *   target_ms  (10)    slack  (0.7)    step  (20)  1/1000 given back
 *   floor      (100)   1/1000, that no critical tenant goes below             */
#include "gpu_tenants.h"

struct feedback {
    uint64_t target;
    double slack;
    uint32_t step, floor;
};

static int create(void **self, const struct policy_host *h)
{
    struct feedback *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->target = gpu_param_ns(h, "target_ms", 10, 1e6, &bad);
    s->slack = gpu_param(h, "slack", 0.7, 0, 1, &bad);
    s->step = (uint32_t)gpu_param(h, "step", 20, 1, POLICY_MILLI, &bad);
    s->floor = (uint32_t)gpu_param(h, "floor", 100, 1, POLICY_MILLI, &bad);
    bad |= !s->target;
    return gpu_created(self, h, s, bad);
}

static uint32_t adjusted(const struct feedback *s, const struct policy_share_obs *o,
                         const struct policy_gpu_tenant *t, uint32_t part)
{
    uint64_t took = t->latency_ns;
    if (t->request_ns && o->now_ns > t->request_ns && o->now_ns - t->request_ns > took)
        took = o->now_ns - t->request_ns;
    if (took > s->target)
        part += part / 2 + 1;
    else if (took && (double)took < s->slack * (double)s->target)
        part = part > s->step ? part - s->step : 1;
    if (part < s->floor)
        part = s->floor;
    return part < POLICY_MILLI ? part : POLICY_MILLI;
}

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    const struct feedback *s = self;
    uint64_t critical = 0, weights = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        if (gpu_class(t) == GPU_CRITICAL)
            critical += milli[i] = adjusted(s, o, t, milli[i]);
        else
            weights += t->weight;
    }
    uint64_t left = critical < POLICY_MILLI ? POLICY_MILLI - critical : 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (gpu_class(&o->tenant[i]) != GPU_CRITICAL) {
            uint64_t part = weights ? left * o->tenant[i].weight / weights : 0;
            milli[i] = part ? (uint32_t)part : 1;
        }
}

POLICY(.name = "share-feedback", .summary = "GPU parts: what a latency needs, no more",
       .create = create, .destroy = free, .gpu_share = share);
