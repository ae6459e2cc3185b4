/* test_prefix_blocks.c - the blocks that sequences share, by themselves: against lists, and under
 * every policy that may forget one. */
#include <criterion/criterion.h>

#include "models/serve/prefix.h"
#include "sim/rng.h"
#include "tests/policies/opened.h"

enum { FRAMES = 40, SEQS = 6, HASHES = 90 };

/* The same by arrays: who uses a block, whether it is held, when it was given back. */
struct model {
    uint32_t users[HASHES];
    uint64_t given[HASHES];
    bool held[HASHES];
    uint64_t clock;
    uint32_t n_held, n_idle;
};

struct user {
    uint64_t hash[8];
    uint32_t n;
};

/* Chains by arithmetic: the block after b in chain c is 10 c + depth. */
static void chain(struct user *u, uint64_t c, uint32_t n)
{
    u->n = n;
    for (uint32_t i = 0; i < n; i++)
        u->hash[i] = 10 * c + i;
}

static void forget(struct prefix *p, struct model *m)
{
    uint64_t victim = HASHES;
    for (uint64_t h = 0; h < HASHES; h++)
        if (m->held[h] && !m->users[h] && (victim == HASHES || m->given[h] < m->given[victim]))
            victim = h;
    prefix_evict(p, m->clock);
    m->held[victim] = false;
    m->n_held--;
    m->n_idle--;
}

static void take(struct prefix *p, struct model *m, struct user *u)
{
    uint32_t idle, found = prefix_find(p, u->hash, u->n, &idle), want = 0, want_idle = 0;
    for (; want < u->n && m->held[u->hash[want]]; want++)
        want_idle += m->users[u->hash[want]] == 0;
    cr_assert_eq(found, want);
    cr_assert_eq(idle, want_idle);
    prefix_use(p, u->hash, found);
    m->n_idle -= idle;
    for (uint32_t i = 0; i < u->n; i++) {
        const uint64_t h = u->hash[i];
        if (i >= found) {
            while (m->n_held >= FRAMES && !m->held[h])
                forget(p, m);
            const enum prefix_added added = prefix_add(p, h);
            cr_assert_eq(added, !m->held[h]   ? PREFIX_NEW
                                : m->users[h] ? PREFIX_TWICE
                                              : PREFIX_WOKEN);
            m->n_held += !m->held[h];
            m->n_idle -= m->held[h] && !m->users[h];
            m->held[h] = true;
        }
        m->users[h]++;
    }
}

static void give(struct prefix *p, struct model *m, struct user *u)
{
    uint32_t idle = 0;
    for (uint32_t i = u->n; i-- > 0;) {
        idle += --m->users[u->hash[i]] == 0;
        m->given[u->hash[i]] = ++m->clock;
    }
    cr_assert_eq(prefix_give(p, u->hash, u->n, m->clock), idle);
    m->n_idle += idle;
    u->n = 0;
}

/* Six sequences of at most five blocks never use more than 30 of 40. */
Test(prefix_blocks, blocks_are_held_used_and_forgotten_as_by_lists)
{
    struct opened o;
    struct model m = {0};
    struct user u[SEQS] = {0};
    struct rng g;
    struct prefix_stats s;
    struct prefix *p = prefix_new(FRAMES, 1, opened_policy(&o, "lru"));
    rng_init(&g, 5, "test", "blocks");
    for (int i = 0; i < 20000; i++) {
        struct user *x = &u[rng_below(&g, SEQS)];
        if (x->n) {
            give(p, &m, x);
        } else {
            chain(x, rng_below(&g, 9), 1 + (uint32_t)rng_below(&g, 5));
            take(p, &m, x);
        }
        if (m.n_idle && rng_below(&g, 20) == 0)
            forget(p, &m);
        prefix_stats(p, &s);
        cr_assert_eq(s.held, m.n_held);
        cr_assert_eq(s.idle, m.n_idle);
        if (i % 100 == 0)
            cr_assert(prefix_sound(p));
    }
    cr_expect_gt(s.evicted, 500);
    for (uint64_t h = 0; h < HASHES; h++) /* the very blocks that LRU keeps */
        cr_expect_eq(prefix_find(p, &h, 1, NULL), m.held[h], "block %lu", h);
    prefix_free(p);
    opened_close(&o);
}

Test(prefix_blocks, every_policy_names_a_block_that_nobody_uses)
{
    static const char *const policies[] = {"lfu",    "length-aware", "fifo-cache",  "arc",
                                           "s3fifo", "clock",        "random-evict"};
    for (size_t k = 0; k < sizeof policies / sizeof *policies; k++) {
        struct opened o;
        struct rng g;
        struct prefix_stats s;
        struct user u[SEQS] = {0};
        struct prefix *p = prefix_new(30, 1, opened_policy(&o, policies[k]));
        rng_init(&g, k, "test", "names");
        for (int i = 0; i < 5000; i++) {
            struct user *x = &u[rng_below(&g, SEQS)];
            if (x->n) {
                prefix_give(p, x->hash, x->n, (sim_time)i);
                x->n = 0;
                continue;
            }
            chain(x, rng_below(&g, 9), 1 + (uint32_t)rng_below(&g, 5));
            const uint32_t found = prefix_find(p, x->hash, x->n, NULL);
            prefix_use(p, x->hash, found);
            for (uint32_t d = found; d < x->n; d++) {
                for (prefix_stats(p, &s); s.held >= 30; prefix_stats(p, &s))
                    prefix_evict(p, (sim_time)i); /* asserts that it was idle, by its counts */
                (void)prefix_add(p, x->hash[d]);
            }
            cr_assert(prefix_sound(p), "%s", policies[k]);
        }
        cr_expect_gt(s.evicted, 100, "%s", policies[k]);
        prefix_free(p);
        opened_close(&o);
    }
}
