/* test_mlaas_desk.c - one who decides and takes as long as his inference: a queue with constant
 * service, by textbook, alone and as scheduler and router. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mlaas/desk.h"
#include "tests/models/cluster_bench.h"
#include "tests/models/fleet_rig.h"
#include "tests/models/net_rig.h"
#include "tests/sanitized.h"

#define MANY (SANITIZED ? 40000 : 300000)

/* M/D/1: the mean time from the question to the answer. */
static double answer_after(double rho, double service)
{
    return service + rho * service / (2 * (1 - rho));
}

/* ---- the desk alone ------------------------------------------------------------------ */

struct alone {
    struct sim *sim;
    struct desk *desk;
    struct rng gaps;
    double mean_us;
    uint64_t left, asked, answered, last;
    bool in_order;
};

static void alone_ask(void *ctx, uint64_t a, uint64_t b)
{
    struct alone *x = ctx;
    cr_assert_eq(b, a + 1);
    x->in_order &= a == x->asked;
    x->asked++;
    net_asked();
}

static void alone_answered(void *ctx, uint64_t a, uint64_t b)
{
    struct alone *x = ctx;
    (void)b;
    x->in_order &= a == x->answered;
    x->answered++;
    x->last = sim_now(x->sim);
}

static void arrives(void *ctx, uint64_t i)
{
    struct alone *x = ctx;
    cr_assert(desk_put(x->desk, i, i + 1));
    if (--x->left)
        sim_after(x->sim, (sim_time)(rng_exponential(&x->gaps, x->mean_us) * 1e3), 0, arrives, x,
                  i + 1);
}

static double told(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert_not_null(v, "%s", name);
    return *v;
}

static void a_desk(double rho)
{
    struct alone x = {.mean_us = 1 / rho, .left = MANY, .in_order = true};
    struct mlaas_config c;
    struct mlaas_bill bill;
    struct machine_use use;
    struct machine *machine = net_machine();
    struct measures *out = measures_new();
    struct err e = {0};
    const struct desk_calls calls = {alone_ask, alone_answered, &x};
    net_costs(1);
    rng_init(&x.gaps, 7, "test", "gaps");
    cr_assert_eq(mlaas_bill_config(&c, NULL, &e), 0);
    cr_assert_eq(machine_use_begin(&use, machine, &e), 0);
    cr_assert_eq(mlaas_bill_open(&bill, &c, NULL, &use, &net_infer, &e), 0, "%s", e.msg);
    x.sim = sim_new(&(struct sim_options){.seed = 1});
    x.desk = desk_new(x.sim, &bill, &calls);
    sim_at(x.sim, 0, 0, arrives, &x, 0);
    sim_run(x.sim, SIM_NEVER);
    desk_report(x.desk, "desk", x.last, out);
    cr_expect(x.in_order && x.asked == MANY && x.answered == MANY, "each once, in its turn");
    cr_expect_eq(told(out, "desk.questions"), MANY);
    cr_expect_float_eq(told(out, "desk.util"), rho, 0.01);
    const double want = answer_after(rho, 1), got = told(out, "desk.decision_mean");
    cr_expect_float_eq(got, want, (SANITIZED ? 0.06 : 0.03) * want, "rho %g: %g us, M/D/1 %g", rho,
                       got, want);
    mlaas_bill_close(&bill);
    desk_free(x.desk);
    sim_free(x.sim);
    measures_free(out);
    machine_use_end(&use);
    machine_free(machine);
}

Test(mlaas_desk, constant_inference_at_random_times_is_m_d_1)
{
    a_desk(0.3);
    a_desk(0.7);
}

/* ---- a router -------------------------------------------------------------------------- */

static uint32_t routes(void *self, const struct policy_route_obs *o)
{
    (void)self;
    net_asked();
    return (uint32_t)(o->request.id % o->n);
}
static uint32_t scales(void *self, const struct policy_scale_obs *o)
{
    (void)self;
    net_asked();
    return o->period < 2 ? 2 : o->serving + o->starting;
}
static const struct policy_ops router = {.name = "routes", .serve_route = routes};
static const struct policy_ops scaler = {.name = "scales", .serve_scale = scales};

