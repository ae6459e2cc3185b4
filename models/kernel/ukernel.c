/* ukernel.c - making a microkernel, its objects and its threads. */
#include "models/kernel/ukernel.h"

#include <assert.h>
#include <stdlib.h>

#include "models/kernel/uk_state.h"

/* No way through the kernel takes a step more than twice. */
static sim_cost longest(const sim_cost *ps)
{
    sim_cost sum = 2 * UK_WORDS_MAX * ps[UK_word];
    for (int i = 0; i < UK_PRIMS_N; i++)
        sum += 2 * ps[i];
    return sum;
}

sim_time uk_reserve(const struct uk_prims *p, uint32_t cores)
{
    return (longest(p->ps) / 1000 + 10) * cores;
}

static void bounds(struct uk *k)
{
    const sim_cost *ps = k->set.prims.ps;
    k->longest = longest(ps);
    k->way_out = ps[UK_sched] + ps[UK_vspace] + ps[UK_ibpb] + ps[UK_rsb] + ps[UK_fpu_save] +
                 ps[UK_fpu_save_clean] + ps[UK_fpu_restore] + ps[UK_mcs_fast] + ps[UK_mcs_slow] +
                 ps[UK_ibrs] + ps[UK_exit];
    k->reserve = uk_reserve(&k->set.prims, k->set.cores);
}

struct uk *uk_new(struct sim *s, const struct uk_config *c)
{
    struct uk *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    *k = (struct uk){.sim = s, .set = *c};
    k->core = calloc(c->cores, sizeof *k->core);
    if (!k->core) {
        free(k);
        return NULL;
    }
    for (uint32_t i = 0; i < c->cores; i++) {
        k->core[i].k = k;
        k->core[i].id = i;
        k->core[i].since = sim_now(s);
    }
    bounds(k);
    return k;
}

void uk_free(struct uk *k)
{
    if (!k)
        return;
    for (struct uk_thread *t; (t = k->threads);) {
        k->threads = t->all;
        free(t);
    }
    free(k->object);
    free(k->core);
    free(k);
}

static uint32_t object_new(struct uk *k, struct uk_object o)
{
    struct uk_object *grown = realloc(k->object, (k->n_object + 2) * sizeof *grown);
    if (!grown) {
        sim_fail(k->sim);
        return 0;
    }
    k->object = grown;
    k->object[++k->n_object] = o;
    return k->n_object;
}

uint32_t uk_endpoint(struct uk *k)
{
    return object_new(k, (struct uk_object){.type = UK_T_ENDPOINT});
}

uint32_t uk_notification(struct uk *k)
{
    return object_new(k, (struct uk_object){.type = UK_T_NOTIFICATION});
}

uint32_t uk_irq(struct uk *k, uint32_t core, uint32_t notification, uint64_t badge)
{
    assert(core < k->set.cores && k->object[notification].type == UK_T_NOTIFICATION);
    return object_new(
        k,
        (struct uk_object){.type = UK_T_IRQ, .core = core, .target = notification, .badge = badge});
}

struct uk_thread *uk_thread_new(struct uk *k, const struct uk_spec *spec)
{
    assert(spec->core < k->set.cores && spec->prio < PRIOS && spec->space);
    struct uk_thread *t = calloc(1, sizeof *t);
    if (!t) {
        sim_fail(k->sim);
        return NULL;
    }
    *t = (struct uk_thread){.k = k, .spec = *spec, .all = k->threads};
    k->threads = t;
    if (spec->budget && k->set.mcs) {
        assert(spec->budget >= 2 * k->reserve);
        sc_init(&t->sc, spec->budget, spec->period, spec->constant);
        t->home = t;
    }
    return t;
}

uint32_t uk_cap(struct uk_thread *t, uint32_t object, unsigned rights, uint64_t badge)
{
    assert(object && object <= t->k->n_object && t->n_cap + 1 < CAPS);
    t->cap[++t->n_cap] = (struct uk_capability){object, rights, badge};
    return t->n_cap;
}

void uk_start(struct uk_thread *t)
{
    assert(t->run == RUN_STOPPED);
    uk_ready(NULL, t);
}

void uk_start_receiving(struct uk_thread *t, uint32_t cap)
{
    assert(t->run == RUN_STOPPED && cap && cap <= t->n_cap);
    t->run = RUN_RECEIVING;
    t->waits_on = t->cap[cap].object;
    uk_list_add(&t->k->object[t->waits_on].receivers, t);
}

void uk_bind(struct uk_thread *t, uint32_t notification)
{
    assert(t->k->object[notification].type == UK_T_NOTIFICATION);
    t->bound = notification;
    t->k->object[notification].bound = t;
}

void uk_thread_account(struct uk_thread *t, struct uk_account *a)
{
    t->account = a;
}

struct uk_times uk_times(const struct uk *k)
{
    struct uk_times sum = {0};
    sim_time now = sim_now(k->sim);
    for (uint32_t i = 0; i < k->set.cores; i++) {
        const struct uk_core *c = &k->core[i];
        sim_time lasted = now - c->since;
        sum.user += c->times.user + (c->mode == MODE_USER ? lasted : 0);
        sum.idle += c->times.idle + (c->mode == MODE_IDLE ? lasted : 0);
        sim_time locked = lasted < c->waited ? lasted : c->waited;
        bool kernel = c->mode == MODE_KERNEL;
        sum.lock += c->times.lock + (kernel ? locked : 0);
        sum.kernel += c->times.kernel + (kernel ? lasted - locked : 0);
    }
    return sum;
}

const struct uk_stats *uk_stats(const struct uk *k)
{
    return &k->stats;
}

const struct sc *uk_thread_sc(const struct uk_thread *t)
{
    return t->home ? &t->home->sc : NULL;
}

const struct uk_spec *uk_thread_spec(const struct uk_thread *t)
{
    return &t->spec;
}

bool uk_thread_ended(const struct uk_thread *t)
{
    return t->run == RUN_ENDED;
}

bool uk_thread_blocked(const struct uk_thread *t)
{
    return t->run == RUN_SENDING || t->run == RUN_RECEIVING || t->run == RUN_CALLING;
}

void uk_watch(struct uk *k,
              void (*charged)(void *ctx, const struct uk_thread *owner, sim_time start,
                              sim_time used),
              void *ctx)
{
    k->charged = charged;
    k->charged_ctx = ctx;
}
