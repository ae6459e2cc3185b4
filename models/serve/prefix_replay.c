/* prefix_replay.c - the model "prefix": requests' block hashes against a cache of so many blocks.
 *
 * Every block of every prompt is looked up and, if it was not there, put
 * there, in the order of the prompt ("forward"), or from its end ("backward":
 * as an engine gives blocks back, so that the end of a prompt goes first).
 * A block hits when it is there; what an engine need not compute are only the
 * blocks before the first that is not.  No time passes.                     */
#include <stdlib.h>

#include "models/mem/ahead.h"
#include "models/mem/cache.h"
#include "models/model.h"

/* ---- the section ---- */

enum { FORWARD, BACKWARD };

struct section {
    uint64_t blocks, block_tokens, window;
    const struct config *order;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    int direction;
};

static const struct config_field fields[] = {
    CONFIG_U64(struct section, blocks, 0, 1000000000, true),
    CONFIG_U64(struct section, block_tokens, 1, 1 << 20, false),
    CONFIG_U64(struct section, window, 0, 1 << 28, false),
    CONFIG_ANY(struct section, order, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_END};

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    static const char *const orders[] = {"forward", "backward", NULL};
    *s = (struct section){.block_tokens = 512, .window = 1 << 20};
    int rc = config_fill(c, fields, s, e);
    return rc || !s->order ? rc : config_choice(s->order, orders, &s->direction, e);
}

static int check(const struct config *c, struct err *e)
{
    struct section s;
    return read_section(c, &s, e);
}

/* ---- blocks, one by one ---- */

struct counts {
    uint64_t requests, empty, prompt_tokens; /* empty: without any hash */
    uint64_t blocks, hits, leading, cached_tokens, cold;
};

struct stream {
    struct request_source *from;
    struct trace_request now;
    uint32_t given; /* of its blocks */
    const struct section *s;
    struct counts *n;
};

static int pull(struct stream *s, struct err *e)
{
    do {
        int got = s->from->next(s->from, &s->now, e);
        if (got <= 0)
            return got;
        s->n->requests++;
        s->n->prompt_tokens += s->now.prompt_tokens;
        s->n->empty += s->now.n_prefix == 0;
    } while (s->now.n_prefix == 0);
    s->given = 0;
    return 1;
}

static uint64_t tokens_of(const struct stream *s, uint32_t depth)
{
    const uint64_t before = depth * s->s->block_tokens, all = s->now.prompt_tokens;
    const uint64_t rest = all > before ? all - before : 0;
    return rest < s->s->block_tokens ? rest : s->s->block_tokens;
}

/* As a touch: tenant is its depth, count its tokens, and write says that it is its request's last.
 */
static int next_block(void *ctx, struct mem_touch *t, struct err *e)
{
    struct stream *s = ctx;
    if (s->given == s->now.n_prefix) {
        int got = pull(s, e);
        if (got <= 0)
            return got;
    }
    const uint32_t i = s->given++, last = s->now.n_prefix - 1;
    const uint32_t depth = s->s->direction == BACKWARD ? last - i : i;
    *t = (struct mem_touch){.time_ns = s->now.time_ns,
                            .page = s->now.prefix[depth],
                            .next = UINT64_MAX,
                            .tenant = depth,
                            .pages = 1,
                            .write = i == last,
                            .count = (uint32_t)tokens_of(s, depth)};
    if (t->page <= PAGE_NUMBER_MAX)
        return 1;
    return err_set(e, ERR_EPARSE, "trace: request %llu: got block %llu, want one below that",
                   (unsigned long long)s->n->requests - 1, (unsigned long long)t->page);
}

/* ---- the cache ---- */

struct seen { /* every block that ever came */
    struct page_table table;
    uint32_t room, n;
};

static bool grow(struct seen *s)
{
    struct page_table old = s->table;
    if (!page_table_init(&s->table, 2 * s->room)) {
        s->table = old;
        return false;
    }
    for (uint64_t i = 0; i <= old.mask; i++)
        if (old.slot[i].page != UINT64_MAX)
            page_table_put(&s->table, old.slot[i].page, 0);
    page_table_free(&old);
    s->room *= 2;
    return true;
}

struct replay {
    const struct section *s;
    struct stream stream;
    struct mem_ahead *ahead; /* oracles: reads ahead; else NULL */
    struct mem_cache *cache; /* NULL: unbounded */
    struct seen seen;
    struct mem_access *access; /* of one request */
    uint32_t *tokens;
    size_t n, room;
    struct counts count;
    struct sketch *share;
};

static bool held(const struct replay *r, uint64_t block)
{
    if (r->cache)
        return mem_cache_holds(r->cache, block);
    return page_table_find(&r->seen.table, block) != PAGE_TABLE_NONE;
}

static bool add_seen(struct replay *r, uint64_t block)
{
    if (held(r, block)) {
        r->count.hits++;
        return true;
    }
    if (r->seen.n == r->seen.room && !grow(&r->seen))
        return false;
    page_table_put(&r->seen.table, block, 0);
    r->seen.n++;
    return true;
}

/* The blocks of one request; how many from its beginning were there. */
static bool visit(struct replay *r, size_t *leading)
{
    const size_t n = r->n;
    *leading = 0;
    if (r->s->direction == BACKWARD)
        while (*leading < n && held(r, r->access[n - 1 - *leading].page))
            ++*leading;
    if (r->cache) {
        size_t lead = mem_cache_replay(r->cache, r->access, n);
        if (r->s->direction == FORWARD)
            *leading = lead;
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (r->s->direction == FORWARD)
            *leading += *leading == i && held(r, r->access[i].page);
        if (!add_seen(r, r->access[i].page))
            return false;
    }
    return true;
}

