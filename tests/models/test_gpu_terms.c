/* The terms of a replay, one at a time, against arithmetic on paper. */
#include <criterion/criterion.h>

#include "tests/models/gpu_ops.h"

#define US       UINT64_C(1000)
#define MS       UINT64_C(1000000)
#define CAPTURED "'captured_on':{'tflops':100,'bandwidth_gbs':1000}"

static void takes(const struct trace_op *op, size_t n, const char *section, bool half, double us)
{
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = section, .op = op, .n = n, .half = half});
    cr_expect_float_eq(gpu_number(m, "span") * 1e6, us, 1e-3, "%s: %g us", section,
                       gpu_number(m, "span") * 1e6);
    measures_free(m);
}

static struct trace_op launched(uint64_t at, uint64_t ns, uint64_t correlation)
{
    struct trace_op op = op_kernel(at, ns, 7);
    op.correlation = correlation;
    return op;
}

static struct trace_op sync_for(uint64_t at, uint64_t ns, const uint64_t *correlation)
{
    return (struct trace_op){.time_ns = at,
                             .kind = TRACE_OP_SYNC,
                             .device = TRACE_NAME_NONE,
                             .duration_ns = ns,
                             .n_depends = 1,
                             .depends = correlation};
}

/* 10 us from one launch to its kernel, 30 from the other. */
Test(gpu_terms, the_smallest_lag_of_a_launch)
{
    const struct trace_op op[] = {op_launch(0, 2 * US, 1), launched(10 * US, 5 * US, 1),
                                  op_launch(100 * US, 2 * US, 2), launched(130 * US, 5 * US, 2)};
    takes(op, 4, "{}", false, 135);
    takes(op, 4, "{'lags':'smallest'}", false, 115);
}

Test(gpu_terms, gaps_of_the_device)
{
    const struct trace_op op[] = {op_kernel(0, 100 * US, 7), op_kernel(105 * US, 100 * US, 7)};
    takes(op, 2, "{}", false, 205);
    takes(op, 2, "{'gaps':'device'}", false, 200); /* this machine has none */
}

/* Of a wait that the capture did not need, but a slower GPU makes: it ends as others did, 3 us
 * after the kernel. */
Test(gpu_terms, the_tail_of_a_wait)
{
    const uint64_t first = 1, second = 2;
    const struct trace_op op[] = {
        op_launch(0, 2 * US, 1),         sync_for(3 * US, 110 * US, &first),
        launched(10 * US, 100 * US, 1),  op_launch(120 * US, 2 * US, 2),
        launched(130 * US, 100 * US, 2), sync_for(300 * US, 1 * US, &second),
        op_launch(305 * US, 2 * US, 3),  launched(315 * US, 10 * US, 3)};
    takes(op, 8, "{}", false, 325);
    takes(op, 8, "{" CAPTURED "}", true, 10 + 200 + 3 + 7 + 10 + 200 + 3 + 4 + 10 + 20);
}

/* A launch within another one is not put behind it. */
Test(gpu_terms, calls_within_calls)
{
    const struct trace_op op[] = {op_launch(0, 20 * US, 1), op_launch(5 * US, 5 * US, 2),
                                  launched(12 * US, 100 * US, 2)};
    takes(op, 3, "{}", false, 112);
}

/* Memory-bound ones, each of which draws most of the bandwidth alone. */
Test(gpu_terms, bandwidth_of_what_ran_side_by_side)
{
    struct trace_op op[] = {op_kernel(0, 10 * MS, 1), op_kernel(2 * MS, 10 * MS, 2)};
    op[0].bound = op[1].bound = TRACE_OP_BOUND_MEMORY;
    takes(op, 2, "{}", false, 12000);
}

Test(gpu_terms, what_binds_a_kernel_scales_it)
{
    struct trace_op op = op_kernel(0, 100 * US, 1);
    takes(&op, 1, "{" CAPTURED "}", true, 200);
    op.bound = TRACE_OP_BOUND_MEMORY;
    takes(&op, 1, "{" CAPTURED "}", true, 100);
    op.bound = TRACE_OP_BOUND_NONE; /* the smaller speed-up of the two */
    takes(&op, 1, "{" CAPTURED "}", true, 200);
}

