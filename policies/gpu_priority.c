/* gpu_priority.c - strict priorities: best effort goes only while nobody above it waits.
 *
 * Latency-critical kernels go at once; `ahead` bounds how many kernels of best
 * effort are on the GPU, so that a critical one waits for that many at most;
 * with `preempt` it does not wait for them either, but the GPU stops and saves
 * what runs, which costs more than a short kernel would have.  Good where
 * kernels are short; one long kernel of best effort delays everybody, and a
 * busy tenant starves all below it.
 *
 * Source: the levels of XSched (OSDI'25): ahead bounds commands in flight
 * (level 1), preempt interrupts them (level 3).
 *
 * Parameters
 *   ahead    (8)   kernels of best effort on the GPU; 0: no bound
 *   preempt  (0)   1: best effort that runs is stopped for critical work      */
#include "gpu_tenants.h"

struct strict {
    uint32_t ahead;
    int preempt;
};

static int create(void **self, const struct policy_host *h)
{
    struct strict *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->ahead = (uint32_t)gpu_param(h, "ahead", 8, 0, 1e6, &bad);
    s->preempt = gpu_param(h, "preempt", 0, 0, 1, &bad) > 0;
    return gpu_created(self, h, s, bad);
}

static uint32_t running_best_effort(const struct policy_dispatch_obs *o)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (gpu_class(&o->tenant[i]) == GPU_BEST_EFFORT && o->tenant[i].running)
            return i;
    return POLICY_NONE;
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    const struct strict *s = self;
    uint32_t critical = gpu_first(o, GPU_CRITICAL);
    if (critical != POLICY_NONE) {
        gpu_answer(answer, critical);
        if (s->preempt)
            answer->preempt = running_best_effort(o);
        return;
    }
    int full = s->ahead && gpu_running(o, GPU_BEST_EFFORT) >= s->ahead;
    int held = s->preempt && gpu_running(o, GPU_CRITICAL);
    gpu_answer(answer, full || held ? POLICY_NONE : gpu_first(o, GPU_BEST_EFFORT));
}

POLICY(.name = "gpu-priority", .summary = "GPU: strict priorities, best effort bounded",
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
