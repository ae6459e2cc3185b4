/* fleet_prefix.c - each engine's prefix cache (models/serve/reuse.h), and what the router sees of
 * it.
 *
 * Engines that only decode have none: what they hold came over the link.  An
 * engine that is switched off forgets everything.                           */
#include "models/fleet/fleet_state.h"

int fleet_prefix_open(struct fleet *f, struct err *e)
{
    for (uint32_t i = 0; f->c.prefix_block && i < f->front.n; i++) {
        struct engine *g = &f->engine[f->front.first + i];
        if (!reuse_begin(&g->reuse, f->c.prefix_block, g->kv.total, g->pool->kv_bytes, NULL))
            return err_set(e, ERR_ENOMEM, "fleet: out of memory");
    }
    return engine_memory_open(f, e);
}

void fleet_prefix_close(struct fleet *f)
{
    engine_memory_close(f);
    for (uint32_t i = 0; f->engine && i < f->engines; i++)
        reuse_end(&f->engine[i].reuse);
    for (uint32_t i = 0; i < f->slots; i++)
        reuse_seq_end(&f->seq[i].reuse);
}

void fleet_prefix_show(struct fleet *f, const struct gate *g, const struct seq *q)
{
    if (!f->c.prefix_block || g != &f->front)
        return;
    for (uint32_t i = 0; i < g->n; i++)
        g->engine[i].prefix_tokens = fleet_prefix_tokens(&f->engine[g->first + i], q);
}

uint32_t fleet_prefix_tokens(struct engine *e, const struct seq *q)
{
    if (!q->reuse.n)
        return 0;
    fleet_engine_trim(e);
    return reuse_tokens(&e->reuse, &q->reuse, q->goal);
}

/* Takes its blocks, those that it shares among them. */
void fleet_prefix_join(struct engine *e, struct seq *q)
{
    uint64_t shared = 0;
    if (e->reuse.blocks && !q->shipped) {
        q->filled = reuse_join(&e->reuse, &q->reuse, &e->kv, q->goal, &shared);
        if (e->mem)
            q->filled += engine_memory_fetch(e, q);
        e->seen->waiting_prompt_tokens -= q->filled;
        if (!q->was_scheduled) {
            e->f->n.asked_tokens += q->prompt;
            e->f->n.found_tokens += q->filled;
        }
    }
    if (e->mem)
        engine_memory_join(e, q, e->reuse.blocks);
    e->kv.free -= kv_blocks(q->goal) - shared;
    reuse_trim(&e->reuse, &e->kv, sim_now(e->f->sim));
}

void fleet_prefix_leave(struct engine *e, struct seq *q, uint64_t length)
{
    const uint64_t own =
        kv_blocks(length) - reuse_leave(&e->reuse, &q->reuse, &e->kv, sim_now(e->f->sim));
    e->kv.free += own;
    if (e->mem)
        engine_memory_gave(e, q, own);
}

bool fleet_prefix_sound(const struct fleet *f)
{
    for (uint32_t i = 0; i < f->engines; i++) {
        const struct engine *e = &f->engine[i];
        if (e->kv.free != e->kv.total || !reuse_sound(&e->reuse, &e->kv) || !engine_memory_sound(e))
            return false;
    }
    return true;
}

void fleet_prefix_report(const struct fleet *f)
{
    const double asked = (double)f->n.asked_tokens, found = (double)f->n.found_tokens;
    if (!f->c.prefix_block)
        return;
    measures_number(f->out, "prefix_hit_ratio", "1", BETTER_MORE, asked > 0 ? found / asked : 0);
    measures_number(f->out, "prefix_tokens_found", "1", BETTER_MORE, found);
}
