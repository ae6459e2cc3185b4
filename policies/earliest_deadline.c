/* earliest_deadline.c - kernels of the request whose deadline is next.
 *
 * Only whoever sees requests can do this: a hypervisor that dispatches, not the
 * driver and not the device.  Those without a deadline go while nobody with one
 * waits, at most `ahead` of their kernels at a time, in pieces of `piece_us`.
 * While there is work for less than the GPU's whole time, all deadlines that
 * can be met are; beyond that it fails everybody in turn, as EDF does.
 *
 * Source: Liu and Layland, JACM 20 (1973); for GPUs, Clockwork (OSDI'20).
 *
 * Parameters
 *   ahead     (2)   kernels without deadline on the GPU
 *   piece_us  (0)   they are cut into pieces of so long; 0: whole             */
#include "gpu_tenants.h"

struct edf {
    uint32_t ahead;
    uint64_t piece;
};

static int create(void **self, const struct policy_host *h)
{
    struct edf *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->ahead = (uint32_t)gpu_param(h, "ahead", 2, 1, 1e6, &bad);
    s->piece = gpu_param_ns(h, "piece_us", 0, 1e3, &bad);
    bad |= s->piece && s->piece < POLICY_PIECE_MIN;
    return gpu_created(self, h, s, bad);
}

static int before(const struct policy_gpu_tenant *a, const struct policy_gpu_tenant *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns && (!b->deadline_ns || a->deadline_ns < b->deadline_ns);
    return a->prio != b->prio ? a->prio > b->prio : a->ready_ns < b->ready_ns;
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    const struct edf *s = self;
    uint32_t best = POLICY_NONE, loose = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        loose += t->deadline_ns ? 0 : t->running;
        if (t->waiting && (best == POLICY_NONE || before(t, &o->tenant[best])))
            best = i;
    }
    gpu_answer(answer, best);
    if (best == POLICY_NONE || o->tenant[best].deadline_ns)
        return;
    if (loose >= s->ahead)
        answer->tenant = POLICY_NONE;
    answer->piece_ns = s->piece;
}

POLICY(.name = "earliest-deadline", .summary = "GPU: the request whose deadline is next",
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
