/* run_cache.c - the model "memory" as a page cache. */
#include "models/life_clock.h"
#include "models/mem/cache.h"
#include "models/mem/device.h"
#include "models/mem/evict_life.h"
#include "models/mem/memory.h"
#include "models/mem/readahead.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/policy_slot.h"

struct section {
    uint64_t frames;
    bool readahead;
    double window_s; /* of the readahead's features */
    const struct config *infer, *device;
    const struct config *train_on;
    struct mlaas_config service;
    struct mem_device phases;
    bool reader_trains; /* on the reader's core, which waits; else on one of its own */
};

static const struct config_field fields[] = {CONFIG_U64(struct section, frames, 1, 1e9, true),
                                             CONFIG_BOOL(struct section, readahead, false),
                                             CONFIG_F64(struct section, window_s, 1e-9, 1e9, false),
                                             CONFIG_ANY(struct section, infer, false),
                                             CONFIG_ANY(struct section, device, false),
                                             CONFIG_ANY(struct section, train_on, false),
                                             CONFIG_END};

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    static const char *const cores[] = {"core", "reader", NULL};
    int core = 0;
    *s = (struct section){.window_s = 1};
    int rc = config_fill(c, fields, s, e);
    rc = rc ? rc : mem_device_config(&s->phases, s->device, e);
    if (!rc && s->train_on)
        rc = config_choice(s->train_on, cores, &core, e);
    s->reader_trains = core == 1;
    return rc ? rc : mlaas_config(&s->service, s->infer, e);
}

static int check(const struct config *c, struct err *e)
{
    struct section s;
    return read_section(c, &s, e);
}

static bool asks(const struct config *c, enum policy_hook hook)
{
    struct section s;
    struct err ignored = {0};
    return hook == POLICY_HOOK_MEM_EVICT ||
           (hook == POLICY_HOOK_MEM_READAHEAD && !read_section(c, &s, &ignored) && s.readahead);
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
    struct mem_source *from;
    uint64_t number;   /* of the access, which is what policies are told as time */
    uint64_t requests; /* to the device: a miss and what is read with it */
    struct mem_device *device;
    struct mlaas_bill bill;
    /* Who reads ahead and who evicts, when; NULL: nobody comes or goes. */
    struct life_clock *ahead_life;
    struct evict_life *evict_life;
};

static struct mem_device_count asked_so_far(const struct run *r)
{
    struct mem_cache_stats s;
    mem_cache_stats(r->cache, &s);
    return (struct mem_device_count){.requests = r->requests + s.writebacks,
                                     .pages = s.misses + s.fetched + s.writebacks,
                                     .accesses = s.accesses};
}

static void clock_at(struct run *r, sim_time now)
{
    if (r->device->n > 1) {
        const struct mem_device_count c = asked_so_far(r);
        mem_device_clock(r->device, now, &c);
    }
    if (r->ahead)
        mlaas_bill_clock(&r->bill, now);
}

static uint32_t ask_ahead(struct run *r, const struct mem_touch *t)
{
    sim_time wait;
    if (!r->ahead_life)
        return mem_readahead_ask(r->ahead, t, r->from);
    life_clock_at(r->ahead_life, t->time_ns);
    mem_readahead_under(r->ahead, life_clock_ask(r->ahead_life, &wait));
    const uint32_t pages = mem_readahead_ask(r->ahead, t, r->from);
    life_clock_said(r->ahead_life);
    return pages;
}

/* A miss: how far to read ahead, and what the device then does for it. */
static void miss(struct run *r, const struct mem_touch *t, const struct mem_device_count *before,
                 uint64_t now)
{
    const uint32_t more = ask_ahead(r, t);
    for (uint32_t i = 1; i <= more && t->page + i <= PAGE_NUMBER_MAX; i++)
        mem_cache_fetch(r->cache, t->page + i, now);
    const struct mem_device_count after = asked_so_far(r);
    mem_readahead_took(
        r->ahead, t->tenant,
        mem_device_ns(r->device, after.requests - before->requests, after.pages - before->pages));
}

static void access_page(struct run *r, const struct mem_touch *t)
{
    const struct mem_access a = {.page = t->page, .next = t->next, .write = t->write};
    uint64_t now = r->number++;
    struct mem_device_count before;
    clock_at(r, t->time_ns);
    evict_life_at(r->evict_life, t->time_ns);
    if (r->ahead) {
        mem_readahead_see(r->ahead, t);
        before = asked_so_far(r);
    }
    if (mem_cache_access(r->cache, &a, now))
        return;
    r->requests++;
    if (r->ahead)
        miss(r, t, &before, now);
}

