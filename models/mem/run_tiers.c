/* run_tiers.c - the model "memory" as tiers of memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/life_clock.h"
#include "models/mem/memory.h"
#include "models/mem/page_table.h"
#include "models/mem/tiers.h"
#include "models/mlaas/mlaas_bill.h"

enum { PERIOD_MAX = 1 << 24 };

struct section {
    const struct config *use, *first, *infer;
    uint64_t period;
    bool open;
};
static const struct config_field fields[] = {
    CONFIG_ANY(struct section, use, true),
    CONFIG_ANY(struct section, first, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_U64(struct section, period, 1, PERIOD_MAX, false),
    CONFIG_BOOL(struct section, open, false),
    CONFIG_END};

struct entry {
    const char *tier;
    uint64_t pages;
    double load; /* share of the bandwidth that others use */
};
static const struct config_field entry_fields[] = {
    CONFIG_STR(struct entry, tier, true), CONFIG_U64(struct entry, pages, 1, 1 << 28, true),
    CONFIG_F64(struct entry, load, 0, 0.999, false), CONFIG_END};

struct setup {
    struct mem_tiers_config c;
    const char *name[TIERS_MAX];
    uint64_t period;
    struct mlaas_config service;
};

static int read_tier(const struct config *c, struct setup *s, struct err *e)
{
    struct entry x = {0};
    int rc = config_fill(c, entry_fields, &x, e);
    for (uint32_t i = 0; !rc && i < s->c.n; i++)
        if (!strcmp(s->name[i], x.tier))
            rc = config_complain(config_get(c, "tier"), e, "a tier that is not there yet");
    if (rc)
        return rc;
    s->name[s->c.n] = x.tier;
    s->c.tier[s->c.n++] = (struct mem_tier){.pages = x.pages, .load = x.load};
    return 0;
}

static int read_section(const struct config *c, struct setup *s, struct err *e)
{
    static const char *const firsts[] = {"fastest", "interleave", "slowest", NULL};
    struct section t = {.period = 1000};
    int first = 0, rc = config_fill(c, fields, &t, e);
    if (!rc && t.first)
        rc = config_choice(t.first, firsts, &first, e);
    if (rc)
        return rc;
    size_t n = config_kind(t.use) == CONFIG_ARRAY ? config_count(t.use) : 0;
    if (n < 1 || n > TIERS_MAX)
        return config_complain(t.use, e, "a list of 1 to %d tiers, the fastest first", TIERS_MAX);
    *s = (struct setup){.period = t.period};
    s->c.first = (enum tier_first)first, s->c.open = t.open;
    for (size_t i = 0; !rc && i < n; i++)
        rc = read_tier(config_at(t.use, i), s, e);
    return rc ? rc : mlaas_config(&s->service, t.infer, e);
}

static int check(const struct config *c, struct err *e)
{
    struct setup s;
    return read_section(c, &s, e);
}

/* ---- costs ---- */

static int ns_of(struct machine_use *use, const char *name, double *ns, struct err *e)
{
    sim_cost ps = 0;
    int rc = machine_ps(use, name, &ps, e);
    *ns = (double)ps / 1e3;
    return rc;
}

/* A tier has a latency of its own, or a hop beyond the local one. */
static int tier_costs(struct mem_tier *t, const char *tier, struct machine_use *use, struct err *e)
{
    char name[96];
    double rate = 0, local = 0;
    snprintf(name, sizeof name, "memory.%.60s.hop", tier);
    int rc;
    if (machine_find(use->machine, name)) {
        rc = ns_of(use, name, &t->latency_ns, e);
        if (!rc)
            rc = ns_of(use, "memory.local.latency", &local, e);
        t->latency_ns += local;
    } else {
        snprintf(name, sizeof name, "memory.%.60s.latency", tier);
        rc = ns_of(use, name, &t->latency_ns, e);
    }
    snprintf(name, sizeof name, "memory.%.60s.bandwidth", tier);
    if (!rc)
        rc = machine_value(use, name, QUANTITY_RATE, &rate, e);
    t->bytes_per_ns = rate / 1e9;
    t->load *= t->bytes_per_ns;
    if (!rc && t->load > 0)
        rc = ns_of(use, "memory.residual", &t->residual_ns, e);
    return rc;
}