static struct measures *fleet(const char *section, const struct policy_ops *ops,
                              const struct bench_request *r, size_t n, bool bare)
{
    struct policy_slot slot = {.ops = ops, .label = "asks"};
    struct bench b = {.model = &model_fleet,
                      .section = section,
                      .request = r,
                      .n = n,
                      .policy = &slot,
                      .infer = &net_infer,
                      .bare = bare,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(slot.ejected, EJECT_NONE, "%s", slot.eject_note);
    cr_expect_eq(told(m, "completed"), (double)n);
    return m;
}

#define POOL(infer) "{\"pools\":{\"all\":{\"engines\":8," ENGINE PER_TOKEN "}}" infer "}"

static struct bench_request *short_ones(size_t n, double rate)
{
    struct bench_request *r = fleet_exponential(n, rate, 5);
    for (size_t i = 0; i < n; i++)
        r[i].prompt = 1; /* 0.1 us on an engine */
    return r;
}

Test(mlaas_desk, a_router_with_a_network_is_m_d_1)
{
    const size_t n = MANY;
    struct bench_request *r = short_ones(n, 1000);
    net_costs(700);
    struct measures *m = fleet(POOL(""), &router, r, n, false);
    const double want = answer_after(0.7, 0.7), got = sketch_mean(bench_sketch(m, "queue_wait"));
    cr_expect_float_eq(got, want, (SANITIZED ? 0.08 : 0.04) * want, "%g ms, M/D/1 %g", got, want);
    cr_expect_float_eq(told(m, "router.util"), 0.7, 0.01);
    cr_expect_float_eq(told(m, "infer_cpu_time"), (double)n * 700e-6, 1e-6);
    cr_expect_float_eq(told(m, "infer_wait_time"), (double)n * 700e-6, 1e-6);
    measures_free(m);
    free(r);
}

/* Where it is free, or somebody else's, requests do what they do without a machine to charge. */
Test(mlaas_desk, a_free_router_is_todays)
{
    const size_t n = 3000;
    struct bench_request *r = fleet_chat(n, 40, 60, 3);
    net_costs(700);
    struct measures *bare = fleet(POOL(""), &router, r, n, true);
    struct measures *free_one = fleet(POOL(",\"infer\":{\"mode\":\"free\"}"), &router, r, n, false);
    struct measures *async = fleet(POOL(",\"infer\":{\"mode\":\"async\"}"), &router, r, n, false);
    cr_expect_eq(told(free_one, "infer_calls"), (double)n);
    cr_expect_float_eq(told(async, "infer_cpu_time"), (double)n * 700e-6, 1e-9);
    cr_expect_eq(told(async, "infer_wait_time"), 0);
    bench_same(bare, free_one);
    for (size_t i = 0; i < bare->n_number; i++)
        if (strncmp(bare->number[i].name, "infer_", 6))
            cr_expect_eq(bare->number[i].value, told(async, bare->number[i].name), "%s",
                         bare->number[i].name);
    measures_free(bare);
    measures_free(free_one);
    measures_free(async);
    free(r);
}

/* The second engine is asked for at the end of the first period, and there when the scaler has
 * thought about it: so much less engine time is paid. */
Test(mlaas_desk, a_scaler_that_thinks_scales_later)
{
    static const char pool[] =
        "{\"pools\":{\"all\":{\"engines\":1," ENGINE PER_TOKEN
        ",\"scale\":{\"least\":1,\"most\":2,\"period_s\":10,\"cold_start_s\":1,\"source\":\"t\"}}}"
        ",\"infer\":{\"mode\":\"%s\"}}";
    struct bench_request r[2] = {{0, 1, 1}, {UINT64_C(60000000000), 1, 1}};
    double hours[2];
    for (int i = 0; i < 2; i++) {
        char section[400];
        snprintf(section, sizeof section, pool, i ? "wait" : "free");
        net_costs(2e6);
        struct measures *m = fleet(section, &scaler, r, 2, false);
        hours[i] = told(m, "engine_hours");
        measures_free(m);
    }
    cr_expect_float_eq(hours[0] - hours[1], 2 / 3600.0, 1e-9);
}

/* ---- a cluster's scheduler ----------------------------------------------------------------- */

static void orders(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    net_asked();
    answer->key = (int64_t)o->job.arrived_ns;
}
static uint32_t seats(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    net_asked();
    for (uint32_t i = 0; i < o->n; i++)
        for (uint32_t g = 0; g < o->node[i].gpus; g++)
            if (o->node[i].gpu_free_milli[g] >= 1000) {
                seat[0] = (struct policy_seat){i, 1u << g};
                return 1;
            }
    return 0;
}
static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}
static const struct policy_ops orderer = {.abi = POLICY_ABI,
                                          .name = "orders",
                                          .create = create,
                                          .destroy = destroy,
                                          .cluster_order = orders};
static const struct policy_ops placer = {.abi = POLICY_ABI,
                                         .name = "seats",
                                         .create = create,
                                         .destroy = destroy,
                                         .cluster_place = seats};

static struct measures *cluster(const char *section, const struct policy_ops *ops,
                                const struct bench_job *job, size_t n)
{
    struct machine *machine = net_machine();
    struct measures *m = cluster_run(&(struct cluster_bench){.section = section,
                                                             .job = job,
                                                             .n = n,
                                                             .ops = ops,
                                                             .machine = machine,
                                                             .infer = &net_infer,
                                                             .seed = 1,
                                                             .exact = true},
                                     NULL);
    cr_expect_eq(told(m, "completed"), (double)n);
    machine_free(machine);
    return m;
}

