#include "models/mem/walk.h"

#include <stdio.h>

#include "models/mem/residency.h"

/* ---- the profile ---- */

static int ns_of(struct machine_use *use, const char *name, double *ns, struct err *e)
{
    sim_cost ps = 0;
    int rc = machine_ps(use, name, &ps, e);
    *ns = (double)ps / 1e3;
    return rc;
}

static int caches(struct mem_walk_costs *c, struct machine_use *use, struct err *e)
{
    int rc = ns_of(use, "memory.local.latency", &c->dram_ns, e);
    for (int i = 0; !rc && i < WALK_CACHES; i++) {
        char name[48];
        snprintf(name, sizeof name, "memory.cache.l%d.size", i + 1);
        rc = machine_value(use, name, QUANTITY_BYTES, &c->bytes[i], e);
        snprintf(name, sizeof name, "memory.cache.l%d.latency", i + 1);
        if (!rc)
            rc = ns_of(use, name, &c->ns[i], e);
    }
    return rc;
}

static int tlbs(struct mem_walk_costs *c, struct machine_use *use, struct err *e)
{
    static const char *const sizes[] = {"4k", "2m", "1g"};
    int rc = 0;
    for (int level = 0; level < 2; level++)
        for (int size = 0; !rc && size < PAGE_SIZES; size++) {
            char name[48];
            snprintf(name, sizeof name, "memory.tlb.l%d_%s", level + 1, sizes[size]);
            rc = machine_value(use, name, QUANTITY_COUNT, &c->tlb[level][size], e);
        }
    if (!rc)
        rc = ns_of(use, "memory.tlb.l2_latency", &c->tlb2_ns, e);
    double bytes = 0;
    if (!rc)
        rc = machine_value(use, "memory.tlb.largest", QUANTITY_BYTES, &bytes, e);
    c->largest = bytes >= 0x1p30 ? PAGE_1G : bytes >= 0x1p21 ? PAGE_2M : PAGE_4K;
    return rc;
}

int mem_walk_costs(struct mem_walk_costs *c, struct machine_use *use, struct err *e)
{
    const struct {
        const char *name;
        double *to;
    } counts[] = {{"memory.walk.pde", &c->pwc[1]},      {"memory.walk.pdpte", &c->pwc[2]},
                  {"memory.walk.pml4e", &c->pwc[3]},    {"memory.walk.nested_tlb", &c->nested_tlb},
                  {"memory.walk.walkers", &c->walkers}, {"memory.walk.mlp", &c->mlp}};
    *c = (struct mem_walk_costs){0};
    int rc = caches(c, use, e);
    if (!rc)
        rc = tlbs(c, use, e);
    if (!rc)
        rc = ns_of(use, "memory.walk.start", &c->start_ns, e);
    for (size_t i = 0; !rc && i < sizeof counts / sizeof *counts; i++)
        rc = machine_value(use, counts[i].name, QUANTITY_COUNT, counts[i].to, e);
    c->pwc[4] = c->pwc[3];
    return rc;
}

int page_size_choice(const struct config *c, enum page_size *out, struct err *e)
{
    static const char *const names[] = {"4k", "2m", "1g", NULL};
    int choice = 0;
    int rc = config_choice(c, names, &choice, e);
    *out = (enum page_size)choice;
    return rc;
}

/* ---- which references a walk makes ---- */

enum { KINDS_MAX = 1 + 3 * WALK_LEVELS_MAX };

/* Kind 0 is the data; each level of the tables is one more. */
struct model {
    const struct mem_walk_costs *c;
    struct residency_kind kind[KINDS_MAX];
    int kinds;
};

static double at_most_one(double x)
{
    return x < 1 ? x : 1;
}

/* Pages, at least one. */
static double spans(double bytes, unsigned shift)
{
    double n = bytes / (double)(UINT64_C(1) << shift);
    return n > 1 ? n : 1;
}

static void add_level(struct model *m, double entries, double rate)
{
    double lines = entries / 8;
    m->kind[m->kinds++] =
        (struct residency_kind){.lines = lines > 1 ? lines : 1, .rate = rate > 0 ? rate : 0};
}

/* One dimension: references per walk, by level.  A level above the leaf is read only when the
 * paging-structure caches know nothing at it or below. */
static double dimension(struct model *m, double bytes, enum page_size size, unsigned levels,
                        double walks)
{
    double unknown = 1, refs = 0;
    unsigned leaf = 1 + (unsigned)size;
    for (unsigned level = leaf; level <= levels; level++) {
        double entries = spans(bytes, 12 + 9 * (level - 1));
        if (level > leaf)
            unknown *= 1 - at_most_one(m->c->pwc[level - 1] / entries);
        refs += unknown;
        add_level(m, entries, walks * unknown);
    }
    return refs;
}

