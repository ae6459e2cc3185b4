/* Tiers against closed forms and other people's formulas, and frames against loss. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "models/mem/tiers.h"
#include "sim/rng.h"
#include "tests/policies/opened.h"

static struct mem_tiers_config two(uint64_t fast, uint64_t slow)
{
    return (struct mem_tiers_config){
        .n = 2,
        .tier = {{.pages = fast, .latency_ns = 50, .bytes_per_ns = 10},
                 {.pages = slow, .latency_ns = 150, .bytes_per_ns = 3.7}},
        .period_ns = 3000,
        .migrate_ns = 1000,
        .swap_ns = 70000};
}

/* M/D/1: mean wait = rho S / 2 (1 - rho).  Poisson accesses to one tier, a line each. */
Test(mem_tiers, bandwidth_queue_meets_m_d_1)
{
    static const double rhos[] = {0.3, 0.6, 0.8};
    for (int i = 0; i < 3; i++) {
        struct mem_tiers_config c = {.n = 1, .open = true};
        c.tier[0] = (struct mem_tier){.pages = 4, .latency_ns = 80, .bytes_per_ns = 0.064};
        struct mem_tiers *t = mem_tiers_new(&c, NULL); /* a line takes 1000 ns */
        struct rng r;
        rng_init(&r, 1, "test", "arrivals");
        double now = 0;
        for (int k = 0; k < 400000; k++) {
            now += rng_exponential(&r, 1000 / rhos[i]);
            mem_tiers_touch(t, 1, false, 1, (uint64_t)now);
        }
        struct mem_tiers_stats s;
        mem_tiers_stats(t, &s);
        double want = rhos[i] * 1000 / (2 * (1 - rhos[i]));
        cr_expect(fabs(s.queue_ns / 400000 / want - 1) < 0.03, "rho %g: %.1f, want %.1f", rhos[i],
                  s.queue_ns / 400000, want);
        mem_tiers_free(t);
    }
}

/* The load's closed form with residual S / 2 is M/D/1, with S it is M/M/1: as simulated above and
 * in sim/station.h. */
Test(mem_tiers, wait_under_load_is_pollaczek_khinchine)
{
    struct mem_tier t = {.bytes_per_ns = 10, .load = 6, .residual_ns = 3.2};
    cr_expect_float_eq(mem_tiers_wait(&t), 0.6 / 0.4 * 3.2, 1e-12);
    t.load = 0;
    cr_expect_eq(mem_tiers_wait(&t), 0);
}

/* Kleio's simulator, runtime = hits x fast + misses x slow + periods x 3 us + migrations x 1 us +
 * what goes over the slow tier's bandwidth; the fast tier's is made infinite, as there.  The
 * counts come from a walk of our own: no policy, first touch. */
Test(mem_tiers, runtime_meets_the_formula_of_kleios_simulator)
{
    struct mem_tiers_config c = two(40, 100);
    c.tier[0].bytes_per_ns = 1e18;
    struct mem_tiers *t = mem_tiers_new(&c, NULL);
    struct rng r;
    rng_init(&r, 2, "test", "pages");
    uint64_t order[140], known = 0, hits = 0, misses = 0;
    for (int i = 0; i < 50000; i++) {
        uint64_t page = rng_below(&r, 140), at = 0;
        while (at < known && order[at] != page)
            at++;
        if (at == known)
            order[known++] = page;
        *(at < 40 ? &hits : &misses) += 1;
        mem_tiers_touch(t, page, i % 3 == 0, 1, (uint64_t)i);
    }
    struct mem_tiers_stats s;
    mem_tiers_stats(t, &s);
    double slow = 150 + 64 / 3.7;
    double want = (double)hits * 50 + (double)misses * slow;
    cr_expect_eq(s.touched[0], hits);
    cr_expect_eq(s.touched[1], misses);
    cr_expect(fabs(s.memory_ns / want - 1) < 1e-9, "%.0f, want %.0f", s.memory_ns, want);
    cr_expect_eq(s.queue_ns + s.migrate_ns + s.swap_ns, 0);
    mem_tiers_free(t);
}

/* ---- with policies ---- */

