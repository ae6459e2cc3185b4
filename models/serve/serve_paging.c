/* serve_paging.c - the engine's side of paging.h: what goes, what comes back. */
#include "models/serve/serve_state.h"

static struct paging_of of(const struct serve *s)
{
    return (struct paging_of){.stack = s->stack,
                              .model = s->c.model,
                              .token_bytes = s->llm.kv_bytes_per_token,
                              .block_tokens = s->c.prefix_block};
}

int serve_paging_begin(struct serve *s)
{
    const struct paging_of engine = of(s);
    return paging_begin(&s->paging, &s->c.paging, &engine, &s->use, s->e);
}

static void gone(void *ctx, uint64_t hash)
{
    struct serve *s = ctx;
    paging_gone(&s->paging, hash, sim_now(s->sim));
}

int serve_paging_store(struct serve *s)
{
    const struct paging_of engine = of(s);
    if (!paging_open_store(&s->paging, &engine))
        return err_set(s->e, ERR_ENOMEM, "serve: out of memory");
    s->reuse.gone = s->paging.store.tier[0] ? gone : NULL;
    s->reuse.ctx = s;
    return 0;
}

/* Blocks after those that it found on the GPU, as far as they are anywhere. */
uint32_t serve_paging_fetch(struct serve *s, const struct seq *q)
{
    const struct reuse_seq *r = &q->reuse;
    uint32_t n = r->held;
    if (!s->paging.store.tier[0])
        return 0;
    while (n < r->n && (prefix_find(s->reuse.blocks, &r->hash[n], 1, NULL) ||
                        paging_fetch(&s->paging, r->hash[n], sim_now(s->sim))))
        n++;
    const uint32_t more = reuse_spared(&s->reuse, n, q->goal) - q->filled;
    if (!q->was_scheduled)
        s->paging.found += more;
    return more;
}

/* What decoding may take without giving a block of a prompt away. */
uint64_t serve_paging_room(const struct serve *s)
{
    struct prefix_stats p;
    if (!s->paging.store.tier[0])
        return s->kv.free;
    prefix_stats(s->reuse.blocks, &p);
    const uint64_t idle = p.idle * s->paging.per_block;
    return s->kv.free > idle ? s->kv.free - idle : 0;
}
