/* What each policy at cluster.place answers where its source states the answer, and FGD against all
 * placements tried one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_load.h"
#include "policies/fragments.h"
#include "sim/rng.h"
#include "tests/policies/guarded.h"

#define MOST 40

static struct policy_node node[MOST];
static struct policy_seat seat[MOST];
static struct policy_seat_obs o;
static const struct policy_ops *ops;
static struct policy *loaded;
static void *self;

static double param(void *host, const char *name, double otherwise)
{
    (void)host, (void)name;
    return otherwise;
}
static void log_line(void *host, const char *line)
{
    (void)host, (void)line;
}
static uint64_t drawn(void *host)
{
    return rng_u64(host);
}
static struct rng stream;
static const struct policy_host host = {
    .host = &stream, .param = param, .log = log_line, .random = drawn};

static void begin(const char *name)
{
    struct err e = {0};
    rng_init(&stream, 1, "test", "place");
    cr_assert_eq(policy_load(&loaded, name, &e), 0, "%s", e.msg);
    ops = policy_ops(loaded);
    cr_assert_eq(ops->create(&self, &host), 0);
    memset(node, 0, sizeof node);
    o = (struct policy_seat_obs){.node = node, .most = 1};
}

static void end(void)
{
    ops->destroy(self);
    policy_unload(loaded);
}

/* One node more: GPUs as a text of tenths that are free, 'X' for a whole one: "X40". */
static struct policy_node *add(const char *gpus, uint32_t cpu_free)
{
    struct policy_node *n = &node[o.n];
    *n = (struct policy_node){.id = o.n,
                              .model = *gpus ? 0 : POLICY_NONE,
                              .gpus = (uint32_t)strlen(gpus),
                              .cpu_milli = 128000,
                              .cpu_free_milli = cpu_free,
                              .mem_bytes = 1000,
                              .mem_free_bytes = 1000};
    for (uint32_t g = 0; g < n->gpus; g++)
        n->gpu_free_milli[g] = gpus[g] == 'X' ? POLICY_MILLI : (uint16_t)(100 * (gpus[g] - '0'));
    o.n++;
    return n;
}

static uint32_t ask(uint32_t gpus, uint32_t milli, uint32_t cpu)
{
    char why[128];
    o.job = (struct policy_job){.gpus = gpus,
                                .gpu_milli = milli,
                                .cpu_milli = cpu,
                                .mem_bytes = 1,
                                .gpu_models = POLICY_ANY_MODEL};
    const uint32_t n = ops->cluster_place(self, &o, seat);
    if (n)
        cr_assert_null(policy_seats_bad(&o, seat, n, why, sizeof why), "%s", why);
    return n;
}

static void expect(uint32_t gpus, uint32_t milli, uint32_t cpu, uint32_t on, uint32_t set)
{
    cr_assert_eq(ask(gpus, milli, cpu), 1);
    cr_expect(seat[0].node == on && seat[0].gpus == set, "%u x %u: node %u, GPUs %x, want %u, %x",
              gpus, milli, seat[0].node, seat[0].gpus, on, set);
}

/* Left over would be 0.5 (96/128 + 7/8), 0.5 (8/128 + 3/8) and 0.5 (120/128 + 0). */
Test(place_policies, best_fit_leaves_least)
{
    begin("best-fit");
    add("XXXXXXXX", 104000);
    add("XXXX", 16000);
    add("X", 128000);
    expect(1, 1000, 8000, 1, 1);
    expect(1, 400, 8000, 1, 1);
    expect(8, 1000, 8000, 0, 255);
    node[1].gpu_free_milli[2] = 500;
    expect(1, 400, 8000, 1, 4); /* the GPU with least room */
    cr_expect_eq(ask(9, 1000, 1), 0);
    end();
}

/* 100 (1 - (c c' + g g') / 2) with CPU and GPU as parts of the largest node's: a job that wants CPU
 * keeps away from nodes with much of it. */
Test(place_policies, dotprod_avoids_what_the_job_wants)
{
    begin("dotprod");
    add("XX", 128000);
    add("XXXXXXXX", 32000);
    expect(1, 1000, 32000, 1, 1); /* .25 x .25 + .125 x 1 against 1 x .25 + .125 x .25 */
    expect(2, 1000, 1000, 0, 3);
    end();
}