/* A hot set that moves every phase; total time, counted against the formula as well. */
static double phases(const char *policy, uint64_t seed)
{
    enum { PERIOD = 2000, PERIODS = 60, PAGES = 800, HOT = 60 };
    struct opened o;
    struct mem_tiers_config c = two(80, 2000);
    if (policy)
        opened_policy(&o, policy);
    struct mem_tiers *t = mem_tiers_new(&c, policy ? &o.slot : NULL);
    struct rng r;
    uint64_t block[PERIOD];
    rng_init(&r, seed, "test", "phases");
    for (int p = 0; p < PERIODS; p++) {
        for (int i = 0; i < PERIOD; i++)
            block[i] = rng_unit(&r) < 0.9 ? (uint64_t)(p / 10 * HOT) + rng_below(&r, HOT)
                                          : rng_below(&r, PAGES);
        for (int i = 0; p && i < PERIOD; i++)
            mem_tiers_expect(t, block[i], 1);
        if (p)
            mem_tiers_period(t, (uint64_t)p);
        for (int i = 0; i < PERIOD; i++)
            mem_tiers_touch(t, block[i], false, 1, 0);
    }
    struct mem_tiers_stats s;
    mem_tiers_stats(t, &s);
    cr_expect(mem_tiers_sound(t));
    double migrate =
        (policy ? (double)s.periods * 3000 : 0) + (double)s.migrations * (1000 + 4096 / 3.7);
    cr_expect_float_eq(s.migrate_ns, migrate, 1e-3 * migrate + 1);
    mem_tiers_free(t);
    if (policy)
        opened_close(&o);
    return s.memory_ns + s.migrate_ns + s.swap_ns;
}

Test(mem_tiers, oracle_beats_history_beats_nothing_where_a_hot_set_moves)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        double none = phases(NULL, seed), history = phases("place-history", seed),
               oracle = phases("place-oracle", seed);
        cr_expect(oracle < history && history < none, "seed %lu: %.0f %.0f %.0f", seed, oracle,
                  history, none);
    }
}

/* 210 random machines and workloads: frames are neither lost nor doubled, tiers not overfull,
 * every access is on one tier, and time is never negative. */
Test(mem_tiers, frames_are_conserved_on_random_machines)
{
    static const char *const policies[] = {NULL, "place-history", "place-oracle"};
    for (uint64_t seed = 1; seed <= 210; seed++) {
        struct rng r;
        struct opened o;
        rng_init_indexed(&r, 9, "test", "machines", seed);
        struct mem_tiers_config c = {.n = 1 + (uint32_t)rng_below(&r, TIERS_MAX)};
        for (uint32_t i = 0; i < c.n; i++)
            c.tier[i] = (struct mem_tier){.pages = 1 + rng_below(&r, 60),
                                          .latency_ns = 50 + 100 * i,
                                          .bytes_per_ns = 1 + rng_unit(&r)};
        c.first = (enum tier_first)rng_below(&r, 3);
        c.open = rng_below(&r, 2), c.migrate_ns = 10, c.swap_ns = 100;
        const char *policy = policies[seed % 3];
        if (policy)
            opened_policy(&o, policy);
        struct mem_tiers *t = mem_tiers_new(&c, policy ? &o.slot : NULL);
        uint64_t pages = 1 + rng_below(&r, 200), now = 0, count = 0;
        for (int i = 0; i < 1500; i++) {
            uint32_t n = 1 + (uint32_t)rng_below(&r, 3);
            now += rng_below(&r, 100);
            mem_tiers_touch(t, rng_below(&r, pages), rng_below(&r, 2), n, now);
            count += n;
            if (rng_below(&r, 50) == 0) {
                for (int k = 0; k < 20; k++)
                    mem_tiers_expect(t, rng_below(&r, pages), 1);
                mem_tiers_period(t, now);
                cr_assert(mem_tiers_sound(t), "seed %lu", seed);
            }
        }
        struct mem_tiers_stats s;
        mem_tiers_stats(t, &s);
        cr_assert(mem_tiers_sound(t), "seed %lu", seed);
        uint64_t touched = 0;
        for (uint32_t i = 0; i < c.n; i++)
            touched += s.touched[i];
        cr_assert_eq(touched, count);
        cr_assert(s.accesses == count && s.queue_ns >= 0 && s.memory_ns > 0);
        mem_tiers_free(t);
        if (policy)
            opened_close(&o);
    }
}
