/* The guard at cluster.place: only seats that the job has room on, and the default behind it. */
#include <criterion/criterion.h>

#include "tests/policies/guarded.h"

static struct policy_seat said[3];
static uint32_t n_said;
static uint64_t told;
static const uint64_t *told_ends;

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    told = o->job.oracle_ns;
    told_ends = o->oracle_ends_ns;
    for (uint32_t i = 0; i < n_said && i < o->most; i++)
        seat[i] = said[i];
    return n_said;
}

static const struct policy_ops plain = {
    .name = "place", .create = guarded_create, .destroy = guarded_destroy, .cluster_place = place};
static const struct policy_ops oracle = {.name = "place-oracle",
                                         .oracle = 1,
                                         .create = guarded_create,
                                         .destroy = guarded_destroy,
                                         .cluster_place = place};

static const struct policy_node node[] = {
    {.id = 0,
     .model = 0,
     .gpus = 2,
     .cpu_milli = 8000,
     .cpu_free_milli = 8000,
     .mem_bytes = 99,
     .mem_free_bytes = 99,
     .gpu_free_milli = {1000, 400}},
    {.id = 1,
     .model = POLICY_NONE,
     .cpu_milli = 8000,
     .cpu_free_milli = 8000,
     .mem_bytes = 99,
     .mem_free_bytes = 99},
    {.id = 2,
     .model = 1,
     .gpus = 4,
     .cpu_milli = 8000,
     .cpu_free_milli = 500,
     .mem_bytes = 99,
     .mem_free_bytes = 9,
     .gpu_free_milli = {1000, 1000, 1000, 1000}},
};
static struct policy_seat_obs obs(uint32_t gpus, uint32_t milli, uint32_t cpu)
{
    return (struct policy_seat_obs){.job = {.gpus = gpus,
                                            .gpu_milli = milli,
                                            .cpu_milli = cpu,
                                            .mem_bytes = 8,
                                            .gpu_models = POLICY_ANY_MODEL,
                                            .oracle_ns = 77},
                                    .cluster = {.now_ns = 5},
                                    .n = 3,
                                    .node = node,
                                    .most = 2};
}

struct answer {
    uint32_t gpus, milli, cpu, n;
    struct policy_seat seat[3];
    const char *text; /* NULL: it is good */
};
static const struct answer answers[] = {
    {1, 400, 100, 1, {{0, 2}}, NULL},
    {1, 1000, 100, 1, {{2, 8}}, NULL},
    {0, 0, 100, 1, {{1, 0}}, NULL},
    {4,
     1000,
     1000,
     2,
     {{0, 1}, {2, 7}},
     "cluster_place answered node 2 with 500/1000 CPUs and 9 bytes free, want 750 and 6"},
    {3, 1000, 600, 2, {{0, 1}, {2, 3}}, NULL},
    {1, 400, 100, 0, {{0, 0}}, NULL},
    {1, 400, 100, 1, {{3, 1}}, "cluster_place answered node 3, want one of 3"},
    {1, 400, 100, 1, {{1, 1}}, "cluster_place answered GPU set 0x1 of node 1, which has 0"},
    {1, 400, 100, 1, {{0, 4}}, "cluster_place answered GPU set 0x4 of node 0, which has 2"},
    {1, 400, 100, 1, {{0, 0}}, "cluster_place answered no GPU of node 0, want some"},
    {0, 0, 100, 1, {{0, 1}}, "cluster_place answered GPUs of node 0 for a job that has none"},
    {1,
     401,
     100,
     1,
     {{0, 2}},
     "cluster_place answered GPU 1 of node 0, which has 400/1000 free, want 401"},
    {1, 1000, 100, 1, {{2, 3}}, "cluster_place answered 2 GPUs, want 1"},
    {3, 1000, 0, 1, {{2, 3}}, "cluster_place answered 2 GPUs on 1 nodes, want 3"},
    {2, 1000, 0, 2, {{2, 1}, {2, 2}}, "cluster_place answered node 2 twice"},
    {2, 1000, 0, 3, {{2, 1}, {2, 2}}, "cluster_place answered 3 seats, want at most 2"},
    {0,
     0,
     501,
     1,
     {{2, 0}},
     "cluster_place answered node 2 with 500/1000 CPUs and 9 bytes free, want 501 and 8"},
};

Test(guard_place, every_seat_is_checked)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *a = &answers[i];
        const struct policy_seat_obs o = obs(a->gpus, a->milli, a->cpu);
        struct policy_slot p = guarded(&plain);
        struct policy_seat seat[2];
        uint32_t n = 9;
        memcpy(said, a->seat, sizeof said);
        n_said = a->n;
        cr_expect_eq(policy_slot_seat(&p, &o, seat, &n), !a->text, "answer %zu", i);
        if (a->text) {
            guarded_expect(&p, 1, 5, a->text);
            cr_expect_not(policy_slot_seat(&p, &o, seat, &n), "asked after its ejection");
        } else {
            cr_expect_eq(n, a->n);
            guarded_expect_none(&p);
        }
        guarded_end(&p);
    }
}

Test(guard_place, gpus_of_another_model_are_no_answer)
{
    struct policy_slot p = guarded(&plain);
    struct policy_seat_obs o = obs(1, 1000, 0);
    struct policy_seat seat[2];
    uint32_t n;
    o.job.gpu_models = 1;
    said[0] = (struct policy_seat){2, 1};
    n_said = 1;
    cr_expect_not(policy_slot_seat(&p, &o, seat, &n));
    guarded_expect(&p, 1, 5,
                   "cluster_place answered node 2, whose GPUs are not of the models that the "
                   "job runs on");
    guarded_end(&p);
}

Test(guard_place, only_an_oracle_is_told_how_long)
{
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    static const uint64_t ends[3] = {9, 8, 0};
    struct policy_seat_obs o = obs(1, 1000, 0);
    struct policy_seat seat[2];
    uint32_t n;
    o.oracle_ends_ns = ends;
    n_said = 0;
    cr_expect(policy_slot_seat(&p, &o, seat, &n));
    cr_expect_eq(told, 0);
    cr_expect_null(told_ends);
    cr_expect(policy_slot_seat(&q, &o, seat, &n));
    cr_expect_eq(told, 77);
    cr_expect_eq(told_ends, ends);
    cr_expect_not(policy_slot_seat(NULL, &o, seat, &n));
    guarded_end(&p);
    guarded_end(&q);
}
