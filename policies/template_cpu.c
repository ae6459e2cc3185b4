/* template_cpu.c - a small scheduler, to be copied.
 *
 * The runnable task that had least CPU time for its weight goes on; a task
 * moves to another CPU when that evens the queues out and its caches have had
 * time to grow cold.  To make your own: `malv policy new NAME --hook cpu.pick`;
 * the steps and the rules stand in template.c.                              */
#include <stdlib.h>

#include "policy.h"

struct template_cpu_state {
    const struct policy_host *h; /* stays valid until destroy */
    uint64_t slice_ns, cold_ns;
    uint64_t moved; /* tasks that this policy sent elsewhere */
};

static int create(void **self, const struct policy_host *h)
{
    struct template_cpu_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    double slice_ms = h->param(h->host, "slice_ms", 3), cold_ms = h->param(h->host, "cold_ms", 0.5);
    s->h = h;
    s->slice_ns = (uint64_t)(slice_ms * 1e6);
    s->cold_ns = (uint64_t)(cold_ms * 1e6);
    if (slice_ms >= 0.01 && slice_ms <= 10000 && cold_ms >= 0 && cold_ms <= 10000) {
        *self = s;
        return 0;
    }
    h->log(h->host, "want slice_ms 0.01..10000 and cold_ms 0..10000");
    free(s);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

/* CPU time per weight, without a division: a behind b. */
static int behind(const struct policy_task *a, const struct policy_task *b)
{
    return (double)a->ran_ns * b->weight < (double)b->ran_ns * a->weight;
}

/* A CPU has something to decide: who goes on, and for how long at most.  Leaving the running task
 * in place is an answer too; its index is o->current. */
static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    const struct template_cpu_state *s = self;
    uint32_t best = 0;
    for (uint32_t i = 1; i < o->n; i++)
        if (behind(&o->task[i], &o->task[best]))
            best = i;
    if (o->why == POLICY_WOKE && o->current != POLICY_NONE && best != o->woken)
        best = o->current; /* who woke up has no claim: nothing changes */
    answer->task = best;
    answer->slice_ns = s->slice_ns;
}

/* May this waiting task move from one CPU to another? */
static int balance(void *self, const struct policy_balance_obs *o)
{
    struct template_cpu_state *s = self;
    if (o->src_len <= o->dst_len + 1 || o->since_ran_ns < s->cold_ns)
        return POLICY_LEAVE;
    s->moved++;
    return POLICY_MIGRATE;
}

POLICY(.name = "template-cpu", .summary = "least CPU time per weight first (the one to copy)",
       .create = create, .destroy = destroy, .cpu_pick = pick, .cpu_balance = balance);
