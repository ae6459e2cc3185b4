/* Random devices with random work, in which nothing may get lost.  A failure names the seed. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/rng.h"
#include "tests/models/gpu_world.h"
#include "tests/sanitized.h"

enum { STREAMS = 16, CONTEXTS = 6, COMMANDS = 400, WAITS = 64 };

struct order { /* number n of stream s comes after number m of stream t */
    uint32_t s, t;
    uint64_t n, m;
};

struct chaos {
    struct gpu_world w;
    struct rng g;
    struct device_context *c[CONTEXTS];
    bool quiet[CONTEXTS]; /* held or stopped */
    struct device_stream *s[STREAMS];
    uint64_t seed, ended[STREAMS], submitted[STREAMS], left, h2d, d2h, kernels, copies, drawn;
    uint32_t n_c, n_s, sms, n_waits;
    bool over;
    struct order wait[WAITS];
    sim_time last[STREAMS]; /* end of its last command */
    struct {
        uint32_t kind;
        sim_time alone, began, ended;
    } done[STREAMS][COMMANDS + 1];
};

static void parts(struct chaos *c)
{
    struct err e = {0};
    uint32_t n, parts = 1 + (uint32_t)rng_below(&c->g, 3);
    for (uint32_t i = 0; i < parts; i++) {
        const struct device_partition_want w = {.sms = parts > 1 ? 30 : 0,
                                                .memory_milli = parts > 1 ? 250 : 0,
                                                .copy_engines = parts > 1 ? 1 : 0};
        cr_assert_eq(device_partition(c->w.d, &w, (enum device_turns)rng_below(&c->g, 3), &n, &e),
                     0);
        c->sms += parts > 1 ? 30 : 100;
    }
    for (uint32_t i = 0; i < c->n_c; i++) {
        const struct device_context_want w = {.partition = (uint32_t)rng_below(&c->g, parts),
                                              .sms_milli = (uint32_t)rng_below(&c->g, 4) * 250,
                                              .timeslice = rng_below(&c->g, 3) * 50 * SIM_US,
                                              .prio = (int32_t)rng_below(&c->g, 2),
                                              .forfeit = rng_below(&c->g, 4) == 0};
        c->c[i] = device_context(c->w.d, &w, &e);
    }
}

static void ended(void *ctx, uint64_t arg);

static struct device_work any_work(struct chaos *c)
{
    struct rng *g = &c->g;
    struct device_work w = {.kind = (enum device_kind)rng_below(g, 2 * DEVICE_KINDS)};
    if (w.kind >= DEVICE_KINDS)
        w.kind = DEVICE_KERNEL;
    w.graph = rng_below(g, 2);
    w.pageable = rng_below(g, 4) == 0;
    w.bytes = w.kind == DEVICE_KERNEL ? 0 : rng_below(g, 1000000);
    if (w.kind != DEVICE_KERNEL)
        return w;
    w.alone = rng_below(g, 10) ? rng_below(g, 200 * SIM_MS) : rng_below(g, 3000);
    w.sms = (uint32_t)rng_below(g, 120);
    w.waves = (uint32_t)rng_below(g, 5);
    w.loads = w.waves && w.sms && w.sms <= 100 && rng_below(g, 2) ? w.waves * w.sms : 0;
    w.bandwidth = (uint32_t)(rng_below(g, 2) * rng_below(g, 1001));
    w.compute = (uint32_t)(rng_below(g, 2) * rng_below(g, 1001));
    w.sms_limit = (uint32_t)(rng_below(g, 4) == 0) * 20;
    return w;
}