static int read_costs(struct setup *s, struct machine_use *use, struct err *e)
{
    int rc = ns_of(use, "memory.place_period", &s->c.period_ns, e);
    if (!rc)
        rc = ns_of(use, "memory.migrate", &s->c.migrate_ns, e);
    if (!rc)
        rc = ns_of(use, "memory.swap.latency", &s->c.swap_ns, e);
    for (uint32_t i = 0; !rc && i < s->c.n; i++)
        rc = tier_costs(&s->c.tier[i], s->name[i], use, e);
    return rc;
}

static int fits(const struct config *c, struct machine_use *use, struct err *e)
{
    struct setup s;
    int rc = read_section(c, &s, e);
    return rc ? rc : read_costs(&s, use, e);
}

/* ---- the run, period by period ---- */

struct run {
    struct mem_tiers *tiers;
    struct mem_source *from;
    struct mem_touch *block; /* [period] */
    uint64_t n;
    bool oracle;
    struct mlaas_bill
        bill; /* the program waits for a decision, as for the rest of a period's work */
    struct life_clock *life; /* NULL: one policy for ever */
};

static int read_block(struct run *r, uint64_t period, struct err *e)
{
    int got = 1;
    for (r->n = 0; r->n < period && got > 0;)
        if ((got = mem_source_next(r->from, &r->block[r->n], e)) > 0)
            r->n++;
    return got < 0 ? got : 0;
}

/* A sample of a region: its accesses are spread evenly over its pages. */
typedef void each_page(struct mem_tiers *t, uint64_t page, const struct mem_touch *m,
                       uint32_t count);

static void spread(struct mem_tiers *t, const struct mem_touch *m, each_page *each)
{
    uint64_t before = 0;
    for (uint64_t i = 1; i <= m->pages; i++) {
        uint64_t upto = (uint64_t)m->count * i / m->pages;
        if (upto > before && m->page <= PAGE_NUMBER_MAX - i)
            each(t, m->page + i - 1, m, (uint32_t)(upto - before));
        before = upto;
    }
}

static void expect(struct mem_tiers *t, uint64_t page, const struct mem_touch *m, uint32_t count)
{
    (void)m;
    mem_tiers_expect(t, page, count);
}

static void touch(struct mem_tiers *t, uint64_t page, const struct mem_touch *m, uint32_t count)
{
    mem_tiers_touch(t, page, m->write, count, m->time_ns);
}

/* Who has an answer here; NULL: nothing moves. */
static struct policy_slot *that_places(struct policy_slot *p)
{
    return p && p->ops && p->ops->mem_place ? p : NULL;
}

/* It is the turn of whoever answers now. */
static void turn(struct run *r, sim_time now)
{
    sim_time wait;
    life_clock_at(r->life, now);
    struct policy_slot *p = that_places(life_clock_ask(r->life, &wait));
    r->oracle = p && p->ops->oracle;
    mem_tiers_under(r->tiers, p);
}

static void end_period(struct run *r)
{
    const sim_time now = r->block[0].time_ns;
    if (r->life)
        turn(r, now);
    for (uint64_t i = 0; r->oracle && i < r->n; i++)
        spread(r->tiers, &r->block[i], expect);
    mem_tiers_period(r->tiers, now);
    if (r->life)
        life_clock_said(r->life);
}

static int replay(struct run *r, uint64_t period, struct err *e)
{
    int rc;
    for (bool first = true; !(rc = read_block(r, period, e)) && r->n > 0; first = false) {
        if (!first)
            end_period(r);
        for (uint64_t i = 0; i < r->n; i++)
            spread(r->tiers, &r->block[i], touch);
    }
    return rc;
}

