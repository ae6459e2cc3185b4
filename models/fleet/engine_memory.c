/* engine_memory.c - see engine_memory.h. */
#include "models/fleet/engine_memory.h"

#include <stdlib.h>

#include "models/fleet/fleet_state.h"

/* ---- blocks in the order in which they are taken ---- */

static void no_memory(struct engine *e)
{
    fleet_fail(e->f, err_set(e->f->e, ERR_ENOMEM, "fleet: out of memory"));
}

static uint64_t find(struct engine_memory *m, struct seq *q)
{
    const uint64_t most = (q->goal - 1) / KV_BLOCK;
    const uint64_t n = left_claim(&m->left, q->left, most < q->kept ? most : q->kept);
    q->left = LEFT_NOBODY;
    q->kept = 0;
    m->recovered += n * KV_BLOCK;
    return n;
}

static void moves(struct engine_memory *m, enum pager_dir dir, uint64_t blocks)
{
    m->swapped[dir] += blocks;
    if (m->c->paging.on)
        paging_move(&m->paging, dir, blocks);
    else
        m->swap_ps += blocks * m->swap_block_ps;
}

void engine_memory_join(struct engine *e, struct seq *q, bool prefix)
{
    struct engine_memory *m = e->mem;
    q->turn = m->turns++;
    if (q->swapped) {
        m->swap_used -= kv_blocks(q->goal);
        moves(m, PAGER_IN, kv_blocks(q->goal));
        q->swapped = false;
    }
    if (!m->c->recover || prefix)
        return;
    const uint64_t found = q->shipped ? 0 : find(m, q);
    left_take(&m->left, kv_blocks(q->goal) - found);
    if (q->shipped)
        return;
    q->filled = (uint32_t)(found * KV_BLOCK);
    e->seen->waiting_prompt_tokens -= q->filled;
}

void engine_memory_gave(struct engine *e, struct seq *q, uint64_t blocks)
{
    struct engine_memory *m = e->mem;
    uint64_t ticket;
    if (!m->c->recover)
        return;
    if (!left_put(&m->left, blocks, q->kept, &ticket))
        no_memory(e);
    q->left = ticket;
}

void engine_memory_first(struct engine *e)
{
    struct engine_memory *m = e->mem;
    m->early = m->c->recover ? kv_need(&e->kv) : 0;
    left_take(&m->left, m->early);
}

void engine_memory_took(struct engine *e, uint64_t blocks)
{
    struct engine_memory *m = e->mem;
    if (m->c->recover)
        left_take(&m->left, blocks - m->early);
    m->early = 0;
}

void engine_memory_undo(struct engine *e)
{
    struct engine_memory *m = e->mem;
    uint64_t nobody;
    if (m->early && !left_put(&m->left, m->early, false, &nobody))
        no_memory(e);
    m->early = 0;
}

/* ---- in the host ---- */

bool engine_memory_out(struct engine *e, struct seq *q, uint64_t length)
{
    struct engine_memory *m = e->mem;
    const uint64_t blocks = kv_blocks(length);
    if (m->swap_used + blocks > m->swap_room)
        return false;
    m->swap_used += blocks;
    moves(m, PAGER_OUT, blocks);
    q->swapped = true;
    return true;
}

void engine_memory_lost(struct engine *e, struct seq *q)
{
    if (q->swapped)
        e->mem->swap_used -= kv_blocks(q->goal);
    q->swapped = false;
}

uint32_t engine_memory_fetch(struct engine *e, struct seq *q)
{
    struct engine_memory *m = e->mem;
    const struct reuse_seq *r = &q->reuse;
    uint32_t n = r->held;
    if (!m->paging.store.tier[0])
        return 0;
    while (n < r->n && (prefix_find(e->reuse.blocks, &r->hash[n], 1, NULL) ||
                        paging_fetch(&m->paging, r->hash[n], sim_now(e->f->sim))))
        n++;
    const uint32_t more = reuse_spared(&e->reuse, n, q->goal) - q->filled;
    if (!q->was_scheduled)
        m->paging.found += more;
    return more;
}

uint64_t engine_memory_room(const struct engine *e)
{
    struct prefix_stats p;
    if (!e->mem->paging.store.tier[0])
        return e->kv.free;
    prefix_stats(e->reuse.blocks, &p);
    const uint64_t idle = p.idle * e->mem->paging.per_block;
    return e->kv.free > idle ? e->kv.free - idle : 0;
}

