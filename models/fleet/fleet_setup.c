/* fleet_setup.c - engines from the configuration. */
#include <assert.h>
#include <stdlib.h>

#include "models/fleet/fleet_state.h"

static int open_machine(struct fleet *f, struct err *e)
{
    for (uint32_t i = 0; i < f->c.pools; i++)
        f->uses_machine |= pool_cost_machine(&f->c.pool[i]);
    if (!f->uses_machine)
        return 0;
    if (!f->env->machine)
        return err_set(e, ERR_ENAME,
                       "a pool's cost is the machine profile's: it needs \"machine\": ...");
    const struct stack *stack = stack_find(f->env->stack ? f->env->stack : "native", e);
    if (!stack)
        return ERR_ENAME;
    int rc = machine_use_begin(&f->use, f->env->machine, e);
    if (!rc)
        rc = stack_cost(stack, STACK_request_in, &f->use, &f->in, e);
    if (!rc)
        rc = stack_cost(stack, STACK_token_out, &f->use, &f->token_out, e);
    return rc;
}

static int open_costs(struct fleet *f, struct err *e)
{
    int rc = open_machine(f, e);
    for (uint32_t i = 0; !rc && i < f->c.pools; i++) {
        f->pool[i].c = &f->c.pool[i];
        rc = pool_cost_open(f, &f->pool[i], e);
    }
    return rc;
}

static void close_costs(struct fleet *f)
{
    for (uint32_t i = 0; i < f->c.pools; i++)
        pool_cost_close(&f->pool[i]);
    machine_use_end(&f->use);
}

int fleet_costs_fit(struct fleet *f, struct err *e)
{
    int rc = 0;
    for (uint32_t i = 0; i < f->c.pools; i++) {
        f->pool[i].c = &f->c.pool[i];
        if (!rc && pool_cost_machine(&f->c.pool[i])) {
            if (!f->uses_machine)
                rc = open_machine(f, e);
            if (!rc)
                rc = pool_cost_open(f, &f->pool[i], e);
        }
    }
    close_costs(f);
    return rc;
}

/* ---- engines ---- */

static uint32_t pool_most(const struct pool_config *c)
{
    return c->scale.on ? c->scale.most : c->engines;
}

static bool open_gate(struct gate *g, uint32_t first, uint32_t n)
{
    g->first = first;
    g->n = n;
    g->parked = g->parked_last = NO_SLOT;
    g->engine = calloc(n + 1, sizeof *g->engine);
    g->changed = calloc(n + 1, sizeof *g->changed);
    return g->engine && g->changed;
}

static void open_engine(struct fleet *f, struct pool *p, uint32_t id, bool serves)
{
    struct engine *e = &f->engine[id];
    struct gate *g = p->c->role == POLICY_DECODE ? &f->back : &f->front;
    *e = (struct engine){.f = f, .pool = p, .id = id, .head = NO_SLOT, .tail = NO_SLOT};
    e->seen = &g->engine[id - g->first];
    e->kv.total = e->kv.free = p->kv_blocks;
    e->state = serves ? ENGINE_SERVING : ENGINE_OFF;
    *e->seen = (struct policy_engine){.id = id - g->first,
                                      .role = (uint32_t)p->c->role,
                                      .takes = serves,
                                      .kv_tokens = p->kv_blocks * KV_BLOCK,
                                      .max_running = p->c->max_running};
    g->taking += serves;
    p->serving += serves;
    fleet_route_changed(e);
}

static uint32_t count(const struct fleet *f, bool decode)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->c.pools; i++)
        if ((f->c.pool[i].role == POLICY_DECODE) == decode)
            n += pool_most(&f->c.pool[i]);
    return n;
}

static void open_pools(struct fleet *f, bool decode, uint32_t at)
{
    for (uint32_t i = 0; i < f->c.pools; i++) {
        struct pool *p = &f->pool[i];
        if ((p->c->role == POLICY_DECODE) != decode)
            continue;
        p->first = at;
        p->most = pool_most(p->c);
        for (uint32_t k = 0; k < p->most; k++)
            open_engine(f, p, at++, k < p->c->engines);
    }
}

int fleet_open(struct fleet *f, struct err *e)
{
    int rc = open_costs(f, e);
    if (rc)
        return rc;
    const uint32_t front = count(f, false), back = count(f, true);
    f->engines = front + back;
    f->engine = calloc(f->engines, sizeof *f->engine);
    if (!f->engine || !open_gate(&f->front, 0, front) || !open_gate(&f->back, front, back))
        return err_set(e, ERR_ENOMEM, "fleet: out of memory");
    open_pools(f, false, 0);
    open_pools(f, true, front);
    return fleet_prefix_open(f, e);
}

void fleet_close(struct fleet *f)
{
    fleet_prefix_close(f);
    fleet_ahead_close(f);
    for (uint32_t i = 0; f->engine && i < f->engines; i++) {
        free(f->engine[i].running);
        free(f->engine[i].filling);
        slot_heap_free(&f->engine[i].finish);
    }
    free(f->engine);
    free(f->failing);
    free(f->front.engine);
    free(f->front.changed);
    free(f->back.engine);
    free(f->back.changed);
    close_costs(f);
}