static void submit(struct chaos *c, uint32_t i)
{
    if (!c->left || c->submitted[i] == COMMANDS)
        return;
    c->left--;
    const struct device_work w = any_work(c);
    const uint32_t o = (uint32_t)rng_below(&c->g, c->n_s);
    if (!rng_below(&c->g, 5) && c->submitted[o] && c->n_waits < WAITS) {
        c->wait[c->n_waits++] = (struct order){i, o, c->submitted[i] + 1, c->submitted[o]};
        device_wait(c->s[i], c->s[o], c->submitted[o]);
    }
    const uint64_t n = ++c->submitted[i];
    c->done[i][n].kind = w.kind;
    c->done[i][n].alone = w.alone / 1000;
    c->h2d += w.kind == DEVICE_H2D ? w.bytes : 0;
    c->d2h += w.kind == DEVICE_D2H ? w.bytes : 0;
    c->drawn += w.alone / 1000 * w.bandwidth; /* bytes: 1 GB/s is one each ns */
    c->drawn += w.bytes * (w.kind == DEVICE_D2D ? 2 : w.kind == DEVICE_MEMSET);
    const bool copy = w.kind == DEVICE_H2D || w.kind == DEVICE_D2H || w.kind == DEVICE_P2P;
    *(copy ? &c->copies : &c->kernels) += 1;
    const struct device_call call = {.done = ended, .ctx = c, .arg = i};
    cr_assert_eq(device_submit(c->s[i], &w, &call), n);
}

static void act(struct chaos *c)
{
    const uint32_t k = (uint32_t)rng_below(&c->g, c->n_c);
    if (c->over)
        return;
    switch (rng_below(&c->g, 12)) {
    case 0:
        c->quiet[k] = true;
        device_hold(c->c[k], NULL);
        break;
    case 1:
        c->quiet[k] = true;
        device_preempt(c->c[k], NULL);
        break;
    case 2:
        device_context_share(c->c[k], (uint32_t)rng_below(&c->g, 1001), 0);
        break;
    case 3:
    case 4:
    case 5:
        if (c->quiet[k])
            device_resume(c->c[k]);
        c->quiet[k] = false;
        break;
    default:
        submit(c, (uint32_t)rng_below(&c->g, c->n_s));
    }
}

static void ended(void *ctx, uint64_t i)
{
    struct chaos *c = ctx;
    const uint64_t n = ++c->ended[i];
    cr_assert_eq(device_ended(c->s[i]), n, "seed %" PRIu64, c->seed);
    c->done[i][n].began = device_began(c->s[i]);
    c->done[i][n].ended = sim_now(c->w.sim);
    for (uint64_t k = rng_below(&c->g, 3); k; k--)
        act(c);
}

static void poke(void *ctx, uint64_t left)
{
    struct chaos *c = ctx;
    act(c);
    if (left) {
        sim_after(c->w.sim, rng_below(&c->g, 60 * SIM_US), 0, poke, c, left - 1);
        return;
    }
    c->over = true;
    for (uint32_t i = 0; i < c->n_c; i++)
        device_resume(c->c[i]);
}

static void check_order(const struct chaos *c)
{
    for (uint32_t i = 0; i < c->n_s; i++) {
        cr_assert_eq(c->ended[i], c->submitted[i], "seed %" PRIu64 ": stream %u", c->seed, i);
        for (uint64_t n = 1; n <= c->ended[i]; n++) {
            cr_assert_leq(c->done[i][n].began + c->done[i][n].alone, c->done[i][n].ended + 1,
                          "seed %" PRIu64 ": faster than alone", c->seed);
            if (n > 1)
                cr_assert_leq(c->done[i][n - 1].ended, c->done[i][n].began, "seed %" PRIu64,
                              c->seed);
        }
    }
    for (uint32_t i = 0; i < c->n_waits; i++) {
        const struct order *o = &c->wait[i];
        if (o->n <= c->ended[o->s])
            cr_assert_leq(c->done[o->t][o->m].ended, c->done[o->s][o->n].began, "seed %" PRIu64,
                          c->seed);
    }
}

