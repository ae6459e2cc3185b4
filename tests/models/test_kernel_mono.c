/* test_kernel_mono.c - the monolithic kernel loses no time and no wake-up. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "models/kernel/mono.h"
#include "sim/rng.h"

struct chatter {
    uint32_t id, left, n;
    uint64_t *posted, *waited, *computed;
    struct rng *rng;
};

static void chat(void *ctx, struct mono_task *t, struct mono_op *next)
{
    struct chatter *c = ctx;
    (void)t;
    if (!c->left--)
        return;
    uint32_t channel = 1 + c->left % c->n;
    if (c->id) { /* one waits for all that the others post */
        channel = 1 + c->id % c->n;
        ++*c->posted;
        *next = (struct mono_op){.op = MONO_POST, .channel = channel};
        if (rng_below(c->rng, 2)) {
            --*c->posted;
            *next = (struct mono_op){.op = MONO_COMPUTE, .ns = 1 + rng_below(c->rng, 9000)};
            *c->computed += next->ns;
        }
        return;
    }
    ++*c->waited;
    c->left++;
    *next = (struct mono_op){.op = MONO_WAIT, .channel = 1};
}

Test(kernel_mono, the_monolithic_kernel_loses_nothing)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct rng rng;
        rng_init_indexed(&rng, 3, "test", "mono", seed);
        struct mono_prims p;
        for (int i = 0; i < MONO_PRIMS_N; i++)
            p.ps[i] = 100000 + rng_below(&rng, 900000);
        uint32_t cores = 1 + (uint32_t)rng_below(&rng, 4);
        uint64_t posted = 0, waited = 0, computed = 0;
        struct sim *s = sim_new(NULL);
        struct mono *m = mono_new(s, &p, cores);
        cr_assert_eq(mono_channel(m, MONO_PIPE), 1);
        struct chatter c[6];
        for (uint32_t i = 0; i < 6; i++) {
            c[i] = (struct chatter){i, 50, 1, &posted, &waited, &computed, &rng};
            mono_task(m, (uint32_t)rng_below(&rng, cores), chat, &c[i]);
        }
        for (int i = 0; i < 20; i++) {
            sim_run(s, 40000 * (sim_time)(i + 1));
            mono_irq(m, (uint32_t)rng_below(&rng, cores), 1);
            posted++;
        }
        sim_run(s, SIM_SEC);
        struct mono_times t = mono_times(m);
        cr_expect_eq(t.user + t.kernel + t.idle, SIM_SEC * cores, "system %lu", seed);
        cr_expect_eq(t.user, computed, "system %lu", seed);
        cr_expect_eq(waited, posted + 1, "system %lu: %lu waits for %lu posts", seed, waited,
                     posted); /* the last wait goes on */
        mono_free(m);
        sim_free(s);
    }
}
