/* fleet_route.c - the router: who takes a request in, and who decodes what a prefill engine has
 * computed.
 *
 * A KV cache leaves its engine over that engine's link, one after another; its
 * blocks are free again when it has arrived.                                */
#include <assert.h>

#include "models/fleet/fleet_state.h"

void fleet_route_takes(struct engine *e, bool takes)
{
    struct gate *g = fleet_route_gate(e);
    assert(e->seen->takes != takes);
    e->seen->takes = takes;
    g->taking += takes ? 1 : UINT32_MAX;
    assert((g->taking || e->f->failing) && "nobody takes requests");
    fleet_route_changed(e);
}

/* From the one chosen on, the first that takes requests and could hold this one; NULL: none. */
static struct engine *that_fits(struct fleet *f, const struct gate *g, uint32_t at,
                                const struct seq *q)
{
    for (uint32_t seen = 0; seen < g->n; seen++, at = at + 1 < g->n ? at + 1 : 0) {
        struct engine *e = &f->engine[g->first + at];
        if (e->seen->takes && fleet_route_could_hold(e, q))
            return e;
    }
    return NULL;
}

/* A policy that was not asked the last time has missed what was told then. */
static void all_changed(struct fleet *f)
{
    for (uint32_t i = 0; i < f->engines; i++)
        fleet_route_changed(&f->engine[i]);
}

static struct engine *ask(struct fleet *f, struct gate *g, enum policy_stage stage,
                          const struct seq *q)
{
    struct policy_slot *p = policy_life_of(f->routes, q->asked.version);
    if (p != f->routed_by)
        all_changed(f);
    f->routed_by = p;
    struct policy_route_obs o = {.now_ns = sim_now(f->sim),
                                 .stage = stage,
                                 .n = g->n,
                                 .engine = g->engine,
                                 .n_changed = g->n_changed,
                                 .changed = g->changed};
    fleet_request(q, &o.request);
    if (p)
        fleet_prefix_show(f, g, q);
    const uint32_t at = policy_slot_route(p, &o, &g->next);
    policy_life_watch(f->routes, q->tenant);
    for (uint32_t i = 0; i < g->n_changed; i++)
        f->engine[g->first + g->changed[i]].flagged = false;
    g->n_changed = 0;
    return that_fits(f, g, at, q);
}

/* At once, for the router is at it: a step of the policy's life keeps it waiting. */
static bool verdict(struct fleet *f, const struct policy_admit_obs *o, struct seq *q)
{
    struct policy_ticket t = {.size = q->prompt};
    mlaas_bill_wait(&f->bill, policy_life_stall(f->admits));
    policy_life_ask(f->admits, 0, &t, NULL, NULL, 0);
    q->let = t.version;
    const int said = policy_slot_admit(policy_life_of(f->admits, t.version), o);
    policy_life_said(f->admits, 0, &t);
    return said == POLICY_ADMIT;
}

static bool admitted(struct fleet *f, struct engine *e, struct seq *q)
{
    if (f->admits_all || q->tries) /* or let in once already */
        return true;
    struct policy_admit_obs o = {.server = {
                                     .now_ns = sim_now(f->sim),
                                     .waiting = e->seen->waiting,
                                     .running = e->n_running,
                                     .waiting_prompt_tokens = e->seen->waiting_prompt_tokens,
                                     .kv_blocks_total = (uint32_t)e->kv.total,
                                     .kv_blocks_free = (uint32_t)e->kv.free,
                                     .block_tokens = KV_BLOCK,
                                     .max_running = e->pool->c->max_running,
                                 }};
    fleet_request(q, &o.request);
    o.engine = e->seen->id;
    o.request.cached_tokens = fleet_prefix_tokens(e, q);
    return verdict(f, &o, q);
}

static void take(struct engine *e)
{
    e->seen->routed++;
    e->pool->routed++;
    e->pool->arrived++;
    fleet_route_changed(e);
}

static void enters(struct fleet *f, uint32_t slot, struct engine *e)
{
    struct seq *q = &f->seq[slot];
    if (!e && fleet_retry_parks(f, &f->front, slot))
        return;
    if (!e || !f->routed.admitted) {
        f->n.rejected++;
        fleet_refuse(f, slot, e ? "by the policy" : "no engine that runs could hold it");
        return;
    }
    q->home = e->seen->id;
    e->pool->arrived_tokens += q->prompt;
    take(e);
    if (q->clock.part == PART_POLICY)
        request_enters(&q->clock, PART_QUEUE, sim_now(f->sim));
    fleet_engine_enqueue(e, slot);
}

/* ---- from prefill to decode ---- */

static sim_time on_link(const struct fleet *f, const struct pool *p, uint64_t tokens)
{
    if (!(f->c.link_gb_per_s > 0))
        return 0;
    const double ns =
        f->c.link_latency_us * 1e3 + (double)tokens * (double)p->kv_bytes / f->c.link_gb_per_s;
    return (sim_time)ns;
}

/* The blocks that it held are free. */
static void has_left(struct engine *from, struct seq *q)
{
    fleet_prefix_leave(from, q, q->goal);
    from->leaving--;
    q->leaving = false;
}

