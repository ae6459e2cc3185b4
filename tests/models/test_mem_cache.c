/* The page cache and its policies against reference models written from the papers: the same
 * misses and the same write-backs, to the last one, at eight sizes.  Ties of LFU go to the least
 * recently used, as in libCacheSim; S3-FIFO is its S3FIFOv0.                                   */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/cache.h"
#include "tests/models/mem_reference.h"
#include "tests/policies/opened.h"

/* Pages get numbers that spread, as addresses do. */
static uint64_t number(uint32_t dense)
{
    return UINT64_C(0x7f0000000) + (uint64_t)dense * 7919;
}

static struct mem_access *accesses(const struct page_trace *t)
{
    struct mem_access *a = malloc(t->n * sizeof *a);
    uint64_t *seen = malloc(t->pages * sizeof *seen);
    for (uint32_t p = 0; p < t->pages; p++)
        seen[p] = UINT64_MAX;
    for (size_t i = t->n; i-- > 0;) {
        uint64_t later = seen[t->page[i]];
        a[i] = (struct mem_access){.page = number(t->page[i]),
                                   .write = t->write[i],
                                   .next = later == UINT64_MAX ? later : later - i};
        seen[t->page[i]] = i;
    }
    free(seen);
    return a;
}

static struct mem_cache_stats replay(const char *policy, const struct mem_access *a, size_t n,
                                     uint32_t frames)
{
    struct opened o;
    struct mem_cache_stats s;
    opened_policy(&o, policy);
    struct mem_cache *c = mem_cache_new(frames, &o.slot);
    mem_cache_replay(c, a, n);
    mem_cache_stats(c, &s);
    cr_expect(mem_cache_sound(c));
    mem_cache_free(c);
    opened_close(&o);
    return s;
}

static uint64_t same_counts(const char *name, const struct page_trace *t)
{
    static const uint32_t percent[] = {1, 2, 5, 10, 20, 40, 60, 80};
    struct mem_access *a = accesses(t);
    uint64_t compared = 0;
    for (const char *const *p = reference_policies; *p; p++)
        for (int i = 0; i < 8; i++) {
            uint32_t frames = t->pages * percent[i] / 100 ? t->pages * percent[i] / 100 : 1;
            struct mem_cache_stats ours = replay(*p, a, t->n, frames);
            struct reference_count want = reference_replay(*p, t, frames);
            cr_expect_eq(ours.misses, want.misses, "%s, %s, %u frames: %lu misses, want %lu", name,
                         *p, frames, ours.misses, want.misses);
            if (!strcmp(*p, "belady"))
                continue; /* which of two pages that are never used again goes is free to choose */
            cr_expect_eq(ours.writebacks, want.writebacks,
                         "%s, %s, %u frames: %lu write-backs, want %lu", name, *p, frames,
                         ours.writebacks, want.writebacks);
            compared += ours.accesses;
        }
    free(a);
    return compared;
}

#define ON_TRACE(fn, name)                                                                         \
    Test(mem_cache, ramulator_##fn##_same_misses_as_the_reference)                                 \
    {                                                                                              \
        struct page_trace t;                                                                       \
        if (page_trace_ramulator(&t, name))                                                        \
            cr_skip_test("no spec2006-memtraces/" name ".gz");                                     \
        cr_expect_gt(same_counts(name, &t), 0);                                                    \
        page_trace_free(&t);                                                                       \
    }
ON_TRACE(gcc, "403.gcc")
ON_TRACE(namd, "444.namd")
ON_TRACE(dealII, "447.dealII")

#define ON_SYNTHETIC(kind)                                                                         \
    Test(mem_cache, synthetic_##kind##_same_misses_as_the_reference)                               \
    {                                                                                              \
        struct page_trace t;                                                                       \
        page_trace_make(&t, #kind, 400, 30000, 7);                                                 \
        cr_expect_gt(same_counts(#kind, &t), 0);                                                   \
        page_trace_free(&t);                                                                       \
    }
ON_SYNTHETIC(uniform)
ON_SYNTHETIC(zipf)
ON_SYNTHETIC(loop)
ON_SYNTHETIC(mix)

/* The example in every textbook: FIFO with 3 frames misses 9 times, with 4 frames 10 times. */
Test(mem_cache, belady_anomaly_of_fifo)
{
    static const uint32_t pages[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    struct mem_access a[12];
    for (int i = 0; i < 12; i++)
        a[i] = (struct mem_access){.page = pages[i], .next = UINT64_MAX};
    cr_expect_eq(replay("fifo-cache", a, 12, 3).misses, 9);
    cr_expect_eq(replay("fifo-cache", a, 12, 4).misses, 10);
    cr_expect_eq(replay("lru", a, 12, 3).misses, 10);
    cr_expect_eq(replay("lru", a, 12, 4).misses, 8);
}

/* Silberschatz's reference string: optimal 9 faults, FIFO 15, LRU 12 with three frames. */
Test(mem_cache, the_reference_string_of_the_textbook)
{
    static const uint32_t s[] = {7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1};
    struct page_trace t = {.n = 20, .pages = 8};
    uint8_t write[20] = {0};
    t.page = (uint32_t *)s;
    t.write = write;
    struct mem_access *a = accesses(&t);
    cr_expect_eq(replay("belady", a, 20, 3).misses, 9);
    cr_expect_eq(replay("fifo-cache", a, 20, 3).misses, 15);
    cr_expect_eq(replay("lru", a, 20, 3).misses, 12);
    free(a);
}

Test(mem_cache, without_a_policy_the_hand_is_fifo)
{
    struct page_trace t;
    page_trace_make(&t, "zipf", 300, 20000, 3);
    struct mem_access *a = accesses(&t);
    struct mem_cache *c = mem_cache_new(40, NULL);
    struct mem_cache_stats s;
    mem_cache_replay(c, a, t.n);
    mem_cache_stats(c, &s);
    cr_expect_eq(s.misses, reference_replay("fifo-cache", &t, 40).misses);
    mem_cache_free(c);
    free(a);
    page_trace_free(&t);
}

/* Frames are taken and given back in any order, under every policy: none is lost or doubled. */
Test(mem_cache, frames_are_conserved_while_pages_are_removed)
{
    for (uint32_t round = 0; round < 210; round++) {
        const char *policy = reference_policies[round % 7];
        struct opened o;
        opened_policy(&o, policy);
        uint64_t s = round + 1;
        uint32_t frames = 1 + (round * 37) % 120, pages = 2 * frames + 5;
        struct mem_cache *c = mem_cache_new(frames, &o.slot);
        for (uint64_t i = 0; i < 3000; i++) {
            s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            struct mem_access a = {.page = (s >> 33) % pages, .write = s >> 63, .next = 1 + s % 99};
            if ((s >> 20) % 7 == 0)
                mem_cache_remove(c, a.page, i);
            else if ((s >> 20) % 7 == 1)
                mem_cache_fetch(c, a.page, i);
            else
                mem_cache_access(c, &a, i);
            cr_assert(mem_cache_held(c) <= frames);
            if (i % 500 == 499)
                cr_assert(mem_cache_sound(c), "%s, round %u, after %lu", policy, round, i);
        }
        mem_cache_free(c);
        opened_close(&o);
    }
}