/* On half of the SMs. */
Test(gpu_terms, a_memory_bound_kernel_keeps_its_speed)
{
    for (int memory = 0; memory < 2; memory++) {
        struct trace_op op = op_kernel(0, 10 * MS, 1);
        op.bound = memory ? TRACE_OP_BOUND_MEMORY : TRACE_OP_BOUND_COMPUTE;
        struct measures *m = gpu_go(&(struct gpu_case){
            .section = "{'sharing':'mps','tenants':[{'program':'p','percent':50,'count':2}]}",
            .programs = true,
            .op = &op,
            .n = 1});
        cr_expect_float_eq(sketch_mean(gpu_sketch(m, "p.latency")), memory ? 10 : 20, 1e-3);
        measures_free(m);
    }
}

/* An eighth of 40 GiB is 5 GiB, of which a 1g.5gb leaves 4.75. */
Test(gpu_terms, what_a_mig_instance_can_allocate)
{
    for (int more = 0; more < 2; more++) {
        struct trace_op op = op_kernel(0, 10 * MS, 1);
        struct measures *m = gpu_go(&(struct gpu_case){
            .section = more ? "{'sharing':'mig','partitions':['1g.5gb'],'tenants':[{'program':'p',"
                              "'count':2,'memory_gib':4.8}]}"
                            : "{'sharing':'mig','partitions':['1g.5gb'],'tenants':[{'program':'p',"
                              "'count':2,'memory_gib':4.7}]}",
            .machine = "machines/a100-40gb.json",
            .programs = true,
            .op = &op,
            .n = 1});
        cr_expect_eq(gpu_number(m, "p.iterations"), more ? 0 : 2);
        measures_free(m);
    }
}

/* Every 10 ms, the first after 10; each takes 1. */
Test(gpu_terms, uniform_arrivals)
{
    struct trace_op op = op_kernel(0, MS, 1);
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = "{'tenants':[{'program':'p','count':3,"
                                             "'arrivals':{'process':'uniform','rate_per_s':100}}]}",
                                  .programs = true,
                                  .op = &op,
                                  .n = 1});
    cr_expect_float_eq(gpu_number(m, "span"), 0.031, 1e-9);
    measures_free(m);
}

/* Two tenants whose events often come at one instant, in 20 orders.  (Turns do depend on who has
 * work first.) */
static void any_order(const char *section)
{
    struct trace_op p[] = {op_kernel(0, MS, 1), op_kernel(MS, MS, 2)};
    struct trace_op q[] = {op_kernel(0, 2 * MS, 1), op_kernel(2 * MS, MS, 1)};
    double first[2] = {0};
    for (uint64_t shuffle = 0; shuffle <= 20; shuffle++) {
        struct measures *m = gpu_go(&(struct gpu_case){.section = section,
                                                       .programs = true,
                                                       .op = p,
                                                       .n = 2,
                                                       .other = q,
                                                       .n_other = 2,
                                                       .shuffle = shuffle});
        const double now[2] = {sketch_mean(gpu_sketch(m, "p.latency")),
                               sketch_mean(gpu_sketch(m, "q.latency"))};
        for (int i = 0; i < 2; i++) {
            cr_expect_eq(now[i], shuffle ? first[i] : now[i], "%s, order %d: %g, not %g", section,
                         (int)shuffle, now[i], first[i]);
            first[i] = shuffle ? first[i] : now[i];
        }
        measures_free(m);
    }
}

#define TWO "'tenants':[{'program':'p','count':20},{'program':'q','count':20}]}"

Test(gpu_terms, mps_in_any_order_of_ties)
{
    any_order("{'sharing':'mps'," TWO);
}

Test(gpu_terms, a_dispatcher_in_any_order_of_ties)
{
    any_order("{'sharing':'dispatch'," TWO);
}