static bool reserve(struct replay *r)
{
    if (r->n < r->room)
        return true;
    const size_t room = r->room ? 2 * r->room : 256;
    struct mem_access *a = realloc(r->access, room * sizeof *a);
    if (a)
        r->access = a;
    uint32_t *t = realloc(r->tokens, room * sizeof *t);
    if (t)
        r->tokens = t;
    if (!a || !t)
        return false;
    r->room = room;
    return true;
}

/* The next request that has blocks; 0: there is none. */
static int gather(struct replay *r, struct err *e)
{
    struct mem_touch t = {0};
    r->n = 0;
    while (!t.write) {
        int got = r->ahead ? mem_ahead_next(r->ahead, &t, e) : next_block(&r->stream, &t, e);
        if (got <= 0)
            return got;
        if (!reserve(r))
            return err_set(e, ERR_ENOMEM, "prefix: out of memory");
        r->access[r->n] = (struct mem_access){.page = t.page, .next = t.next, .depth = t.tenant};
        r->tokens[r->n++] = t.count;
    }
    return 1;
}

static int replay(struct replay *r, struct err *e)
{
    int got;
    while ((got = gather(r, e)) > 0) {
        size_t leading;
        if (!visit(r, &leading))
            return err_set(e, ERR_ENOMEM, "prefix: out of memory");
        r->count.blocks += r->n;
        r->count.leading += leading;
        r->count.cold += leading == 0;
        for (size_t i = 0; i < leading; i++)
            r->count.cached_tokens += r->tokens[r->s->direction == BACKWARD ? r->n - 1 - i : i];
        sketch_add(r->share, (double)leading / (double)r->n);
    }
    return got;
}

/* ---- the run ---- */

static double ratio(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : 0;
}

static void report(const struct replay *r, struct policy_slot *evict, struct measures *out)
{
    const struct counts *n = &r->count;
    struct mem_cache_stats s = {0};
    if (r->cache)
        mem_cache_stats(r->cache, &s);
    const uint64_t hits = r->cache ? s.accesses - s.misses : n->hits;
    const uint64_t with = n->requests - n->empty;
    measures_number(out, "block_hit_ratio", "1", BETTER_MORE, ratio(hits, n->blocks));
    measures_number(out, "prefix_hit_ratio", "1", BETTER_MORE, ratio(n->leading, n->blocks));
    measures_number(out, "token_hit_ratio", "1", BETTER_MORE,
                    ratio(n->cached_tokens, n->prompt_tokens));
    measures_number(out, "cold_requests", "1", BETTER_LESS, ratio(n->cold, with));
    measures_number(out, "requests", "1", BETTER_NONE, (double)n->requests);
    measures_number(out, "blocks", "1", BETTER_NONE, (double)n->blocks);
    measures_number(out, "block_hits", "1", BETTER_NONE, (double)hits);
    measures_number(out, "prefix_hits", "1", BETTER_NONE, (double)n->leading);
    measures_number(out, "evictions", "1", BETTER_NONE, (double)s.evicted);
    if (n->empty)
        measures_number(out, "requests_without_hashes", "1", BETTER_NONE, (double)n->empty);
    policy_slot_report(evict, out);
}

static int open_replay(struct replay *r, const struct model_env *env, struct measures *out,
                       struct err *e)
{
    struct policy_slot *evict = model_policy(env, POLICY_HOOK_MEM_EVICT);
    r->stream = (struct stream){.from = env->requests, .s = r->s, .n = &r->count};
    r->share = measures_sketch(out, "request_hit", "1", env->exact);
    if (evict)
        evict->out = out;
    bool ok = r->share != NULL;
    if (r->s->blocks) {
        r->cache = mem_cache_new((uint32_t)r->s->blocks, evict);
        if (policy_slot_oracle(evict) && r->s->window)
            r->ahead = mem_ahead_new(r->s->window, next_block, &r->stream);
        ok = ok && r->cache && (r->ahead || !policy_slot_oracle(evict) || !r->s->window);
    } else {
        r->seen.room = 1 << 12;
        ok = ok && page_table_init(&r->seen.table, r->seen.room);
    }
    return ok ? 0 : err_set(e, ERR_ENOMEM, "prefix: out of memory");
}

static int run(const struct config *c, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct section s;
    struct replay r = {.s = &s};
    int rc = read_section(c, &s, e);
    if (!rc && !env->requests)
        rc = err_set(e, ERR_EUSAGE, "model \"prefix\" needs a trace of requests (\"trace\": ...)");
    if (rc)
        return rc;
    rc = open_replay(&r, env, out, e);
    if (!rc)
        rc = replay(&r, e);
    if (!rc)
        report(&r, model_policy(env, POLICY_HOOK_MEM_EVICT), out);
    mem_ahead_free(r.ahead);
    mem_cache_free(r.cache);
    page_table_free(&r.seen.table);
    free(r.access);
    free(r.tokens);
    return rc;
}

const struct model_ops model_prefix = {
    .name = "prefix",
    .summary = "a cache of prompts' blocks: who hits, without time",
    .check = check,
    .needs_requests = true,
    .hooks = 1u << POLICY_HOOK_MEM_EVICT,
    .headline = "block_hit_ratio,prefix_hit_ratio,token_hit_ratio",
    .run = run,
};
