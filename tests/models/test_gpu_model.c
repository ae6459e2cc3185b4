/* test_gpu_model.c - tenants that share GPUs, against arithmetic and queueing theory. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/gpu_ops.h"

#define MS UINT64_C(1000000)

/* One kernel on all SMs, on half of them. */
static struct trace_op all_ms(uint64_t ms, uint32_t sms)
{
    struct trace_op op = op_kernel(0, ms * MS, 1);
    op.sms = sms;
    return op;
}

static struct measures *share(const char *section, const struct trace_op *p,
                              const struct trace_op *q)
{
    return gpu_go(&(struct gpu_case){
        .section = section, .op = p, .n = 1, .other = q, .n_other = 1, .programs = true});
}

static void near(const struct measures *m, const char *name, double want, double within)
{
    double got = gpu_number(m, name);
    cr_expect_float_eq(got, want, within * want, "%s: %g, want %g", name, got, want);
}

static double mean_of(const struct measures *m, const char *name)
{
    return sketch_mean(gpu_sketch(m, name));
}

#define TWO(more_p, more_q)                                                                        \
    "'normalize':true,'tenants':[{'program':'p','count':20,'warmup':2" more_p                      \
    "},{'program':'q','background':true" more_q "}]"

/* Slices of 1 ms and switches of 0.1 ms: each gets 1 of 2.2 ms. */
Test(gpu_model, time_slices)
{
    struct trace_op p = all_ms(10, 100), q = all_ms(10, 100);
    struct measures *m = share("{'sharing':'time-slice'," TWO("", "") "}", &p, &q);
    near(m, "p.normalized", 1 / 2.2, 0.02);
    near(m, "normalized", 2 / 2.2, 0.02);
    near(m, "switching", 0.2 / 2.2, 0.02);
    measures_free(m);
    p.duration_ns = 9 * MS; /* three whole turns: what is idle for a moment gives its turn away */
    m = share("{'sharing':'time-slice'," TWO(",'weight':3072", "") "}", &p, &q);
    near(m, "p.normalized", 3 / 4.2, 0.05);
    near(m, "q.normalized", 1 / 4.2, 0.05);
    measures_free(m);
}

/* The front end's own gap between queued kernels keeps the turn; a longer pause gives it away. */
Test(gpu_model, short_gaps_keep_the_turn)
{
    struct trace_op p[20], q = all_ms(10, 100);
    double switches[2];
    for (uint64_t k = 0; k < 2; k++) {
        const uint64_t gap = k ? 50000 : 5000;
        for (uint64_t i = 0; i < 20; i++)
            p[i] = op_kernel(i * (100000 + gap), 100000, 1);
        struct measures *m =
            gpu_go(&(struct gpu_case){.section = "{'sharing':'time-slice','tenants':[{'program':"
                                                 "'p','count':10},{'program':'q',"
                                                 "'background':true}]}",
                                      .op = p,
                                      .n = 20,
                                      .other = &q,
                                      .n_other = 1,
                                      .programs = true});
        switches[k] = gpu_number(m, "switches");
        measures_free(m);
    }
    /* Two for each ms of 21 ms, and at the ends of iterations; two for each of 200 kernels. */
    cr_expect(switches[0] >= 40 && switches[0] <= 70, "%g switches", switches[0]);
    cr_expect(switches[1] >= 380 && switches[1] <= 410, "%g switches", switches[1]);
}

/* Both waves of blocks fit beside each other; or take turns at the SMs. */
Test(gpu_model, mps)
{
    struct trace_op p = all_ms(10, 50), q = all_ms(10, 50);
    struct measures *m = share("{'sharing':'mps'," TWO("", "") "}", &p, &q);
    near(m, "normalized", 2, 0.01);
    measures_free(m);
    p.sms = q.sms = 100;
    m = share("{'sharing':'mps'," TWO(",'percent':30", ",'percent':70") "}", &p, &q);
    near(m, "p.normalized", 1.0 / 4, 0.01); /* a wave of 100 SMs in four of 30, in two of 70 */
    near(m, "q.normalized", 1.0 / 2, 0.01);
    measures_free(m);
}