/* A sample of a region stands for one access to each of its pages. */
static int replay(struct run *r, struct err *e)
{
    struct mem_touch t;
    int got;
    while ((got = mem_source_next(r->from, &t, e)) > 0) {
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

static void report(const struct memory_run *m, const struct run *r, const struct section *section,
                   const struct costs *c)
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
        const struct mem_device_count all = asked_so_far(r);
        t.infer = (double)r->bill.waited_ps / 1e3 + (double)life_clock_waited(r->ahead_life) +
                  (double)evict_life_waited(r->evict_life);
        if (section->reader_trains)
            t.infer += (double)r->bill.training.cpu_ps / 1e3;
        t.io = mem_device_end(r->device, &all);
        memory_time_report(&t, m->out);
        mem_device_report(r->device, m->out);
    }
    mlaas_bill_report(&r->bill, m->out);
    struct policy_slot *evict = model_policy(m->env, POLICY_HOOK_MEM_EVICT), *ahead;
    ahead = r->ahead ? model_policy(m->env, POLICY_HOOK_MEM_READAHEAD) : NULL;
    policy_slot_report(evict, m->out);
    if (ahead != evict)
        policy_slot_report(ahead, m->out);
}

static bool begin(struct run *r, const struct memory_run *m, const struct section *s)
{
    struct policy_slot *evict = model_policy(m->env, POLICY_HOOK_MEM_EVICT);
    struct policy_slot *ahead =
        s->readahead ? model_policy(m->env, POLICY_HOOK_MEM_READAHEAD) : NULL;
    const struct policy_mem about = {.frames = (uint32_t)s->frames, .tiers = 1, .page_bytes = 4096};
    const uint64_t sees = evict_life_oracle(m->env)   ? m->window
                          : policy_slot_oracle(ahead) ? MEM_READAHEAD_SIGHT
                                                      : 0;
    r->from = mem_source_new(m->pattern, m->pattern ? NULL : m->env->rows, m->env->seed, sees);
    r->cache =
        mem_cache_new((uint32_t)s->frames, m->env->plan[POLICY_HOOK_MEM_EVICT] ? NULL : evict);
    if (ahead && ahead != evict && !m->env->plan[POLICY_HOOK_MEM_READAHEAD])
        (void)policy_slot_mem_begin(ahead, &about); /* before its first question */
    if (s->readahead)
        r->ahead = mem_readahead_new((sim_time)(s->window_s * 1e9), ahead);
    return r->from && r->cache && (r->ahead || !s->readahead);
}

static int open_lives(struct run *r, const struct memory_run *m, const struct section *s,
                      struct err *e)
{
    const struct policy_mem about = {.frames = (uint32_t)s->frames, .tiers = 1, .page_bytes = 4096};
    const struct life_clock_env ahead = {
        .model = m->env, .use = m->use, .out = m->out, .about = &about};
    const struct evict_life_env evict = {m->env, m->use, m->out, (uint32_t)s->frames};
    int rc = r->ahead ? life_clock_open(&r->ahead_life, POLICY_HOOK_MEM_READAHEAD, &ahead, e) : 0;
    return rc ? rc : evict_life_open(&r->evict_life, r->cache, &evict, e);
}

static int end_lives(struct run *r)
{
    const int rc = life_clock_end(r->ahead_life);
    return rc ? rc : evict_life_end(r->evict_life);
}

static void close_run(struct run *r)
{
    life_clock_close(r->ahead_life);
    evict_life_close(r->evict_life);
    mlaas_bill_close(&r->bill);
    mem_readahead_free(r->ahead);
    mem_cache_free(r->cache);
    mem_source_free(r->from);
}

static int run(const struct memory_run *m, struct err *e)
{
    struct section s;
    struct costs costs = {0};
    struct run r = {0};
    int rc = read_section(m->section, &s, e);
    if (!rc && m->env->machine)
        rc = read_costs(m->use, &costs, e);
    if (rc)
        return rc;
    s.phases.request = costs.request, s.phases.page = costs.page;
    r.device = &s.phases;
    rc = mlaas_bill_open(&r.bill, &s.service, m->env->stack, m->env->machine ? m->use : NULL,
                         m->env->infer, e);
    if (!rc && !begin(&r, m, &s))
        rc = err_set(e, ERR_ENOMEM, "memory: out of memory");
    rc = rc ? rc : open_lives(&r, m, &s, e);
    rc = rc ? rc : replay(&r, e);
    rc = rc ? rc : mlaas_bill_check(&r.bill, e);
    rc = rc ? rc : end_lives(&r);
    if (!rc)
        report(m, &r, &s, &costs);
    close_run(&r);
    return rc;
}

const struct memory_part memory_cache = {.name = "cache",
                                         .needs_accesses = true,
                                         .check = check,
                                         .fits = fits,
                                         .asks = asks,
                                         .run = run};
