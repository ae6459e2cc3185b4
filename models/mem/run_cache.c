/* run_cache.c - the model "memory" as a page cache. */
#include "models/mem/cache.h"
#include "models/mem/memory.h"
#include "models/mem/readahead.h"
#include "models/policy_slot.h"

struct section {
    uint64_t frames;
    bool readahead;
    double window_s; /* of the readahead's features */
};

static const struct config_field fields[] = {
    CONFIG_U64(struct section, frames, 1, 1e9, true), CONFIG_BOOL(struct section, readahead, false),
    CONFIG_F64(struct section, window_s, 1e-9, 1e9, false), CONFIG_END};

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    *s = (struct section){.window_s = 1};
    return config_fill(c, fields, s, e);
}

static int check(const struct config *c, struct err *e)
{
    struct section s;
    return read_section(c, &s, e);
}

struct costs {                 /* ns; zero without a machine */
    double hit, request, page; /* an access; a request to the device; each page it moves */
};

static int read_costs(struct machine_use *use, struct costs *c, struct err *e)
{
    sim_cost hit, request;
    double bytes_per_s;
    int rc = machine_ps(use, "memory.local.latency", &hit, e);
    if (!rc)
        rc = machine_ps(use, "memory.swap.latency", &request, e);
    if (!rc)
        rc = machine_value(use, "memory.swap.bandwidth", QUANTITY_RATE, &bytes_per_s, e);
    if (!rc)
        *c = (struct costs){(double)hit / 1e3, (double)request / 1e3, 4096e9 / bytes_per_s};
    return rc;
}

static int fits(const struct config *c, struct machine_use *use, struct err *e)
{
    (void)c;
    struct costs costs;
    return read_costs(use, &costs, e);
}

struct run {
    struct mem_cache *cache;
    struct mem_readahead *ahead; /* NULL: none */
    uint64_t number;             /* of the access, which is what policies are told as time */
    uint64_t requests;           /* to the device: a miss and what is read with it */
};

static void access_page(struct run *r, const struct mem_touch *t)
{
    const struct mem_access a = {.page = t->page, .next = t->next, .write = t->write};
    uint64_t now = r->number++;
    if (r->ahead)
        mem_readahead_see(r->ahead, t);
    if (mem_cache_access(r->cache, &a, now))
        return;
    r->requests++;
    uint32_t more = r->ahead ? mem_readahead_ask(r->ahead, t) : 0;
    for (uint32_t i = 1; i <= more && t->page + i <= PAGE_NUMBER_MAX; i++)
        mem_cache_fetch(r->cache, t->page + i, now);
}

/* A sample of a region stands for one access to each of its pages. */
static int replay(struct run *r, struct mem_source *from, struct err *e)
{
    struct mem_touch t;
    int got;
    while ((got = mem_source_next(from, &t, e)) > 0) {
        uint64_t first = t.page;
        if (first > PAGE_NUMBER_MAX - t.pages)
            return err_set(e, ERR_EFAIL, "page %llu is out of range", (unsigned long long)first);
        for (uint32_t i = 0; i < t.pages; i++) {
            t.page = first + i;
            access_page(r, &t);
        }
    }
    return got;
}

static void report(const struct memory_run *m, const struct run *r, const struct costs *c)
{
    struct mem_cache_stats s;
    mem_cache_stats(r->cache, &s);
    double n = (double)s.accesses, miss = (double)s.misses;
    measures_number(m->out, "accesses", "1", BETTER_NONE, n);
    measures_number(m->out, "misses", "1", BETTER_LESS, miss);
    measures_number(m->out, "miss_ratio", "1", BETTER_LESS, n > 0 ? miss / n : 0);
    measures_number(m->out, "writebacks", "1", BETTER_LESS, (double)s.writebacks);
    measures_number(m->out, "evictions", "1", BETTER_NONE, (double)s.evicted);
    if (r->ahead) {
        double fetched = (double)s.fetched;
        measures_number(m->out, "readahead_pages", "1", BETTER_NONE, fetched);
        measures_number(m->out, "readahead_used", "1", BETTER_MORE,
                        fetched > 0 ? (double)s.fetched_used / fetched : 0);
    }
    if (m->env->machine) {
        struct memory_time t = {.memory = c->hit * n};
        t.io = c->request * ((double)r->requests + (double)s.writebacks) +
               c->page * (miss + (double)s.fetched + (double)s.writebacks);
        memory_time_report(&t, m->out);
    }
    policy_slot_report(model_policy(m->env, POLICY_HOOK_MEM_EVICT), m->out);
}

static int run(const struct memory_run *m, struct err *e)
{
    struct section s;
    struct costs costs = {0};
    int rc = read_section(m->section, &s, e);
    if (!rc && m->env->machine)
        rc = read_costs(m->use, &costs, e);
    if (rc)
        return rc;
    struct policy_slot *evict = model_policy(m->env, POLICY_HOOK_MEM_EVICT);
    bool oracle = evict && evict->ops && evict->ops->oracle;
    struct mem_source *from = mem_source_new(m->pattern, m->pattern ? NULL : m->env->rows,
                                             m->env->seed, oracle ? m->window : 0);
    struct run r = {.cache = mem_cache_new((uint32_t)s.frames, evict)};
    struct policy_slot *ahead = model_policy(m->env, POLICY_HOOK_MEM_READAHEAD);
    struct policy_mem about = {.frames = (uint32_t)s.frames, .tiers = 1, .page_bytes = 4096};
    if (s.readahead && ahead && ahead != evict)
        (void)policy_slot_mem_begin(ahead, &about); /* before its first question */
    if (s.readahead)
        r.ahead = mem_readahead_new((sim_time)(s.window_s * 1e9), ahead);
    if (from && r.cache && (r.ahead || !s.readahead))
        rc = replay(&r, from, e);
    else
        rc = err_set(e, ERR_ENOMEM, "memory: out of memory");
    if (!rc)
        report(m, &r, &costs);
    mem_readahead_free(r.ahead);
    mem_cache_free(r.cache);
    mem_source_free(from);
    return rc;
}

const struct memory_part memory_cache = {
    .name = "cache", .needs_accesses = true, .check = check, .fits = fits, .run = run};