Test(gpu_model, a_neighbour_in_mig_changes_nothing)
{
    struct trace_op p = all_ms(10, 100), q = all_ms(7, 100);
    p.bound = q.bound = TRACE_OP_BOUND_MEMORY;
    const char *with = "{'sharing':'mig','partitions':[{'sms':40,'memory_milli':500},"
                       "{'sms':40,'memory_milli':500}]," TWO("", ",'partition':1") "}";
    const char *without = "{'sharing':'mig','partitions':[{'sms':40,'memory_milli':500},"
                          "{'sms':40,'memory_milli':500}],'tenants':[{'program':'p','count':20,"
                          "'warmup':2}]}";
    struct measures *m = share(with, &p, &q), *n = share(without, &p, &q);
    cr_expect_eq(mean_of(m, "p.latency"), mean_of(n, "p.latency"));
    cr_expect_gt(gpu_number(m, "p.slowdown"), 1.1);
    measures_free(m);
    measures_free(n);
}

Test(gpu_model, a_gpu_each)
{
    struct trace_op p = all_ms(10, 100), q = all_ms(10, 100);
    struct measures *m = share("{'sharing':'exclusive'," TWO("", ",'device':1") "}", &p, &q);
    near(m, "normalized", 2, 0.001);
    near(m, "busy", 1, 0.001);
    measures_free(m);
}

/* A seat that nobody took keeps its turn. */
Test(gpu_model, fixed_shares)
{
    struct trace_op p = all_ms(20, 100);
    struct measures *m = share("{'sharing':'vgpu-fixed','vgpus':4,'normalize':true,"
                               "'tenants':[{'program':'p','count':20,'warmup':2}]}",
                               &p, &p);
    cr_expect_lt(gpu_number(m, "p.normalized"), 0.3);
    cr_expect_gt(gpu_number(m, "p.normalized"), 0.2);
    measures_free(m);
}

/* M/D/1 at half load: 10 ms of service, a mean wait of 5 ms. */
Test(gpu_model, poisson_arrivals_queue_as_in_the_textbook)
{
    struct trace_op p = all_ms(10, 100);
    struct measures *m = share("{'sharing':'exclusive','tenants':[{'program':'p','count':40000,"
                               "'warmup':500,'arrivals':{'rate_per_s':50}}]}",
                               &p, &p);
    double mean = mean_of(m, "p.latency");
    cr_expect_float_eq(mean, 15, 0.3, "%g ms, want 15", mean);
    near(m, "p.throughput", 50, 0.03);
    measures_free(m);
}

/* Three at once: 10, 20, 30 ms; one later alone. */
Test(gpu_model, arrivals_from_a_list)
{
    struct trace_op p = all_ms(10, 100);
    struct measures *m = share("{'sharing':'exclusive','tenants':[{'program':'p',"
                               "'arrivals':{'list_s':[0.5,0.5,0.5,1]}}]}",
                               &p, &p);
    cr_expect_float_eq(mean_of(m, "p.latency"), (10 + 20 + 30 + 10) / 4.0, 1e-9);
    cr_expect_eq(gpu_number(m, "p.iterations"), 4);
    near(m, "span", 1.010, 1e-6);
    measures_free(m);
}

/* ---- requests of a trace ---- */

struct few {
    struct request_source base;
    uint64_t made;
};
static int next_request(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct few *f = (struct few *)self;
    (void)e;
    if (f->made == 6)
        return 0;
    *out = (struct trace_request){.time_ns = f->made * 25 * MS, .tenant = f->made % 2};
    f->made++;
    return 1;
}
static void close_requests(struct request_source *self)
{
    (void)self;
}

/* Every 25 ms one for either of two tenants, on one GPU in turns: nobody ever waits. */
Test(gpu_model, arrivals_from_a_trace)
{
    struct few f = {{next_request, close_requests, 0}, 0};
    struct trace_op p = all_ms(10, 100), q = all_ms(20, 100);
    struct measures *m = gpu_go(&(struct gpu_case){
        .section = "{'tenants':[{'program':'p','arrivals':{'process':'trace','trace_tenant':0}},"
                   "{'program':'q','arrivals':{'process':'trace','trace_tenant':1}}]}",
        .op = &p,
        .n = 1,
        .other = &q,
        .n_other = 1,
        .programs = true,
        .requests = &f.base});
    cr_expect_eq(gpu_number(m, "p.iterations"), 3);
    cr_expect_eq(gpu_number(m, "q.iterations"), 3);
    cr_expect_leq(mean_of(m, "p.latency"), 10.11); /* a switch */
    cr_expect_leq(mean_of(m, "q.latency"), 20.11);
    measures_free(m);
}

