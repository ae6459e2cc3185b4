/* template_gpu.c - a small GPU policy, to be copied.
 *
 * Critical kernels first; best effort in pieces, and only so many at a time.
 * Parts of the GPU by weight, critical tenants twice theirs.  To make your own:
 * `malv policy new NAME --hook gpu.dispatch`; the steps and the rules stand in
 * template.c.                                                               */
#include <stdlib.h>

#include "policy.h"

struct template_gpu_state {
    const struct policy_host *h; /* stays valid until destroy */
    uint64_t piece_ns;
    double ahead; /* kernels of best effort on the GPU */
};

static int create(void **self, const struct policy_host *h)
{
    struct template_gpu_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    double us = h->param(h->host, "piece_us", 50);
    s->ahead = h->param(h->host, "ahead", 2);
    if (us >= 1 && us <= 1e6 && s->ahead >= 1) {
        s->piece_ns = (uint64_t)(us * 1000);
        *self = s;
        return 0;
    }
    h->log(h->host, "want piece_us 1..1000000 and ahead >= 1");
    free(s);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

/* Whose next kernel goes to the GPU: an index, or POLICY_NONE for nobody just now. */
static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    const struct template_gpu_state *s = self;
    const struct policy_gpu_tenant *best = NULL;
    double running = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        running += t->prio > 0 ? 0 : t->running;
        if (!t->waiting)
            continue;
        if (!best || t->prio > best->prio ||
            (t->prio == best->prio && t->ready_ns < best->ready_ns))
            best = t;
    }
    *answer = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    if (!best || (best->prio <= 0 && running >= s->ahead))
        return; /* asked again when one of them ends */
    answer->tenant = (uint32_t)(best - o->tenant);
    answer->piece_ns = best->prio > 0 ? 0 : s->piece_ns;
}

/* What part of the GPU is whose, in 1/1000; milli comes filled with the present parts. */
static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    double sum = 0;
    (void)self;
    for (uint32_t i = 0; i < o->n; i++)
        sum += (o->tenant[i].prio > 0 ? 2.0 : 1.0) * o->tenant[i].weight;
    for (uint32_t i = 0; i < o->n && sum > 0; i++) {
        double part = (o->tenant[i].prio > 0 ? 2.0 : 1.0) * o->tenant[i].weight / sum;
        milli[i] = part * POLICY_MILLI >= 1 ? (uint32_t)(part * POLICY_MILLI) : 1;
    }
}

POLICY(.name = "template-gpu", .summary = "GPU: critical first, the rest in pieces (to copy)",
       .create = create, .destroy = destroy, .gpu_dispatch = dispatch, .gpu_share = share);
