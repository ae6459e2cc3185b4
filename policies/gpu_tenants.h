/* gpu_tenants.h - what policies at gpu.dispatch and gpu.share have in common.
 *
 * A tenant with prio above 0 is latency-critical; all others are best effort. */
#ifndef POLICIES_GPU_TENANTS_H
#define POLICIES_GPU_TENANTS_H

#include <stdlib.h>

#include "policy.h"

enum { GPU_BEST_EFFORT, GPU_CRITICAL };

static inline int gpu_class(const struct policy_gpu_tenant *t)
{
    return t->prio > 0 ? GPU_CRITICAL : GPU_BEST_EFFORT;
}

/* Of one class, who waits: the highest priority, then the longest wait.  POLICY_NONE: nobody. */
static inline uint32_t gpu_first(const struct policy_dispatch_obs *o, int class)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        if (!t->waiting || gpu_class(t) != class)
            continue;
        const struct policy_gpu_tenant *b = &o->tenant[best == POLICY_NONE ? i : best];
        if (best == POLICY_NONE || t->prio > b->prio ||
            (t->prio == b->prio && t->ready_ns < b->ready_ns))
            best = i;
    }
    return best;
}

/* Commands of one class on the GPU. */
static inline uint32_t gpu_running(const struct policy_dispatch_obs *o, int class)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n; i++)
        n += gpu_class(&o->tenant[i]) == class ? o->tenant[i].running : 0;
    return n;
}

/* Whole and at once, or (POLICY_NONE) nothing until something happens. */
static inline void gpu_answer(struct policy_dispatch *answer, uint32_t tenant)
{
    *answer = (struct policy_dispatch){.tenant = tenant, .preempt = POLICY_NONE};
}

/* Nothing for so long. */
static inline void gpu_wait(struct policy_dispatch *answer, uint64_t ns)
{
    gpu_answer(answer, POLICY_NONE);
    answer->again_ns = ns < POLICY_AGAIN_MIN ? POLICY_AGAIN_MIN : ns;
}

/* A state of this size, zeroed; NULL after saying so. */
static inline void *gpu_state(const struct policy_host *h, size_t size)
{
    void *s = calloc(1, size);
    if (!s)
        h->log(h->host, "out of memory");
    return s;
}

/* A parameter in us or the like, as ns; *bad is set when it is negative or beyond an hour. */
static inline uint64_t gpu_param_ns(const struct policy_host *h, const char *name, double otherwise,
                                    double unit_ns, int *bad)
{
    double v = h->param(h->host, name, otherwise) * unit_ns;
    if (v >= 0 && v <= 3.6e12)
        return (uint64_t)v;
    *bad = 1;
    return 0;
}

/* A parameter from least to most. */
static inline double gpu_param(const struct policy_host *h, const char *name, double otherwise,
                               double least, double most, int *bad)
{
    double v = h->param(h->host, name, otherwise);
    *bad |= !(v >= least && v <= most);
    return v;
}

/* create's last line: 0, or the state is given up with a reason. */
static inline int gpu_created(void **self, const struct policy_host *h, void *state, int bad)
{
    *self = state;
    if (!bad)
        return 0;
    h->log(h->host, "a parameter is out of range (they stand at the head of the policy's file)");
    free(state);
    return -1;
}

#endif