/* What they did to each other is in the capture: two kernels on all SMs, side by side. */
Test(gpu_model, what_ran_side_by_side_does_so_again)
{
    struct trace_op op[] = {op_kernel(0, 10 * MS, 1), op_kernel(2 * MS, 10 * MS, 2),
                            op_kernel(11 * MS, 4 * MS, 1), op_kernel(20 * MS, 4 * MS, 2)};
    struct measures *m = gpu_go(&(struct gpu_case){.section = "{}", .op = op, .n = 4});
    near(m, "span", 0.024, 1e-9);
    cr_expect_eq(gpu_number(m, "start_error_max"), 0);
    measures_free(m);
    /* Two processes are not taken for one: they take turns. */
    op[1].tenant = op[3].tenant = 1;
    m = gpu_go(&(struct gpu_case){.section = "{}", .op = op, .n = 4});
    cr_expect_gt(gpu_number(m, "span"), 0.027);
    measures_free(m);
}

/* Copies go over the link while kernels run; as long as captured, but no faster than the link. */
Test(gpu_model, copies)
{
    struct trace_op op[] = {op_kernel(0, 30 * MS, 1), op_kernel(1 * MS, 20 * MS, 2)};
    op[1].kind = TRACE_OP_H2D;
    op[1].bytes = 100000000; /* 5 GB/s */
    struct measures *m = gpu_go(&(struct gpu_case){.section = "{}", .op = op, .n = 2});
    near(m, "span", 0.030, 1e-6);
    near(m, "copy_time", 0.020, 1e-6);
    measures_free(m);
    op[1].bytes *= 10; /* 50 GB/s over a link of 10 */
    m = gpu_go(&(struct gpu_case){.section = "{}", .op = op, .n = 2});
    near(m, "copy_time", 0.100, 1e-6);
    measures_free(m);
}

Test(gpu_model, memory_that_is_not_there)
{
    struct trace_op p = all_ms(10, 100), q = p;
    struct measures *m = share("{'sharing':'mps','tenants':[{'program':'p','count':3,"
                               "'memory_gib':10},{'program':'q','count':3,'memory_gib':10}]}",
                               &p, &q);
    cr_expect_eq(gpu_number(m, "p.iterations"), 3);
    cr_expect_eq(gpu_number(m, "q.iterations"), 0);
    bool said = false;
    for (size_t i = 0; i < m->n_incident; i++)
        said |= !strcmp(m->incident[i].who, "q");
    cr_expect(said, "nothing was said about q");
    measures_free(m);
}

/* A small window is no matter for what waits for its stream. */
Test(gpu_model, the_window_changes_nothing)
{
    static struct trace_op op[5000];
    for (uint32_t i = 0; i < 5000; i++)
        op[i] = op_kernel(i * 11000, 10000, i % 3);
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = "{'window':16}", .op = op, .n = 5000});
    cr_expect_eq(gpu_number(m, "start_error_max"), 0);
    measures_free(m);
}

/* ---- gpu.dispatch ----------------------------------------------------------------------- */

/* Nobody else while the first tenant has anything. */
static void first_only(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self;
    *a = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].waiting && (o->tenant[i].id == 0 || !o->tenant[0].running))
            a->tenant = a->tenant == POLICY_NONE ? i : a->tenant;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].running)
            a->tenant = POLICY_NONE;
}
static const struct policy_ops first = {
    .abi = POLICY_ABI, .name = "first", .gpu_dispatch = first_only};

Test(gpu_model, a_policy_dispatches)
{
    struct trace_op p = all_ms(10, 100), q = all_ms(1, 100);
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = "{'sharing':'dispatch'," TWO(
                                      ",'arrivals':{'process':'uniform','rate_per_s':50}", "") "}",
                                  .op = &p,
                                  .n = 1,
                                  .other = &q,
                                  .n_other = 1,
                                  .programs = true,
                                  .policy = &first});
    /* It waits for a kernel of 1 ms at most. */
    cr_expect_leq(sketch_max(gpu_sketch(m, "p.latency")), 11.1);
    cr_expect_gt(gpu_number(m, "q.normalized"), 0.4);
    measures_free(m);
}
