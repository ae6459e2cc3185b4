/* Page tables are walked for real and counted; TLB reach and residency against simulated LRU. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "models/mem/cache.h"
#include "models/mem/ptable.h"
#include "models/mem/residency.h"
#include "models/mem/walk.h"
#include "sim/rng.h"

/* n guest and m host levels: (n + 1)(m + 1) - 1 references; natively n. */
Test(mem_walk, references_counted_meet_the_formula)
{
    for (unsigned levels = 4; levels <= 5; levels++)
        for (int guest = 0; guest < PAGE_SIZES; guest++) {
            struct mem_walk_case k = {.levels = levels, .guest = (enum page_size)guest};
            unsigned n = levels - (unsigned)guest;
            cr_expect_eq(mem_walk_references(&k), n);
            k.virtualized = true;
            for (int host = 0; host < PAGE_SIZES; host++) {
                k.host = (enum page_size)host;
                unsigned m = levels - (unsigned)host;
                cr_expect_eq(mem_walk_references(&k), (n + 1) * (m + 1) - 1, "%u x %u", n, m);
            }
        }
}

Test(mem_walk, the_published_counts)
{
    struct mem_walk_case k = {.levels = 4};
    cr_expect_eq(mem_walk_references(&k), 4);
    k.virtualized = true;
    cr_expect_eq(mem_walk_references(&k), 24);
    k.guest = k.host = PAGE_2M;
    cr_expect_eq(mem_walk_references(&k), 15);
}

/* 300 pages of mixed sizes at random places, in a guest: every walk ends where it was mapped. */
Test(mem_walk, translations_are_right_in_both_dimensions)
{
    struct rng r;
    rng_init(&r, 5, "test", "ptable");
    struct ptable *host = ptable_new(4, NULL, PAGE_4K), *guest = ptable_new(4, host, PAGE_2M);
    uint64_t at[300], size[300];
    for (int i = 0; i < 300; i++) { /* a gibibyte each, so that sizes cannot meet */
        at[i] = (uint64_t)(i + 1) << 30 | rng_below(&r, 1 << 18) << 12;
        size[i] = rng_below(&r, 3);
        cr_assert(ptable_map(guest, at[i], at[i] + (UINT64_C(400) << 30), (enum page_size)size[i]));
        cr_assert(ptable_map(host, at[i] + (UINT64_C(400) << 30), at[i] + (UINT64_C(800) << 30),
                             PAGE_4K));
    }
    for (int i = 0; i < 300; i++) {
        struct ptable_walk w = {0};
        uint64_t to = 0;
        cr_assert(ptable_walk(guest, at[i] + 123, &to, &w), "page %d", i);
        cr_expect_eq(to, at[i] + (UINT64_C(800) << 30) + 123);
        /* tables of the guest lie on 2 MiB host pages, its data on 4 KiB ones */
        cr_expect_eq(w.refs, (4 - size[i]) * 4 + 4);
    }
    struct ptable_walk w = {0};
    uint64_t to;
    cr_expect_not(ptable_walk(guest, UINT64_C(1) << 45, &to, &w));
    cr_expect_not(ptable_map(guest, at[0], 0, PAGE_4K) && size[0] > 0,
                  "a large page is in the way");
    ptable_free(guest);
    ptable_free(host);
}

/* Che's approximation against an LRU cache that is really simulated: two kinds of lines, one used
 * ten times as often. */
