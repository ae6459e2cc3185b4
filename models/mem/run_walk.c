/* run_walk.c - the model "memory" as address translation. */
#include "models/mem/memory.h"
#include "models/mem/walk.h"

struct section {
    const struct config *page, *host_page;
    const char *label;
    double working_set;
    uint64_t levels;
    bool independent;
    double memory_bound;
};

static const struct config_field fields[] = {
    CONFIG_F64(struct section, working_set, 4096, 1e15, true),
    CONFIG_ANY(struct section, page, true),
    CONFIG_ANY(struct section, host_page, false),
    CONFIG_U64(struct section, levels, 4, 5, false),
    CONFIG_BOOL(struct section, independent, false),
    CONFIG_F64(struct section, memory_bound, 0, 1, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_END};

static int read_section(const struct config *c, struct mem_walk_case *k, double *bound,
                        struct err *e)
{
    struct section s = {.levels = 4, .memory_bound = 1};
    int rc = config_fill(c, fields, &s, e);
    if (rc)
        return rc;
    *k = (struct mem_walk_case){.working_set = s.working_set,
                                .levels = (unsigned)s.levels,
                                .independent = s.independent,
                                .virtualized = s.host_page != NULL};
    *bound = s.memory_bound;
    rc = page_size_choice(s.page, &k->guest, e);
    return !rc && s.host_page ? page_size_choice(s.host_page, &k->host, e) : rc;
}

static int check(const struct config *c, struct err *e)
{
    struct mem_walk_case k;
    double bound;
    return read_section(c, &k, &bound, e);
}

static int fits(const struct config *c, struct machine_use *use, struct err *e)
{
    (void)c;
    struct mem_walk_costs costs;
    return mem_walk_costs(&costs, use, e);
}

/* How much longer than the same with larger pages (the host's kept). */
static void against(const struct memory_run *m, const struct mem_walk_costs *c,
                    const struct mem_walk_case *k, enum page_size size, const char *name,
                    double access_ns)
{
    struct mem_walk_case larger = *k;
    struct mem_walk_result r;
    larger.guest = size;
    mem_walk(c, &larger, &r);
    measures_number(m->out, name, "1", BETTER_LESS, r.access_ns > 0 ? access_ns / r.access_ns : 1);
}

static int run(const struct memory_run *m, struct err *e)
{
    struct mem_walk_case k;
    struct mem_walk_costs costs;
    struct mem_walk_result r;
    double bound;
    int rc = read_section(m->section, &k, &bound, e);
    if (!rc)
        rc = mem_walk_costs(&costs, m->use, e);
    if (rc)
        return rc;
    uint64_t refs = mem_walk_references(&k);
    if (!refs)
        return err_set(e, ERR_ENOMEM, "memory: out of memory");
    mem_walk(&costs, &k, &r);
    against(m, &costs, &k, PAGE_2M, "against_2m", r.access_ns);
    against(m, &costs, &k, PAGE_1G, "against_1g", r.access_ns);
    measures_number(m->out, "references", "1", BETTER_LESS, (double)refs);
    measures_number(m->out, "references_cached", "1", BETTER_LESS, r.references);
    measures_number(m->out, "tlb1_misses", "1", BETTER_LESS, r.tlb1_miss);
    measures_number(m->out, "walks", "1", BETTER_LESS, r.walks);
    measures_number(m->out, "walk", "ns", BETTER_LESS, r.walk_ns);
    measures_number(m->out, "data", "ns", BETTER_LESS, r.data_ns);
    measures_number(m->out, "access", "ns", BETTER_LESS, r.access_ns);
    measures_number(m->out, "slowdown", "1", BETTER_LESS, 1 + bound * (r.slowdown - 1));
    double whole = r.access_ns > 0 ? r.access_ns : 1;
    measures_number(m->out, "share.memory", "1", BETTER_NONE, r.data_ns / whole);
    measures_number(m->out, "share.walk", "1", BETTER_NONE, 1 - r.data_ns / whole);
    return 0;
}

static bool asks(const struct config *c, enum policy_hook hook)
{
    (void)c, (void)hook;
    return false;
}

const struct memory_part memory_walk = {
    .name = "walk", .needs_machine = true, .check = check, .fits = fits, .asks = asks, .run = run};