Test(place_policies, gpu_clustering_puts_like_beside_like)
{
    begin("gpu-clustering");
    add("XXXX", 64000);
    add("XXX5", 64000)->kinds = 1;
    add("XXX0", 64000)->kinds = 1u << 1;
    add("XX05", 64000)->kinds = 3;
    expect(1, 1000, 1, 2, 1);
    expect(1, 500, 1, 1, 8);
    expect(2, 1000, 1, 0, 3); /* nobody has two: the idle node */
    node[1].cpu_free_milli = node[2].cpu_free_milli = 0;
    expect(1, 1000, 1, 3, 1); /* among others */
    expect(0, 0, 1, 0, 0);
    end();
}

Test(place_policies, gpu_packing_fills_used_gpus_first)
{
    begin("gpu-packing");
    add("XXXX", 64000);
    add("XX", 64000);
    add("X9", 64000);
    add("X6", 64000);
    expect(1, 500, 1, 3, 2); /* least room */
    expect(1, 900, 1, 2, 2);
    expect(1, 1000, 1, 2, 1); /* a free GPU of a used node */
    expect(2, 1000, 1, 1, 3); /* the smaller of the idle nodes: 33 - 2 against 33 - 4 */
    expect(1, 400, 1, 3, 2);
    end();
}

Test(place_policies, random_place_takes_any_that_has_room)
{
    uint32_t seen[4] = {0}, gpu[2] = {0};
    begin("random-place");
    add("X", 64000);
    add("44", 64000);
    add("88", 64000);
    add("X", 10);
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(ask(1, 600, 1000), 1);
        seen[seat[0].node]++;
        gpu[seat[0].gpus >> 1] += seat[0].node == 2;
    }
    cr_expect(seen[0] > 900 && seen[2] > 900 && !seen[1] && !seen[3]);
    cr_expect(gpu[0] > 400 && gpu[1] > 400);
    end();
}

Test(place_policies, pack_racks_stays_in_a_rack_where_it_can)
{
    begin("pack-racks");
    for (uint32_t i = 0; i < 6; i++)
        add(i / 2 == 1 ? "XXX0" : "XXXX", 64000)->rack = i / 2;
    node[4].gpu_free_milli[0] = 0; /* racks have 8, 6 and 7 */
    expect(1, 1000, 1, 2, 1);
    expect(4, 1000, 1, 5, 15); /* no node of rack 1 has four; rack 2 is fuller than 0 */
    o.most = 6;
    cr_assert_eq(ask(5, 1000, 1), 2); /* rack 1 has six, the fewest that are enough */
    cr_expect(node[seat[0].node].rack == 1 && node[seat[1].node].rack == 1);
    cr_assert_eq(ask(7, 1000, 1), 2);
    cr_expect(node[seat[0].node].rack == 2 && node[seat[1].node].rack == 2);
    cr_assert_eq(ask(14, 1000, 1), 4); /* two racks: 8 and, of those enough for the rest, 6 */
    for (int i = 0; i < 4; i++)
        cr_expect(node[seat[i].node].rack != 2);
    cr_expect_eq(ask(22, 1000, 1), 0);
    end();
}

Test(place_policies, what_fits_no_node_is_spread_or_left)
{
    static const char *const all[] = {"best-fit",     "dotprod", "gpu-clustering",  "gpu-packing",
                                      "random-place", "fgd",     "template-cluster"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        begin(all[i]);
        add("XX", 64000);
        add("XXXX", 64000);
        add("X", 64000);
        cr_expect_eq(ask(6, 1000, 6000), 0, "%s", all[i]);
        o.most = 3;
        cr_expect_eq(ask(6, 1000, 6000), 2, "%s", all[i]);
        cr_expect(seat[0].node == 1 && seat[1].node == 0, "%s: most GPUs first", all[i]);
        cr_expect_eq(ask(8, 1000, 6000), 0, "%s", all[i]);
        end();
    }
}

/* ---- FGD ------------------------------------------------------------------------------- */

static const struct policy_demand demand[] = {
    {.gpus = 1, .gpu_milli = 1000, .cpu_milli = 8000, .weight = 50, .gpu_models = POLICY_ANY_MODEL},
    {.gpus = 1, .gpu_milli = 500, .cpu_milli = 4000, .weight = 30, .gpu_models = 1},
    {.cpu_milli = 4000, .weight = 15, .gpu_models = POLICY_ANY_MODEL},
    {.gpus = 4, .gpu_milli = 1000, .cpu_milli = 32000, .weight = 5, .gpu_models = POLICY_ANY_MODEL},
};

/* On a whole GPU half of it becomes a fragment for jobs that want one; beside a half, nothing does.
 */