/* GPUs for all: a job waits for the scheduler alone. */
Test(mlaas_desk, a_scheduler_with_a_network_is_m_d_1)
{
    const size_t n = SANITIZED ? MANY : MANY / 3;
    struct bench_job *job = cluster_poisson(n, 1, SIZES_EQUAL, 4);
    net_costs(0.6e6);
    struct measures *m = cluster("{\"pool\":100}", &orderer, job, n);
    const double want = answer_after(0.6, 0.6), got = cluster_mean(m, "first_wait");
    cr_expect_float_eq(got, want, (SANITIZED ? 0.08 : 0.04) * want, "%g s, M/D/1 %g", got, want);
    cr_expect_float_eq(told(m, "scheduler.util"), 0.6, 0.01);
    cr_expect_float_eq(told(m, "infer_cpu_time"), (double)n * 0.6, 1e-3);
    measures_free(m);
    free(job);
}

/* Three at once: one pass, whose third place is found after three inferences; they hold their GPUs
 * from its beginning.  The fourth comes while the pass is under way. */
Test(mlaas_desk, a_pass_takes_as_long_as_its_places)
{
    static const struct bench_job job[] = {
        {0, 10, 1, 0, 0}, {0, 10, 1, 0, 0}, {0, 10, 1, 0, 0}, {1, 10, 1, 0, 0}};
    net_costs(2e6);
    struct measures *m = cluster("{\"even\":{\"nodes\":2,\"gpus\":2}}", &placer, job, 4);
    cr_expect_float_eq(cluster_mean(m, "jct"), ((12 + 14 + 16) + (5 + 2 + 10)) / 4.0, 1e-9);
    cr_expect_float_eq(told(m, "share.overhead") / told(m, "share.work"), (2 + 4 + 6 + 2) / 40.0,
                       1e-9);
    measures_free(m);
    m = cluster("{\"even\":{\"nodes\":2,\"gpus\":2},\"infer\":{\"mode\":\"async\"}}", &placer, job,
                4);
    cr_expect_float_eq(cluster_mean(m, "jct"), 10, 1e-9);
    cr_expect_float_eq(told(m, "infer_cpu_time"), 8, 1e-9);
    measures_free(m);
}

/* Jobs that are pushed out, fail and come back while the scheduler has not yet decided on others:
 * none is lost, and GPU time adds up. */
static void again(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    orders(self, o, answer);
    answer->key = (int64_t)(o->job.id * 2654435761u % 97) - (o->why == POLICY_LATER);
    answer->after_ns = 700000000;
    answer->follows_sharing = o->job.id % 3 == 0;
    answer->at_service_ns = o->job.service_ns + 1500000000;
}
static const struct policy_ops restless = {.abi = POLICY_ABI,
                                           .name = "again",
                                           .create = create,
                                           .destroy = destroy,
                                           .cluster_order = again,
                                           .cluster_place = seats};

Test(mlaas_desk, jobs_that_come_back_are_decided_on_again)
{
    static const char *const section[] = {
        "{\"even\":{\"nodes\":3,\"gpus\":2},\"preempt\":{},\"line\":\"skip-over\",\"checkpoint\":{"
        "\"every_s\":0.5,\"save_s\":0.01,\"restart_s\":0.02}}",
        "{\"even\":{\"nodes\":3,\"gpus\":2},\"line\":\"backfill\",\"predicted\":{\"from\":"
        "\"truth\"},"
        "\"failures\":{\"mtbf_h\":0.004,\"repair_s\":3}}",
        "{\"even\":{\"nodes\":3,\"gpus\":2},\"line\":\"strict\",\"failures\":{\"mtbf_h\":0.004,"
        "\"repair_s\":3}}",
    };
    struct bench_job *job = cluster_poisson(400, 6.5, SIZES_EXPONENTIAL, 9);
    for (size_t i = 0; i < sizeof section / sizeof *section; i++) {
        net_costs(20e3);
        (void)net_answers();
        struct measures *m = cluster(section[i], &restless, job, 400);
        cr_expect_gt(told(m, i ? "failed_runs" : "preempted"), 10);
        cr_expect_eq(told(m, "infer_calls"), (double)net_answers());
        cr_expect_eq(told(m, "unfinished"), 0);
        const double parts = told(m, "share.work") + told(m, "share.overhead") +
                             told(m, "share.lost") + told(m, "share.unended");
        cr_expect_float_eq(parts, told(m, "gpu_util"), 1e-9);
        cr_expect_float_eq(told(m, "share.unended"), 0, 1e-9);
        measures_free(m);
    }
    free(job);
}