static uint64_t run(uint64_t seed, const struct sim_options *opt)
{
    static struct chaos chaos;
    struct chaos *c = &chaos;
    *c = (struct chaos){.seed = seed, .left = COMMANDS};
    struct device_params p = gpu_params();
    rng_init(&c->g, seed, "test", "gpu");
    p.copy_engines = 3;
    p.gap = rng_below(&c->g, 2) * 1234567;
    p.graph_gap = p.gap / 2;
    p.copy_latency = rng_below(&c->g, 2) * 2 * SIM_MS;
    p.context_switch = rng_below(&c->g, 2) * 20 * SIM_MS;
    p.timeslice = 1000 + rng_below(&c->g, 200) * SIM_MS;
    gpu_world_begin(&c->w, &p, opt);
    c->n_c = 1 + (uint32_t)rng_below(&c->g, CONTEXTS);
    c->n_s = 1 + (uint32_t)rng_below(&c->g, STREAMS);
    parts(c);
    for (uint32_t i = 0; i < c->n_s; i++)
        c->s[i] = gpu_stream(c->c[rng_below(&c->g, c->n_c)], (int32_t)rng_below(&c->g, 3));
    sim_after(c->w.sim, 0, 0, poke, c, 100);
    sim_run(c->w.sim, SIM_NEVER);
    check_order(c);
    struct device_use u;
    device_used(c->w.d, &u);
    cr_assert_eq(u.sm_time + u.sm_idle, sim_now(c->w.sim) * 1000 * c->sms, "seed %" PRIu64, seed);
    cr_assert(u.h2d == c->h2d && u.d2h == c->d2h, "seed %" PRIu64, seed);
    const uint64_t most = u.bytes > c->drawn ? u.bytes : c->drawn;
    cr_assert_leq(2 * most - u.bytes - c->drawn, 2000 * u.kernels, "seed %" PRIu64 ": bytes", seed);
    cr_assert(u.kernels == c->kernels && u.copies == c->copies, "seed %" PRIu64, seed);
    cr_assert_eq(device_free_sms(c->w.d, 0), c->sms == 100 ? 100 : 30);
    const uint64_t print = sim_fingerprint(c->w.sim);
    gpu_world_end(&c->w);
    return print;
}

Test(gpu_device_random, nothing_is_lost, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= (SANITIZED ? 120 : 500); seed++)
        run(seed, NULL);
}

Test(gpu_device_random, the_reference_queue_agrees, .timeout = 120)
{
    const struct sim_options heap = {.queue = SIM_QUEUE_HEAP};
    for (uint64_t seed = 1; seed <= (SANITIZED ? 30 : 100); seed++)
        cr_assert_eq(run(seed, NULL), run(seed, &heap), "seed %" PRIu64, seed);
}

Test(gpu_device_random, nothing_is_lost_in_any_order_of_ties, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= (SANITIZED ? 80 : 300); seed++)
        run(seed, &(struct sim_options){.shuffle_ties = true, .shuffle_seed = seed});
}

/* Several streams of one context, all submitted at one instant by events in any order. */
struct ties {
    struct gpu_world w;
    struct device_stream *s[8];
};

static void submit_tied(void *ctx, uint64_t i)
{
    struct ties *t = ctx;
    for (uint64_t k = 0; k < 3; k++)
        gpu_work(&t->w, t->s[i], 10 * i + k,
                 (struct device_work){.alone = (10 + 7 * i) * SIM_MS,
                                      .sms = 20 + 10 * (uint32_t)i,
                                      .waves = (uint32_t)i % 3,
                                      .bandwidth = 100 * (uint32_t)i});
}

static uint64_t tied(uint64_t shuffle)
{
    struct ties t;
    const struct sim_options opt = {.shuffle_ties = shuffle > 0, .shuffle_seed = shuffle};
    const struct device_params p = gpu_params();
    gpu_world_begin(&t.w, &p, &opt);
    struct device_context *c = gpu_context(&t.w, 0);
    for (uint64_t i = 0; i < 8; i++)
        t.s[i] = gpu_stream(c, i == 5);
    for (uint64_t i = 0; i < 8; i++)
        sim_at(t.w.sim, 1000, 0, submit_tied, &t, i);
    sim_run(t.w.sim, SIM_NEVER);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 8; i++)
        for (uint64_t k = 0; k < 3; k++)
            sum = sum * 1000003 + gpu_ended(&t.w, 10 * i + k);
    gpu_world_end(&t.w);
    return sum;
}

Test(gpu_device_random, the_order_of_submissions_at_one_instant_does_not_matter, .timeout = 60)
{
    const uint64_t first = tied(0);
    for (uint64_t shuffle = 1; shuffle <= 50; shuffle++)
        cr_assert_eq(tied(shuffle), first, "order %" PRIu64, shuffle);
}