/* Time of a reference of a kind, by where it is found. */
static void locate(struct model *m, double *ns)
{
    double before[KINDS_MAX] = {0};
    for (int k = 0; k < m->kinds; k++)
        ns[k] = 0;
    for (int i = 0; i < WALK_CACHES; i++) {
        residency(m->kind, m->kinds, m->c->bytes[i] / 64);
        for (int k = 0; k < m->kinds; k++) {
            double here = m->kind[k].hit > before[k] ? m->kind[k].hit - before[k] : 0;
            ns[k] += here * m->c->ns[i];
            before[k] += here;
        }
    }
    for (int k = 0; k < m->kinds; k++)
        ns[k] += (1 - before[k]) * m->c->dram_ns;
}

/* How often the nested TLB does not know the host's page of the data, and of an entry of the
 * guest's tables; both compete for it. */
static void nested(const struct mem_walk_costs *c, const struct mem_walk_case *k, double guest,
                   double *data, double *table)
{
    double tables = spans(k->working_set, PAGE_SHIFT(k->guest)) * 8;
    struct residency_kind kind[2] = {
        {.lines = spans(k->working_set, PAGE_SHIFT(k->host)), .rate = 1},
        {.lines = spans(tables, PAGE_SHIFT(k->host)), .rate = guest}};
    residency(kind, 2, c->nested_tlb);
    *data = 1 - kind[0].hit;
    *table = guest * (1 - kind[1].hit);
}

static void walks_of(struct model *m, const struct mem_walk_case *k, struct mem_walk_result *r)
{
    double ns[KINDS_MAX], data = 0, table = 0;
    r->references = dimension(m, k->working_set, k->guest, k->levels, r->walks);
    if (k->virtualized) {
        double tables = spans(k->working_set, PAGE_SHIFT(k->guest)) * 8;
        nested(m->c, k, r->references, &data, &table);
        r->references += data * dimension(m, k->working_set, k->host, k->levels, r->walks * data);
        r->references += table * dimension(m, tables, k->host, k->levels, r->walks * table);
    }
    locate(m, ns);
    r->walk_ns = m->c->start_ns;
    for (int i = 1; i < m->kinds && r->walks > 0; i++)
        r->walk_ns += ns[i] * m->kind[i].rate / r->walks;
    r->data_ns = ns[0];
}

void mem_walk(const struct mem_walk_costs *c, const struct mem_walk_case *k,
              struct mem_walk_result *r)
{
    struct model m = {.c = c, .kinds = 1};
    enum page_size covered = k->virtualized && k->host < k->guest ? k->host : k->guest;
    covered = covered < c->largest ? covered : c->largest;
    double pages = spans(k->working_set, PAGE_SHIFT(covered));
    double first = at_most_one(c->tlb[0][covered] / pages);
    double second = at_most_one(c->tlb[1][covered] / pages);
    *r = (struct mem_walk_result){.tlb1_miss = 1 - first};
    r->walks = 1 - (first > second ? first : second);
    m.kind[0] = (struct residency_kind){.lines = k->working_set / 64, .rate = 1};
    walks_of(&m, k, r);
    double tlb2 = (r->tlb1_miss - r->walks) * c->tlb2_ns, walk = r->walks * r->walk_ns;
    double data = k->independent ? r->data_ns / c->mlp : r->data_ns;
    r->data_ns = data;
    if (k->independent)
        r->access_ns = walk / c->walkers > data ? walk / c->walkers : data;
    else
        r->access_ns = data + tlb2 + walk;
    r->slowdown = data > 0 ? r->access_ns / data : 1;
}

double mem_walk_slowdown(const struct mem_walk_costs *c, const struct mem_walk_case *k,
                         double memory_bound)
{
    struct mem_walk_result r;
    mem_walk(c, k, &r);
    return 1 + memory_bound * (r.slowdown - 1);
}

/* ---- counted ---- */

uint64_t mem_walk_references(const struct mem_walk_case *k)
{
    const uint64_t from = UINT64_C(0x2345678000),
                   in_page = UINT64_MAX >> (64 - PAGE_SHIFT(k->guest));
    const uint64_t to = UINT64_C(0x140000000) | (from & in_page);
    struct ptable *host = k->virtualized ? ptable_new(k->levels, NULL, PAGE_4K) : NULL;
    struct ptable *guest = ptable_new(k->levels, host, k->host);
    struct ptable_walk w = {0};
    uint64_t end;
    bool good = guest && (host || !k->virtualized) && ptable_map(guest, from, to, k->guest);
    if (good && host)
        good = ptable_map(host, to, UINT64_C(0x980000000), k->host);
    good = good && ptable_walk(guest, from, &end, &w);
    ptable_free(guest);
    ptable_free(host);
    return good ? w.refs : 0;
}
