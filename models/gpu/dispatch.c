#include "models/gpu/dispatch.h"

#include <assert.h>
#include <stdlib.h>

#include "models/gpu/dispatch_state.h"
#include "models/stack.h"

int dispatch_cost(struct machine_use *u, const char *stack, sim_cost *out, struct err *e)
{
    const struct stack *s = stack_find(stack ? stack : "native", e);
    if (!s)
        return ERR_ENAME;
    bool hypervisor = stack_pays(s, STACK_launch, "cost.gpu_dispatch");
    return machine_ps(u, hypervisor ? "cost.gpu_dispatch" : "cost.gpu_intercept", out, e);
}

struct dispatch *dispatch_new(struct sim *s, struct device *d, const struct dispatch_params *p,
                              struct policy_slot *policy)
{
    struct dispatch *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->sim = s;
    x->device = d;
    x->p = *p;
    x->policy = policy;
    return x;
}

static void free_queue(struct dispatch_queue *q)
{
    for (struct dispatch_stream *s = q->stream, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    free(q);
}

void dispatch_free(struct dispatch *x)
{
    if (!x)
        return;
    for (struct dispatch_queue *q = x->queue, *next; q; q = next) {
        next = q->next;
        free_queue(q);
    }
    for (struct dispatch_slab *slab = x->slab, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    sim_cancel(x->sim, x->wake);
    sim_cancel(x->sim, x->again);
    free(x);
}

/* ---- what the policy sees -------------------------------------------------------------------- */

static void see_head(const struct dispatch_queue *q, struct policy_gpu_tenant *t)
{
    const struct dispatch_stream *s = dispatch_oldest(q);
    if (!s)
        return;
    const struct dispatch_command *c = s->head;
    t->ready_ns = c->ready;
    if (c->unseen || !c->work.alone)
        return;
    t->head_ns = c->work.alone / 1000;
    t->head_sms = c->work.sms ? c->work.sms : q->x->p.sms;
    t->head_bound = c->bound;
    t->head_milli = c->work.bandwidth;
}

/* Interrupted work is the head; what stands behind it can not go before it. */
static void see_cut(const struct dispatch_queue *q, struct policy_gpu_tenant *t)
{
    bool stopped = q->state == QUEUE_STOPPED;
    t->waiting = stopped;
    t->running = !stopped;
    t->ready_ns = q->cut_at;
    t->head_ns = q->cut.left ? q->cut.left : 1;
    t->head_sms = q->cut.sms;
    t->head_bound = q->bound;
    t->head_milli = q->cut.bandwidth;
}

static void see(const struct dispatch_queue *q, struct policy_gpu_tenant *t)
{
    gpu_tenant_see(q->tenant, q->x->p.sms, policy_slot_oracle(q->x->policy), t);
    t->running = q->running;
    t->running_bound = q->bound;
    t->done = q->done;
    if (q->state != QUEUE_RUNS) {
        see_cut(q, t);
        return;
    }
    for (const struct dispatch_stream *s = q->stream; s; s = s->next)
        t->waiting += s->ready;
    see_head(q, t);
}

/* When a critical tenant has a request next, also one that has nothing to dispatch now. */
static uint64_t next_critical(const struct dispatch *x)
{
    uint64_t next = UINT64_MAX;
    bool unknown = false;
    for (const struct dispatch_queue *q = x->queue; q; q = q->next) {
        const struct gpu_tenant *t = q->tenant;
        if (t->prio <= 0)
            continue;
        if (t->request_ns)
            return sim_now(x->sim);
        unknown |= !t->next_ns;
        next = t->next_ns && t->next_ns < next ? t->next_ns : next;
    }
    return unknown ? 0 : next;
}

/* false: nothing could go. */
static bool observe(const struct dispatch *x, struct policy_dispatch_obs *o,
                    struct policy_gpu_tenant *seen, struct dispatch_queue **which)
{
    bool any = false;
    *o = (struct policy_dispatch_obs){.now_ns = sim_now(x->sim),
                                      .device = x->p.device,
                                      .sms = x->p.sms,
                                      .free_sms = device_free_sms(x->device, x->p.partition),
                                      .tenant = seen,
                                      .oracle_next_ns =
                                          policy_slot_oracle(x->policy) ? next_critical(x) : 0};
    for (struct dispatch_queue *q = x->queue; q; q = q->next) {
        struct policy_gpu_tenant *t = &seen[o->n];
        see(q, t);
        if (!t->waiting && !t->running)
            continue;
        any = any || t->waiting;
        which[o->n++] = q;
    }
    return any;
}

/* ---- and does -------------------------------------------------------------------------------- */

static void stopped(void *ctx, uint64_t arg)
{
    struct dispatch_queue *q = ctx;
    (void)arg;
    assert(q->state == QUEUE_STOPPING);
    q->state = QUEUE_STOPPED;
    dispatch_wake(q->x);
}

static void preempt(struct dispatch_queue *q)
{
    struct device_call call = {.done = stopped, .ctx = q};
    if (q->state != QUEUE_RUNS || !q->running)
        return; /* it is being stopped, or has ended meanwhile */
    device_context_running(q->tenant->context, &q->cut);
    q->cut_at = sim_now(q->x->sim);
    q->state = QUEUE_STOPPING;
    q->x->n.preempted++;
    device_preempt(q->tenant->context, &call);
}

static void hand_over(struct dispatch *x)
{
    struct dispatch_queue *q = x->next;
    struct dispatch_stream *s;
    if (q->state == QUEUE_STOPPED) {
        q->state = QUEUE_RUNS;
        device_resume(q->tenant->context);
    } else if ((s = dispatch_oldest(q))) {
        dispatch_hand_over(s, &x->answer);
    }
}

static void handed_over(void *ctx, uint64_t arg)
{
    struct dispatch *x = ctx;
    (void)arg;
    x->busy = false;
    hand_over(x);
    dispatch_wake(x);
}

static void ask(void *ctx, uint64_t arg);

/* Begins what was answered; false: there is nothing more to ask at this time. */
static bool follow(struct dispatch *x)
{
    const struct policy_dispatch *a = &x->answer;
    if (a->preempt != POLICY_NONE)
        preempt(x->which[a->preempt]);
    if (a->tenant == POLICY_NONE) {
        if (a->again_ns)
            x->again = sim_after(x->sim, a->again_ns, DISPATCH_PRIO, ask, x, 0);
        return false;
    }
    x->next = x->which[a->tenant];
    if (!x->p.per_command) {
        hand_over(x);
        return true;
    }
    x->busy = true;
    x->n.busy += x->p.per_command;
    sim_after(x->sim, carry_ns(&x->carry, x->p.per_command), DISPATCH_PRIO, handed_over, x, 0);
    return false;
}

/* The inference behind an answer is done.  "Nothing now" holds for what was seen then. */
static void decided(void *ctx, uint64_t arg)
{
    struct dispatch *x = ctx;
    (void)arg;
    x->busy = x->thinks = false;
    if (follow(x) || (!x->busy && x->missed))
        dispatch_wake(x);
}

static void nobody_waits(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

static void answers(struct dispatch *x, const struct policy_dispatch_obs *o)
{
    struct policy_ticket t;
    sim_time none;
    x->n.asked++;
    if (!x->p.life) {
        policy_slot_dispatch(x->policy, o, &x->answer);
        return;
    }
    policy_slot_dispatch(policy_life_now(x->p.life, 0, &t, &none), o, &x->answer);
    policy_life_said(x->p.life, 0, &t);
}

/* The step that held all questions back is over. */
static void step_over(void *ctx, uint64_t arg)
{
    struct dispatch *x = ctx;
    (void)arg;
    x->busy = false;
    dispatch_wake(x);
}

static bool held_back(struct dispatch *x)
{
    const sim_time wait = x->p.life ? policy_life_stall(x->p.life) : 0;
    if (!wait)
        return false;
    x->busy = true;
    sim_after(x->sim, wait, DISPATCH_PRIO, step_over, x, 0);
    return true;
}

/* false: the answer is on its way. */
static bool put(struct dispatch *x, const struct policy_dispatch_obs *o)
{
    if (!x->p.infer) {
        answers(x, o);
        return true;
    }
    mlaas_hook_begin(x->p.infer);
    answers(x, o);
    const bool charged = mlaas_hook_end(x->p.infer, x->p.async ? nobody_waits : decided, x, 0);
    if (!charged || x->p.async)
        return true;
    x->busy = x->thinks = true;
    x->missed = false;
    return false;
}

static void ask(void *ctx, uint64_t arg)
{
    struct dispatch *x = ctx;
    struct policy_gpu_tenant seen[POLICY_GPU_TENANTS_MAX];
    struct policy_dispatch_obs o;
    (void)arg;
    sim_cancel(x->sim, x->wake);
    sim_cancel(x->sim, x->again);
    x->wake = x->again = 0;
    if (x->busy)
        return;
    do {
        if (!observe(x, &o, seen, x->which) || held_back(x) || !put(x, &o))
            return;
    } while (follow(x));
}

void dispatch_wake(struct dispatch *x)
{
    x->missed |= x->thinks;
    if (!x->wake && !x->busy)
        x->wake = sim_after(x->sim, 0, DISPATCH_PRIO, ask, x, 0);
}

void dispatch_news(struct dispatch *x)
{
    dispatch_wake(x);
}

void dispatch_used(const struct dispatch *x, struct dispatch_use *out)
{
    *out = x->n;
}