/* Nobody took its cache: it is shipped again from where it still is, or computed again. */
static void not_taken(struct fleet *f, uint32_t slot, struct engine *from)
{
    struct seq *q = &f->seq[slot];
    if (q->broken) {
        fleet_retry(f, slot);
        return;
    }
    if (q->tries < f->c.retries) {
        q->tries++;
        f->n.retries++;
        fleet_route_prefilled(f, slot);
        return;
    }
    has_left(from, q);
    fleet_retry(f, slot);
    fleet_engine_kick(from);
}

static void arrived(void *ctx, uint64_t arg)
{
    struct fleet *f = ctx;
    const uint32_t slot = (uint32_t)arg;
    struct seq *q = &f->seq[slot];
    struct engine *from = &f->engine[q->engine], *to = &f->engine[q->next];
    to->incoming--;
    to->seen->waiting--;
    to->seen->shipped_tokens -= q->goal;
    if (q->broken || q->life != to->lives) {
        fleet_route_changed(to);
        not_taken(f, slot, from);
        return;
    }
    has_left(from, q);
    q->shipped = true;
    fleet_engine_enqueue(to, slot);
    fleet_engine_kick(from);
}

static void leaves(struct fleet *f, uint32_t slot, struct engine *to)
{
    struct seq *q = &f->seq[slot];
    struct engine *from = &f->engine[q->engine];
    const sim_time now = sim_now(f->sim);
    if (q->broken) {
        fleet_retry(f, slot);
        return;
    }
    if (!to && fleet_retry_parks(f, &f->back, slot))
        return;
    if (!to) { /* what could hold it has been scaled away: the largest there is holds nothing */
        has_left(from, q);
        f->n.rejected++;
        fleet_refuse(f, slot, "no decode engine that runs could hold it");
        return;
    }
    take(to);
    to->incoming++;
    to->seen->waiting++;
    to->seen->shipped_tokens += q->goal;
    f->n.shipped++;
    f->n.shipped_tokens += q->goal;
    q->next = to->id;
    q->life = to->lives;
    if (from->link_free < now)
        from->link_free = now;
    from->link_free += on_link(f, from->pool, q->goal);
    sim_at(f->sim, from->link_free, 0, arrived, f, slot);
}

/* ---- the router's desk ---- */

/* Held back by a step of the policy's life, it comes here again. */
static void may_ask(void *ctx, uint64_t slot)
{
    struct fleet *f = ctx;
    struct seq *q = &f->seq[slot];
    if (policy_life_ask(f->routes, q->tenant, &q->asked, may_ask, f, slot) &&
        !desk_put(f->router, slot, q->stage))
        fleet_fail(f, err_set(f->e, ERR_ENOMEM, "fleet: out of memory"));
}

static void put(struct fleet *f, uint32_t slot, enum policy_stage stage)
{
    struct seq *q = &f->seq[slot];
    q->stage = stage;
    q->asked = (struct policy_ticket){.size = q->prompt};
    may_ask(f, slot);
}

void fleet_route_new(void *ctx, uint64_t slot)
{
    struct fleet *f = ctx;
    f->seq[slot].ready = sim_now(f->sim);
    request_enters(&f->seq[slot].clock, PART_POLICY, sim_now(f->sim));
    put(f, (uint32_t)slot, POLICY_COMES);
}

void fleet_route_prefilled(struct fleet *f, uint32_t slot)
{
    put(f, slot, POLICY_PREFILLED);
}

void fleet_route_again(struct fleet *f, uint32_t slot)
{
    put(f, slot, f->seq[slot].leaving || f->seq[slot].broken ? POLICY_PREFILLED : POLICY_COMES);
}

static void turn(void *ctx, uint64_t slot, uint64_t stage)
{
    struct fleet *f = ctx;
    struct seq *q = &f->seq[slot];
    struct gate *g = stage == POLICY_COMES ? &f->front : &f->back;
    const bool nobody = !g->taking || q->broken;
    struct engine *e = nobody ? NULL : ask(f, g, (enum policy_stage)stage, q);
    f->routed = (struct routed){e, e && stage == POLICY_COMES && admitted(f, e, q)};
    if (f->routed.admitted && f->batch)
        fleet_order_rank(e, q);
}

/* Meanwhile the engine may have been scaled away. */
static void answered(void *ctx, uint64_t slot, uint64_t stage)
{
    struct fleet *f = ctx;
    const struct gate *g = stage == POLICY_COMES ? &f->front : &f->back;
    struct seq *q = &f->seq[slot];
    struct engine *e = f->routed.engine;
    policy_life_answered(f->routes, q->tenant, &q->asked);
    if (stage == POLICY_COMES)
        q->came = q->asked;
    if (e && !e->seen->takes)
        e = that_fits(f, g, e->seen->id, q);
    if (stage == POLICY_COMES)
        enters(f, (uint32_t)slot, e);
    else
        leaves(f, (uint32_t)slot, e);
}

const struct desk_calls fleet_route_calls = {turn, answered, NULL};