static void report(const struct memory_run *m, const struct setup *s, const struct run *r)
{
    struct mem_tiers_stats t;
    mem_tiers_stats(r->tiers, &t);
    double n = t.accesses ? (double)t.accesses : 1;
    double latency = (t.memory_ns + t.queue_ns) / n;
    struct mem_tier fast = s->c.tier[0];
    measures_number(m->out, "accesses", "1", BETTER_NONE, (double)t.accesses);
    measures_number(m->out, "latency_mean", "ns", BETTER_LESS, latency);
    measures_number(m->out, "latency_ratio", "1", BETTER_LESS,
                    latency / (fast.latency_ns + TIER_LINE / fast.bytes_per_ns));
    for (uint32_t i = 0; i < s->c.n; i++) {
        char name[64];
        snprintf(name, sizeof name, "tier%" PRIu32 "_share", i);
        measures_number(m->out, name, "1", i ? BETTER_NONE : BETTER_MORE, (double)t.touched[i] / n);
    }
    measures_number(m->out, "migrations", "1", BETTER_NONE, (double)t.migrations);
    measures_number(m->out, "reclaims", "1", BETTER_LESS, (double)t.reclaims);
    memory_time_report(&(struct memory_time){.memory = t.memory_ns,
                                             .queue = t.queue_ns,
                                             .migrate = t.migrate_ns,
                                             .infer = (double)r->bill.waited_ps / 1e3 +
                                                      (double)life_clock_waited(r->life),
                                             .io = t.swap_ns},
                       m->out);
    mlaas_bill_report(&r->bill, m->out);
    policy_slot_report(model_policy(m->env, POLICY_HOOK_MEM_PLACE), m->out);
}

static bool asks(const struct config *c, enum policy_hook hook)
{
    (void)c;
    return hook == POLICY_HOOK_MEM_PLACE;
}

static int open_life(struct run *r, const struct memory_run *m, const struct setup *s,
                     struct err *e)
{
    struct policy_mem about = {.tiers = s->c.n, .page_bytes = TIER_PAGE};
    for (uint32_t i = 0; i < s->c.n; i++)
        about.frames += (uint32_t)s->c.tier[i].pages;
    const struct life_clock_env env = {
        .model = m->env, .use = m->use, .out = m->out, .about = &about};
    return life_clock_open(&r->life, POLICY_HOOK_MEM_PLACE, &env, e);
}

static void close_run(struct run *r)
{
    life_clock_close(r->life);
    mlaas_bill_close(&r->bill);
    free(r->block);
    mem_source_free(r->from);
    mem_tiers_free(r->tiers);
}

static int run(const struct memory_run *m, struct err *e)
{
    struct setup s;
    int rc = read_section(m->section, &s, e);
    if (!rc)
        rc = read_costs(&s, m->use, e);
    if (rc)
        return rc;
    struct policy_slot *place = m->env->plan[POLICY_HOOK_MEM_PLACE]
                                    ? NULL
                                    : that_places(model_policy(m->env, POLICY_HOOK_MEM_PLACE));
    struct run r = {.tiers = mem_tiers_new(&s.c, place), .oracle = place && place->ops->oracle};
    rc = mlaas_bill_open(&r.bill, &s.service, m->env->stack, m->use, m->env->infer, e);
    r.from = mem_source_new(m->pattern, m->pattern ? NULL : m->env->rows, m->env->seed, 0);
    r.block = malloc(s.period * sizeof *r.block);
    if (!rc && !(r.tiers && r.from && r.block))
        rc = err_set(e, ERR_ENOMEM, "memory: out of memory");
    rc = rc ? rc : open_life(&r, m, &s, e);
    rc = rc ? rc : replay(&r, s.period, e);
    rc = rc ? rc : mlaas_bill_check(&r.bill, e);
    rc = rc ? rc : life_clock_end(r.life);
    if (!rc)
        report(m, &s, &r);
    close_run(&r);
    return rc;
}

const struct memory_part memory_tiers = {.name = "tiers",
                                         .needs_accesses = true,
                                         .needs_machine = true,
                                         .check = check,
                                         .fits = fits,
                                         .asks = asks,
                                         .run = run};