/* As serve_engine.c has it: with "overlap" the host works beside the GPU's computing. */
void engine_memory_pay(struct engine *e, struct fleet_time *t)
{
    struct engine_memory *m = e->mem;
    const sim_cost work = t->gpu;
    sim_cost asks = 0, done = work;
    const bool moved = m->c->paging.on && paging_pay(&m->paging, sim_now(e->f->sim), &asks, &done);
    if (!moved && !m->swap_ps)
        return;
    const sim_cost host = fleet_cost_host(&e->pool->cost, &e->batch) + asks;
    const sim_cost before = !e->pool->cost.overlap ? host : host > work ? host - work : 0;
    t->gpu = done + m->swap_ps;
    t->all = before + t->gpu;
    t->growth = 0;
    t->straight = 1;
    m->swap_ps = 0;
}

static void gone(void *ctx, uint64_t hash)
{
    struct engine *e = ctx;
    paging_gone(&e->mem->paging, hash, sim_now(e->f->sim));
}

/* What the store counted so far stays. */
void engine_memory_clear(struct engine *e)
{
    struct engine_memory *m = e->mem;
    struct paging *p = &m->paging;
    const struct kv_store was = p->store;
    p->moving[PAGER_IN] = p->moving[PAGER_OUT] = p->reads = m->swap_ps = 0;
    if (!was.tier[0])
        return;
    kv_store_end(&p->store);
    if (!kv_store_begin(&p->store, was.room[0], was.room[1],
                        p->per_block * p->pieces * p->piece_bytes))
        no_memory(e);
    p->store.spilled = was.spilled;
    p->store.read = was.read;
    p->store.lost = was.lost;
}

/* ---- begin and end ---- */

static bool open_one(struct engine *e)
{
    struct engine_memory *m = e->mem = calloc(1, sizeof *m);
    const struct pool *p = e->pool;
    if (!m)
        return false;
    const struct paging_of of = {.token_bytes = p->cost.llm.kv_bytes_per_token,
                                 .block_tokens = e->f->c.prefix_block};
    m->c = &p->c->memory;
    m->paging = p->memory.paging;
    m->swap_room = p->memory.swap_room;
    m->swap_block_ps = p->memory.swap_block_ps;
    if (!left_begin(&m->left, e->kv.total) || !paging_open_store(&m->paging, &of))
        return false;
    e->reuse.gone = m->paging.store.tier[0] ? gone : NULL;
    e->reuse.ctx = e;
    return true;
}

int engine_memory_open(struct fleet *f, struct err *e)
{
    for (uint32_t i = 0; i < f->engines; i++)
        if (f->engine[i].pool->c->memory.on && !open_one(&f->engine[i]))
            return err_set(e, ERR_ENOMEM, "fleet: out of memory");
    return 0;
}

void engine_memory_close(struct fleet *f)
{
    for (uint32_t i = 0; f->engine && i < f->engines; i++) {
        struct engine_memory *m = f->engine[i].mem;
        if (!m)
            continue;
        left_free(&m->left);
        paging_end(&m->paging);
        free(m);
    }
}

bool engine_memory_sound(const struct engine *e)
{
    const struct engine_memory *m = e->mem;
    return !m || (!m->swap_used && (!m->c->recover || m->left.blocks == e->kv.total));
}

static void add(struct engine_memory *to, const struct engine_memory *m)
{
    struct paging *p = &to->paging;
    pager_sum(&p->all, &m->paging.all);
    p->c = m->paging.c.on ? m->paging.c : p->c;
    p->waited += m->paging.waited;
    p->found += m->paging.found;
    p->store.spilled += m->paging.store.spilled;
    p->store.read += m->paging.store.read;
    p->store.lost += m->paging.store.lost;
    if (m->paging.store.tier[0])
        p->store.tier[0] = m->paging.store.tier[0];
    to->recovered += m->recovered;
    for (int d = 0; d < 2; d++) {
        to->swapped[d] += m->swapped[d];
        to->swap_ps += m->swapped[d] * m->swap_block_ps;
    }
}

void engine_memory_report(const struct fleet *f)
{
    struct engine_memory all = {0};
    bool recovers = false, swaps = false, copies = false;
    for (uint32_t i = 0; i < f->engines; i++) {
        const struct engine_memory *m = f->engine[i].mem;
        if (!m)
            continue;
        add(&all, m);
        recovers |= m->c->recover;
        swaps |= m->c->swap_gib > 0;
        copies |= m->c->swap_gib > 0 && !m->c->paging.on;
    }
    if (recovers)
        measures_number(f->out, "recovered_tokens", "1", BETTER_NONE, (double)all.recovered);
    if (swaps)
        measures_number(f->out, "swapped_blocks", "1", BETTER_LESS, (double)all.swapped[PAGER_OUT]);
    if (copies)
        measures_number(f->out, "swap_time", "s", BETTER_LESS, (double)all.swap_ps / 1e12);
    paging_report(&all.paging, (double)f->n.asked_tokens, f->out);
}
