/* engine.c - an engine's iterations in time, one event each.
 *
 * While only decoding goes on and nobody can join, the iterations ahead differ
 * in nothing but how much cache they read: their total time is a closed form,
 * and one event leaps over them.  A request that comes and could join ends the
 * leap with the iteration in progress; one that could not join changes
 * nothing, for places and blocks only get fewer until somebody ends.  Times
 * add up in picoseconds, so leaping and stepping give the same result.      */
#include <assert.h>

#include "models/fleet/fleet_state.h"

#define LEAP_MOST UINT64_C(65536) /* keeps sums of picoseconds far below 2^64 */

/* Picoseconds from the start to the end of the i-th iteration, what was left over included. */
static sim_cost span(const struct engine *e, uint64_t i)
{
    return e->carry.ps + i * e->time.all + (i ? (sim_cost)e->time.growth * (i * (i - 1) / 2) : 0);
}

static inline void account(struct engine *e, uint64_t k)
{
    struct pool *p = e->pool;
    const struct llm_batch *b = &e->batch.llm;
    const sim_cost grown = (sim_cost)e->time.growth * (k * (k - 1) / 2);
    p->iterations += k;
    p->batch_sum += k * (b->decoding + b->chunks);
    p->tokens += k * b->sampled;
    p->prompt_tokens += b->prompt_tokens;
    p->busy += k * e->time.all + grown;
    p->gpu += k * e->time.gpu + grown;
}

static void over(void *ctx, uint64_t arg)
{
    (void)arg;
    struct engine *e = ctx;
    const uint64_t k = e->k;
    const sim_cost all = span(e, k);
    assert(e->iterating && e->start + all / 1000 == sim_now(e->f->sim));
    e->iterating = false;
    account(e, k);
    e->carry.ps = (uint32_t)(all % 1000);
    fleet_batch_done(e, k);
    fleet_engine_kick(e);
}

static void book(struct engine *e, uint64_t k)
{
    e->k = k;
    e->ev = sim_at(e->f->sim, e->start + span(e, k) / 1000, 1, over, e, 0);
}

/* Iterations that the closed form holds for. */
static uint64_t alike(const struct engine *e)
{
    const struct fleet_time *t = &e->time;
    uint64_t k = t->straight < LEAP_MOST ? t->straight : LEAP_MOST;
    const uint64_t same = k > 1 ? fleet_batch_steps(e) : 1;
    k = same < k ? same : k;
    return t->growth < 0 && (uint64_t)-t->growth * (k - 1) > t->most ? 1 : k;
}

void fleet_engine_kick(struct engine *e)
{
    if (e->iterating || e->f->rc)
        return;
    if (!fleet_batch_compose(e)) {
        if (e->state == ENGINE_ENDING)
            fleet_scale_empty(e);
        return;
    }
    e->time = fleet_cost_iteration(&e->pool->cost, &e->batch);
    if (e->mem)
        engine_memory_pay(e, &e->time);
    e->start = sim_now(e->f->sim);
    e->iterating = true;
    book(e, e->f->c.leap ? alike(e) : 1);
}

/* How many iterations of the leap are over by now. */
static uint64_t over_by(const struct engine *e, sim_time now)
{
    uint64_t lo = 0, hi = e->k;
    while (lo < hi) {
        const uint64_t mid = (lo + hi + 1) / 2;
        if (e->start + span(e, mid) / 1000 <= now)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

struct serve_kv fleet_engine_now(const struct engine *e)
{
    struct serve_kv kv = e->kv;
    if (e->iterating && e->decodes)
        kv.free -= kv_need_steps(&kv, over_by(e, sim_now(e->f->sim)));
    return kv;
}

void fleet_engine_trim(struct engine *e)
{
    const struct serve_kv kv = fleet_engine_now(e);
    reuse_trim(&e->reuse, &kv, sim_now(e->f->sim));
}

static void cut_leap(struct engine *e)
{
    const uint64_t k = over_by(e, sim_now(e->f->sim)) + 1;
    if (k >= e->k)
        return;
    const bool pending = sim_cancel(e->f->sim, e->ev);
    assert(pending);
    (void)pending;
    book(e, k);
}

void fleet_engine_reordered(struct engine *e)
{
    if (e->iterating && e->k > 1 && fleet_batch_can_join(e))
        cut_leap(e);
}

/* It stands still as one whose iteration never ends: nobody joins, nothing is counted. */
void fleet_engine_stop(struct engine *e)
{
    const sim_time now = sim_now(e->f->sim);
    if (e->iterating) {
        const uint64_t k = over_by(e, now);
        const sim_cost elapsed = (now - e->start) * 1000, over = span(e, k);
        const bool pending = sim_cancel(e->f->sim, e->ev);
        assert(pending && k < e->k);
        (void)pending;
        account(e, k);
        e->pool->busy += elapsed > over ? elapsed - over : 0;
        if (k)
            fleet_batch_done(e, k);
        else if (e->mem)
            engine_memory_undo(e);
    }
    e->iterating = true;
    e->decodes = false;
    e->k = 1;
    e->carry.ps = 0;
}

void fleet_engine_enqueue(struct engine *e, uint32_t slot)
{
    struct seq *q = &e->f->seq[slot];
    const uint32_t head = e->head;
    q->engine = e->id;
    fleet_order_push(e, slot);
    if (!e->iterating)
        fleet_engine_kick(e);
    else if (e->head != head)
        fleet_engine_reordered(e);
}
