/* policy_exercise_gpu.c - tenants of one GPU whose kernels come, run beside each other, and end. */
#include "harness/policy/policy_exercise.h"

#define TENANTS 7
#define SMS     108

struct gpu {
    struct exercise *x;
    uint32_t n;
    struct policy_gpu_tenant tenant[TENANTS];
    uint32_t milli[TENANTS];
};

/* The next kernel of this tenant is at the head of its queue. */
static void next_head(struct gpu *w, struct policy_gpu_tenant *t)
{
    t->ready_ns = w->x->now_ns;
    t->head_ns = rng_below(&w->x->r, 20) ? 2000 + rng_below(&w->x->r, 400000) : 0;
    t->head_sms = t->head_ns ? 1 + exercise_below(w->x, SMS) : 0;
    t->head_bound = t->head_ns ? exercise_below(w->x, 3) : POLICY_BOUND_UNKNOWN;
    t->head_milli = t->head_ns ? exercise_below(w->x, POLICY_MILLI + 1) : 0;
}

static void make_tenants(struct gpu *w)
{
    static const uint32_t weight[] = {1, 512, 1024, 1024, 1u << 20};
    for (uint32_t i = 0; i < w->n; i++) {
        struct policy_gpu_tenant *t = &w->tenant[i];
        *t = (struct policy_gpu_tenant){.id = i * 3, .prio = i % 3 == 0 ? (int32_t)i + 1 : 0};
        t->weight = weight[exercise_below(w->x, 5)];
        w->milli[i] = POLICY_MILLI / w->n;
    }
}

static void come(struct gpu *w, struct policy_gpu_tenant *t)
{
    if (!t->waiting)
        next_head(w, t);
    t->waiting += 1 + exercise_size(w->x, 30) % 64;
    if (t->request_ns)
        return;
    t->request_ns = w->x->now_ns;
    t->deadline_ns = t->prio ? w->x->now_ns + 5000000 : 0;
}

static void end(struct gpu *w, struct policy_gpu_tenant *t)
{
    if (!t->running)
        return;
    t->used_ns += t->running_left_ns * t->running_sms / SMS;
    t->done++;
    if (--t->running)
        return;
    t->running_sms = t->running_milli = t->running_bound = 0;
    t->running_left_ns = 0;
    if (t->waiting)
        return;
    t->latency_ns = w->x->now_ns - t->request_ns;
    t->request_ns = t->deadline_ns = 0;
}

static void start(struct gpu *w, struct policy_gpu_tenant *t, const struct policy_dispatch *a)
{
    uint32_t sms = t->head_sms ? t->head_sms : 1;
    t->running++;
    t->running_sms = a->sms && a->sms < sms ? a->sms : sms;
    t->running_bound = t->head_bound;
    t->running_milli = t->head_milli;
    t->running_left_ns = a->piece_ns && a->piece_ns < t->head_ns ? a->piece_ns : t->head_ns;
    if (a->piece_ns && a->piece_ns < t->head_ns) {
        t->head_ns -= a->piece_ns;
        return;
    }
    if (--t->waiting)
        next_head(w, t);
}

/* When its next request comes: some time, never, or nobody knows. */
static uint64_t next_of(const struct gpu *w, uint32_t i)
{
    if (!policy_slot_oracle(w->x->slot))
        return 0;
    if (w->tenant[i].request_ns)
        return i ? 0 : w->x->now_ns;
    return i % 3 == 2 ? UINT64_MAX : w->x->now_ns + 1 + w->x->now_ns % 7000000 * (i + 1);
}

/* Those with anything waiting or running; whether one waits. */
static bool look(struct gpu *w, struct policy_dispatch_obs *o, struct policy_gpu_tenant *seen,
                 uint32_t *which)
{
    uint32_t waiting = 0, used = 0;
    o->now_ns = w->x->now_ns;
    o->sms = SMS;
    o->tenant = seen;
    for (uint32_t i = 0; i < w->n; i++) {
        if (!w->tenant[i].waiting && !w->tenant[i].running)
            continue;
        which[o->n] = i;
        seen[o->n] = w->tenant[i];
        seen[o->n++].oracle_next_ns = next_of(w, i);
        waiting += w->tenant[i].waiting > 0;
        used += w->tenant[i].running_sms;
    }
    o->free_sms = used < SMS ? SMS - used : 0;
    o->oracle_next_ns = next_of(w, 0); /* tenant 0 is critical */
    return waiting;
}

static void ask(struct gpu *w)
{
    struct policy_gpu_tenant seen[TENANTS];
    uint32_t which[TENANTS];
    struct policy_dispatch_obs o = {0};
    struct policy_dispatch a;
    if (!look(w, &o, seen, which))
        return;
    policy_slot_dispatch(w->x->slot, &o, &a);
    exercise_answer(w->x, a.tenant);
    exercise_answer(w->x, a.preempt);
    exercise_answer(w->x, a.sms);
    exercise_answer(w->x, (int64_t)(a.piece_ns + a.again_ns));
    if (a.preempt != POLICY_NONE)
        while (w->tenant[which[a.preempt]].running)
            end(w, &w->tenant[which[a.preempt]]);
    if (a.tenant != POLICY_NONE)
        start(w, &w->tenant[which[a.tenant]], &a);
}

static void share(struct gpu *w, uint64_t period)
{
    struct policy_share_obs o = {.now_ns = w->x->now_ns, .period = period, .tenant = w->tenant};
    for (uint32_t i = 0; i < w->n; i++)
        w->tenant[i].oracle_next_ns = next_of(w, i);
    o.of = exercise_below(w->x, 2) ? POLICY_SHARE_SMS : POLICY_SHARE_TIME;
    o.busy = exercise_below(w->x, POLICY_MILLI + 1);
    o.n = w->n;
    policy_slot_share(w->x->slot, &o, w->milli);
    for (uint32_t i = 0; i < w->n; i++)
        exercise_answer(w->x, w->milli[i]);
}

void exercise_gpu(struct exercise *x, uint32_t steps)
{
    struct gpu w = {.x = x, .n = x->small ? 1 : TENANTS};
    make_tenants(&w);
    for (uint32_t i = 0; i < steps; i++) {
        struct policy_gpu_tenant *t = &w.tenant[exercise_below(x, w.n)];
        exercise_wait(x, 300000);
        if (rng_below(&x->r, 2))
            come(&w, t);
        else
            end(&w, t);
        ask(&w);
        if (i % 16 == 0)
            share(&w, i / 16);
    }
}
