#include "models/gpu/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SHARE_PRIO = -1001 }; /* after all else that happens at that time */

struct share {
    struct sim *sim;
    struct device *device;
    struct share_params p;
    struct policy_slot *policy;
    sim_event next;
    sim_time since; /* when it was asked last */
    sim_cost busy;  /* of the device, up to then */
    uint64_t period;
    uint32_t n;
    const struct gpu_tenant *tenant[POLICY_GPU_TENANTS_MAX]; /* in order of id */
    uint32_t milli[POLICY_GPU_TENANTS_MAX];
    uint32_t answer[POLICY_GPU_TENANTS_MAX]; /* of the last question */
    uint64_t questions;
    struct policy_ticket ticket; /* of the last one */
};

struct share *share_new(struct sim *s, struct device *d, const struct share_params *p,
                        struct policy_slot *policy)
{
    struct share *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->sim = s;
    x->device = d;
    x->p = *p;
    x->policy = policy;
    return x;
}

void share_free(struct share *x)
{
    if (!x)
        return;
    share_stop(x);
    free(x);
}

void share_stop(struct share *x)
{
    sim_cancel(x->sim, x->next);
    x->next = 0;
    if (x->p.life)
        policy_life_gone(x->p.life, 0, &x->ticket);
}

static void apply(struct share *x)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < x->n; i++)
        sum += x->milli[i];
    for (uint32_t i = 0; i < x->n; i++) {
        struct device_context *c = x->tenant[i]->context;
        sim_time slice = x->p.turn * x->milli[i] / sum;
        if (x->p.of == POLICY_SHARE_SMS)
            device_context_share(c, x->milli[i], 0);
        else
            device_context_share(c, 0, slice ? slice : 1);
    }
}

static uint32_t busy_milli(struct share *x)
{
    struct device_use u;
    sim_time passed = sim_now(x->sim) - x->since;
    device_used(x->device, &u);
    sim_cost busy = u.busy - x->busy;
    x->busy = u.busy;
    x->since = sim_now(x->sim);
    return passed ? (uint32_t)(busy / passed) : 0; /* ps a ns: already in 1/1000 */
}

/* The answer to a question is there; to the last one, or it comes too late. */
static void decided(void *ctx, uint64_t question)
{
    struct share *x = ctx;
    if (question != x->questions)
        return;
    if (x->p.life) {
        policy_life_answered(x->p.life, 0, &x->ticket);
        policy_life_watch(x->p.life, 0);
    }
    if (!memcmp(x->answer, x->milli, x->n * sizeof *x->milli))
        return;
    memcpy(x->milli, x->answer, x->n * sizeof *x->milli);
    apply(x);
}

static void put(struct share *x)
{
    struct policy_slot *p = x->p.life ? policy_life_of(x->p.life, x->ticket.version) : x->policy;
    struct policy_gpu_tenant seen[POLICY_GPU_TENANTS_MAX];
    struct policy_share_obs o = {.now_ns = sim_now(x->sim),
                                 .period = x->period,
                                 .of = x->p.of,
                                 .busy = busy_milli(x),
                                 .n = x->n,
                                 .tenant = seen};
    for (uint32_t i = 0; i < x->n; i++)
        gpu_tenant_see(x->tenant[i], x->p.sms, policy_slot_oracle(p), &seen[i]);
    memcpy(x->answer, x->milli, x->n * sizeof *x->milli);
    if (x->p.infer)
        mlaas_hook_begin(x->p.infer);
    policy_slot_share(p, &o, x->answer);
    if (!x->p.infer || !mlaas_hook_end(x->p.infer, decided, x, x->questions))
        decided(x, x->questions);
}

/* The step that it waited for is over. */
static void let_in(void *ctx, uint64_t arg)
{
    struct share *x = ctx;
    (void)arg;
    if (x->ticket.state != TICKET_HELD || !policy_life_ask(x->p.life, 0, &x->ticket, let_in, x, 0))
        return;
    if (x->n)
        put(x);
    else
        policy_life_gone(x->p.life, 0, &x->ticket);
}

/* What was asked before is not waited for any more. */
static void ask(struct share *x)
{
    x->questions++;
    if (x->ticket.state == TICKET_HELD)
        return;
    if (x->p.life)
        policy_life_gone(x->p.life, 0, &x->ticket);
    x->ticket = (struct policy_ticket){.size = x->n};
    if (!x->n)
        busy_milli(x);
    else if (!x->p.life || policy_life_ask(x->p.life, 0, &x->ticket, let_in, x, 0))
        put(x);
}

static void period_over(void *ctx, uint64_t arg)
{
    struct share *x = ctx;
    (void)arg;
    x->period++;
    x->next = sim_after(x->sim, x->p.period, SHARE_PRIO, period_over, x, 0);
    ask(x);
}

int share_come(struct share *x, const struct gpu_tenant *t, uint32_t milli, struct err *e)
{
    if (x->n == POLICY_GPU_TENANTS_MAX)
        return err_set(e, ERR_ERANGE, "more than %d tenants share a GPU", POLICY_GPU_TENANTS_MAX);
    uint32_t at = x->n++;
    while (at && x->tenant[at - 1]->id > t->id) {
        x->tenant[at] = x->tenant[at - 1];
        x->milli[at] = x->milli[at - 1];
        at--;
    }
    x->tenant[at] = t;
    const uint32_t whole = x->p.of == POLICY_SHARE_SMS ? 1 : x->n; /* parts of SMs may overlap */
    x->milli[at] = milli ? milli : POLICY_MILLI / whole;
    if (!x->next && x->p.period)
        x->next = sim_after(x->sim, x->p.period, SHARE_PRIO, period_over, x, 0);
    ask(x);
    return 0;
}

void share_go(struct share *x, const struct gpu_tenant *t)
{
    uint32_t at = 0;
    while (at < x->n && x->tenant[at] != t)
        at++;
    assert(at < x->n && "it never came");
    x->n--;
    memmove(x->tenant + at, x->tenant + at + 1, (x->n - at) * sizeof *x->tenant);
    memmove(x->milli + at, x->milli + at + 1, (x->n - at) * sizeof *x->milli);
    ask(x);
}