Test(place_policies, fgd_keeps_gpus_of_use)
{
    begin("fgd");
    o.demand = demand;
    o.n_demand = 4;
    add("XX", 64000);
    add("X5", 64000);
    expect(1, 500, 4000, 1, 2);
    node[1].gpu_free_milli[1] = 0;
    node[1].changes++;
    expect(1, 500, 4000, 0, 1);
    end();
}

/* The score as the paper's code has it, in doubles and with exp. */
static int score(const struct policy_node *n, const struct policy_job *j, uint32_t set)
{
    struct fragments_node f = fragments_node(n);
    const double before = (double)fragments(&f, demand, 4) / 100;
    f.cpu_milli -= j->cpu_milli;
    for (uint32_t g = 0; g < f.gpus; g++)
        f.gpu_milli[g] = (uint16_t)(f.gpu_milli[g] - (set >> g & 1 ? j->gpu_milli : 0));
    const double less = (before - (double)fragments(&f, demand, 4) / 100) / 1000;
    return (int)(100 / (1 + exp(-less)));
}

static bool fits(const struct policy_node *n, uint32_t set)
{
    const struct policy_seat s = {n->id, set};
    char why[128];
    return !policy_seats_bad(&o, &s, 1, why, sizeof why);
}

/* The first of the best, among all nodes and, for a part, all GPUs; whole ones on the first free.
 */
static struct policy_seat best_of_all(const struct policy_job *j)
{
    struct policy_seat best = {POLICY_NONE, 0};
    int most = -1;
    for (uint32_t i = 0; i < o.n; i++) {
        uint32_t first = 0;
        for (uint32_t g = 0, left = j->gpus; g < node[i].gpus && left; g++)
            if (node[i].gpu_free_milli[g] == POLICY_MILLI) {
                first |= 1u << g;
                left--;
            }
        const bool part = j->gpus == 1 && j->gpu_milli < POLICY_MILLI;
        for (uint32_t g = 0; g < (part ? node[i].gpus : 1); g++) {
            const uint32_t set = part ? 1u << g : first;
            if (!fits(&node[i], set) || score(&node[i], j, set) <= most)
                continue;
            most = score(&node[i], j, set);
            best = (struct policy_seat){i, set};
        }
    }
    return best;
}

/* Jobs come and go, so that what it kept of changed nodes must be worked out anew. */
Test(place_policies, fgd_is_the_best_of_all_placements)
{
    struct rng r;
    uint32_t placed = 0;
    begin("fgd");
    o.demand = demand;
    o.n_demand = 4;
    rng_init(&r, 2, "test", "fgd");
    for (int i = 0; i < MOST; i++)
        add(i % 5 ? "XXXX" : i % 2 ? "" : "XXXXXXXX", 1000 * (8 + (uint32_t)rng_below(&r, 90)));
    for (uint32_t i = 0; i < MOST; i++)
        if (node[i].gpus)
            node[i].model = i % 2;
    for (int step = 0; step < 3000; step++) {
        static const uint32_t milli[] = {0, 300, 500, 700, 1000, 1000};
        const uint32_t kind = (uint32_t)rng_below(&r, 6), on = (uint32_t)rng_below(&r, MOST);
        if (rng_below(&r, 4) == 0) { /* somebody left a node */
            for (uint32_t g = 0; g < node[on].gpus; g++)
                node[on].gpu_free_milli[g] = POLICY_MILLI;
            node[on].cpu_free_milli = 60000;
            node[on].changes++;
        }
        const uint32_t n = ask(!kind       ? 0
                               : kind == 5 ? 2
                                           : 1,
                               milli[kind], 1000 * (uint32_t)rng_below(&r, 12));
        const struct policy_seat want = best_of_all(&o.job);
        cr_assert_eq(n, want.node != POLICY_NONE);
        if (!n)
            continue;
        cr_assert(seat[0].node == want.node && seat[0].gpus == want.gpus,
                  "step %d, %u x %u: node %u GPUs %x, want %u, %x", step, o.job.gpus,
                  o.job.gpu_milli, seat[0].node, seat[0].gpus, want.node, want.gpus);
        struct policy_node *at = &node[want.node];
        for (uint32_t g = 0; g < at->gpus; g++)
            if (want.gpus >> g & 1)
                at->gpu_free_milli[g] = (uint16_t)(at->gpu_free_milli[g] - o.job.gpu_milli);
        at->cpu_free_milli -= o.job.cpu_milli;
        at->changes++;
        placed++;
    }
    cr_expect_gt(placed, 1000);
    end();
}