Test(mem_walk, residency_meets_a_simulated_lru_cache)
{
    static const struct {
        uint32_t capacity, few, many;
        double share;
    } cases[] = {{400, 300, 3000, 0.5},
                 {1000, 500, 8000, 0.3},
                 {64, 256, 4096, 0.9},
                 {2000, 100, 3000, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rng r;
        uint64_t hits[2] = {0}, n[2] = {0};
        struct residency_kind k[2] = {{.lines = cases[i].few, .rate = cases[i].share},
                                      {.lines = cases[i].many, .rate = 1 - cases[i].share}};
        uint64_t *stamp = calloc(cases[i].few + cases[i].many, sizeof *stamp);
        uint32_t held = 0;
        rng_init(&r, 3, "test", "lru");
        for (uint64_t t = 1; t <= 60000; t++) {
            int kind = rng_unit(&r) >= cases[i].share;
            uint64_t line =
                kind ? cases[i].few + rng_below(&r, cases[i].many) : rng_below(&r, cases[i].few);
            if (t > 20000)
                n[kind]++, hits[kind] += stamp[line] > 0;
            if (!stamp[line] && held++ == cases[i].capacity) {
                uint64_t oldest = 0;
                for (uint64_t x = 0; x < cases[i].few + cases[i].many; x++)
                    if (stamp[x] && (!stamp[oldest] || stamp[x] < stamp[oldest]))
                        oldest = x;
                stamp[oldest] = 0, held--;
            }
            stamp[line] = t;
        }
        residency(k, 2, cases[i].capacity);
        for (int kind = 0; kind < 2; kind++)
            cr_expect(fabs(k[kind].hit - (double)hits[kind] / (double)n[kind]) < 0.02,
                      "case %zu, kind %d: %.3f, simulated %.3f", i, kind, k[kind].hit,
                      (double)hits[kind] / (double)n[kind]);
        free(stamp);
    }
}

static struct mem_walk_costs costs(void)
{
    return (struct mem_walk_costs){.bytes = {32768, 1 << 20, 32 << 20},
                                   .ns = {1, 4, 20},
                                   .dram_ns = 80,
                                   .tlb = {{64, 32, 4}, {1536, 1536, 16}},
                                   .largest = PAGE_1G,
                                   .tlb2_ns = 2,
                                   .pwc = {0, 32, 4, 2, 2},
                                   .nested_tlb = 16,
                                   .walkers = 2,
                                   .mlp = 10};
}

Test(mem_walk, within_reach_of_the_tlb_translation_is_free)
{
    struct mem_walk_costs c = costs();
    struct mem_walk_case k = {.levels = 4, .working_set = 64 * 4096};
    cr_expect_float_eq(mem_walk_slowdown(&c, &k, 1), 1, 1e-12);
    k.working_set *= 2;
    struct mem_walk_result r;
    mem_walk(&c, &k, &r);
    cr_expect_float_eq(r.tlb1_miss, 0.5, 1e-12);
    cr_expect_eq(r.walks, 0);
}

/* Ordering everybody expects: a guest is slower than native, large pages faster than small, a
 * larger working set slower, and less waiting for memory means less slowdown. */
Test(mem_walk, slowdowns_are_ordered)
{
    struct mem_walk_costs c = costs();
    for (int i = 0; i < 4; i++) {
        double ws = (double)(UINT64_C(64) << 20 << 2 * i);
        struct mem_walk_case native = {.levels = 4, .working_set = ws}, guest = native;
        guest.virtualized = true;
        double n4 = mem_walk_slowdown(&c, &native, 1), g4 = mem_walk_slowdown(&c, &guest, 1);
        guest.host = PAGE_2M;
        double g42 = mem_walk_slowdown(&c, &guest, 1);
        native.guest = guest.guest = PAGE_2M;
        double n2 = mem_walk_slowdown(&c, &native, 1), g2 = mem_walk_slowdown(&c, &guest, 1);
        cr_expect(1 <= n2 && n2 <= g2 && g2 <= g42 && g42 <= g4 && n4 < g42, "%g: %g %g %g %g %g",
                  ws, n2, g2, g42, g4, n4);
        cr_expect_float_eq(mem_walk_slowdown(&c, &guest, 0.3), 1 + 0.3 * (g2 - 1), 1e-12);
        guest.working_set *= 4;
        cr_expect_geq(mem_walk_slowdown(&c, &guest, 1), g2);
    }
}
