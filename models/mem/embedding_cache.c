/* embedding_cache.c - a cache of rows on the GPU, managed by the process. */
#include "models/mem/embedding.h"

#define IO 4096 /* bytes of a read that brings a row from the drive */

sim_cost emb_walk(const struct stack_cost *path, uint64_t times, struct pager_work *w)
{
    w->os += times * path->os;
    w->crossings += times * path->crossings;
    return times * (path->cpu_before + path->wire_before);
}

static uint32_t rows_in(double gib, const struct emb_config *c)
{
    const double n = gib * 0x1p30 / c->row_bytes;
    return n < 1 ? 1 : n < 1 << 28 ? (uint32_t)n : 1 << 28;
}

int emb_cache_begin(struct emb *m)
{
    const struct model_env *env = m->env;
    const uint32_t rows = rows_in(m->c.hbm_gib, &m->c), host = rows_in(m->c.host_gib, &m->c);
    const struct evict_life_env life = {env, &m->use, m->out, rows};
    m->cache = mem_cache_new(
        rows, env->plan[POLICY_HOOK_MEM_EVICT] ? NULL : model_policy(env, POLICY_HOOK_MEM_EVICT));
    if (m->c.host_gib > 0 && host < m->c.rows) /* first in, first out */
        m->host = mem_cache_new(host, NULL);
    if (!m->cache || !(m->host || m->c.host_gib <= 0 || host >= m->c.rows))
        return emb_no_memory(m);
    return evict_life_open(&m->evict_life, m->cache, &life, m->e);
}

void emb_cache_end(struct emb *m)
{
    evict_life_close(m->evict_life);
    mem_cache_free(m->cache);
    mem_cache_free(m->host);
}

static sim_cost bytes(double ps, uint64_t n)
{
    return (sim_cost)(ps * (double)n + 0.5);
}

/* Rows that are on the drive: a read each, by the threads that gather. */
static sim_cost from_drive(const struct emb *m, uint64_t n, struct emb_batch *b)
{
    const struct emb_costs *c = &m->cost;
    const sim_cost cpu = emb_walk(&c->read, n, &b->work) + emb_walk(&c->read_done, n, &b->work);
    const sim_cost byte = bytes(c->read_ps, IO), each = byte > c->io_ps ? byte : c->io_ps;
    b->work.asked += n;
    b->reads += n;
    b->cpu += cpu;
    return n * each > cpu / m->c.threads ? n * each : cpu / m->c.threads;
}

/* Cores find n rows and put them together, or apart. */
static sim_cost by_cores(const struct emb *m, uint64_t n, struct emb_batch *b)
{
    const uint64_t all = n * m->c.row_bytes;
    const sim_cost cpu = n * m->cost.row_ps + bytes(m->cost.core_ps, all);
    b->work.copied += all;
    b->cpu += cpu;
    return cpu / m->c.threads;
}

/* One copy of all of it, and what is not hidden of it. */
static sim_cost copy(const struct emb *m, enum pager_dir dir, uint64_t n, struct emb_batch *b)
{
    struct pager_work w = {0};
    pager_move(&m->cost.copies, dir, n > 0, n, &w);
    pager_sum(&b->work, &w);
    b->cpu += w.cpu;
    return w.cpu + pager_wait(&m->cost.copies, &w);
}

static sim_cost launch(const struct emb *m, struct emb_batch *b)
{
    const sim_cost cpu = emb_walk(&m->cost.launch, 1, &b->work);
    b->work.asked++;
    b->cpu += cpu;
    return cpu;
}

/* Ids of what is missing go to the host, and it is heard when; rows are gathered and come. */
static sim_cost gather(const struct emb *m, uint64_t missed, uint64_t out, struct emb_batch *b)
{
    sim_cost t = copy(m, PAGER_OUT, missed * sizeof(uint64_t), b);
    const sim_cost heard = emb_walk(&m->cost.complete, 1, &b->work);
    b->cpu += heard;
    b->work.asked++;
    t += heard + by_cores(m, missed, b) + copy(m, PAGER_IN, missed * m->c.row_bytes, b);
    if (out)
        t += copy(m, PAGER_OUT, out * m->c.row_bytes, b) + by_cores(m, out, b);
    return t + launch(m, b) + bytes(m->cost.hbm_ps, 2 * missed * m->c.row_bytes);
}

/* The kernel reads rows over the link, and writes what has to go. */
static sim_cost over_link(const struct emb *m, uint64_t missed, uint64_t out, struct emb_batch *b)
{
    b->work.bytes[PAGER_IN] += missed * m->c.row_bytes;
    b->work.bytes[PAGER_OUT] += out * m->c.row_bytes;
    return launch(m, b) + bytes(m->cost.direct_ps, (missed > out ? missed : out) * m->c.row_bytes);
}

/* Hits of both caches; how many rows had to come. */
static uint64_t look_up(struct emb *m, const uint32_t *row, uint64_t now, struct emb_batch *b)
{
    uint64_t missed = 0;
    for (uint64_t i = 0; i < m->lookups; i++) {
        const struct mem_access a = {.page = row[i], .write = m->c.train};
        int tier = EMB_HBM;
        if (!mem_cache_access(m->cache, &a, now + i)) {
            missed++;
            tier = m->host && !mem_cache_access(m->host, &a, now + i) ? EMB_DRIVE : EMB_HOST;
        }
        b->by_tier[tier]++;
    }
    return missed;
}

void emb_cache_batch(struct emb *m, const uint32_t *row, uint64_t now, struct emb_batch *b)
{
    struct mem_cache_stats before, after;
    const sim_time waited = evict_life_waited(m->evict_life);
    mem_cache_stats(m->cache, &before);
    evict_life_at(m->evict_life, (sim_time)(m->now_ps / 1e3));
    const uint64_t missed = look_up(m, row, now, b);
    mem_cache_stats(m->cache, &after);
    const uint64_t out = after.writebacks - before.writebacks;
    b->lookup =
        launch(m, b) + launch(m, b) +
        bytes(m->cost.hbm_ps, (uint64_t)((double)m->lookups * (m->c.row_bytes + m->cost.tags)));
    b->stall += (evict_life_waited(m->evict_life) - waited) * 1000;
    if (b->by_tier[EMB_DRIVE])
        b->fill += from_drive(m, b->by_tier[EMB_DRIVE], b);
    if (missed)
        b->fill += m->c.direct ? over_link(m, missed, out, b) : gather(m, missed, out, b);
}
