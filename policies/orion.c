/* orion.c - best effort beside a critical kernel only where they want different things.
 *
 * Critical kernels go at once.  One of best effort goes when no critical kernel
 * runs, or when it fills fewer than `sms` SMs and is bound by compute where the
 * critical one is bound by memory, or the other way round.  And the time of
 * best effort that was sent and has not ended stays below `share` of a critical
 * request's latency; beyond it, nothing goes before all of that has ended.
 * Keeps the GPU full with little harm where kernels are short and profiles
 * known; a kernel longer than the bound still delays whoever comes after it,
 * for it is not cut.
 *
 * Source: Strati, Ma, Klimovic, Orion, EuroSys'24: section 5.1 and the
 * repository's scheduler (eth-easl/orion); share is the paper's 2.5 %.
 *
 * Parameters
 *   share       (0.025)  of the request's latency
 *   latency_ms  (0)      of a request alone; 0: the least that was seen
 *   sms         (0)      0: all of the device's                               */
#include "gpu_tenants.h"

struct orion {
    double share;
    uint64_t latency; /* of a critical request; 0: none was seen */
    int given;        /* it is a parameter */
    uint32_t sms;
    uint64_t sent; /* of best effort, since none of it ran: time alone */
};

static int create(void **self, const struct policy_host *h)
{
    struct orion *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->share = gpu_param(h, "share", 0.025, 0, 1000, &bad);
    s->latency = gpu_param_ns(h, "latency_ms", 0, 1e6, &bad);
    s->given = s->latency > 0;
    s->sms = (uint32_t)gpu_param(h, "sms", 0, 0, 1e6, &bad);
    return gpu_created(self, h, s, bad);
}

static void learn(struct orion *s, const struct policy_dispatch_obs *o)
{
    for (uint32_t i = 0; i < o->n && !s->given; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        if (gpu_class(t) == GPU_CRITICAL && t->latency_ns &&
            (!s->latency || t->latency_ns < s->latency))
            s->latency = t->latency_ns;
    }
    if (!gpu_running(o, GPU_BEST_EFFORT))
        s->sent = 0;
}

/* Whether it may run beside this one. */
static int goes_with(uint32_t bound, const struct policy_gpu_tenant *critical)
{
    return bound != POLICY_BOUND_UNKNOWN && critical->running_bound != POLICY_BOUND_UNKNOWN &&
           bound != critical->running_bound;
}

static int fits(const struct orion *s, const struct policy_dispatch_obs *o,
                const struct policy_gpu_tenant *t)
{
    uint32_t most = s->sms ? s->sms : o->sms;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *c = &o->tenant[i];
        if (gpu_class(c) == GPU_CRITICAL && c->running &&
            (!t->head_ns || t->head_sms >= most || !goes_with(t->head_bound, c)))
            return 0;
    }
    return 1;
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    struct orion *s = self;
    learn(s, o);
    uint32_t critical = gpu_first(o, GPU_CRITICAL), best = gpu_first(o, GPU_BEST_EFFORT);
    gpu_answer(answer, critical);
    if (critical != POLICY_NONE || best == POLICY_NONE)
        return;
    const struct policy_gpu_tenant *t = &o->tenant[best];
    if (s->sent && (double)s->sent >= s->share * (double)s->latency)
        return; /* until all of it has ended */
    if (!fits(s, o, t))
        return;
    s->sent += t->head_ns ? t->head_ns : 1;
    answer->tenant = best;
}

POLICY(.name = "orion", .summary = "GPU: best effort beside kernels that want something else",
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
