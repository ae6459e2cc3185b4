/* test_gpu_timeline.c - replay of small timelines, against a schedule worked out by hand, and of
 * random ones, against a second scheduler that knows nothing of lags. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "tests/models/gpu_ops.h"

static double span_of(const struct trace_op *op, size_t n, const char *section, bool half)
{
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = section, .op = op, .n = n, .half = half});
    double span = gpu_number(m, "span") * 1e9;
    measures_free(m);
    return span;
}

#define CAPTURED "'captured_on':{'tflops':100,'bandwidth_gbs':1000,'link_gbs':10}"

/* Three kernels behind each other, all launched at once: as long as the kernels and their gaps. */
Test(gpu_timeline, bound_by_the_device)
{
    const uint64_t us = 1000;
    struct trace_op op[6];
    for (uint32_t i = 0; i < 3; i++) {
        op[i] = op_launch(i * 2 * us, 2 * us, i + 1);
        op[3 + i] = op_kernel(10 * us + i * 102 * us, 100 * us, 7);
        op[3 + i].correlation = i + 1;
    }
    cr_assert_float_eq(span_of(op, 6, "{}", false), 314 * us, 0.5);
    /* At half the speed kernels take twice as long, their gaps of 2 us and the launch do not. */
    cr_assert_float_eq(span_of(op, 6, "{" CAPTURED "}", true), 614 * us, 0.5);
    /* Launches that take 5 us longer delay the first kernel only. */
    cr_assert_float_eq(span_of(op, 6, "{'launch_us':5}", false), 319 * us, 0.5);
}

/* The host takes 50 us for each of three kernels of 10 us: launches set the pace. */
Test(gpu_timeline, bound_by_the_host)
{
    const uint64_t us = 1000;
    struct trace_op op[6];
    for (uint32_t i = 0; i < 3; i++) {
        op[2 * i] = op_launch(i * 50 * us, 4 * us, i + 1);
        op[2 * i + 1] = op_kernel((i * 50 + 6) * us, 10 * us, 7);
        op[2 * i + 1].correlation = i + 1;
    }
    cr_assert_float_eq(span_of(op, 6, "{}", false), 116 * us, 0.5);
    cr_assert_float_eq(span_of(op, 6, "{" CAPTURED "}", true), 126 * us, 0.5);
    /* 5 us more for each launch, and the next comes that much later. */
    cr_assert_float_eq(span_of(op, 6, "{'launch_us':5}", false), 131 * us, 0.5);
    cr_assert_float_eq(span_of(op, 6, "{'host':2}", false), (2 * 100 + 6 + 10) * us, 0.5);
}

/* A launch, a wait for its kernel, 20 us of work, and again: device and host take turns. */
Test(gpu_timeline, waits_for_the_device)
{
    const uint64_t us = 1000;
    struct trace_op op[6];
    uint64_t first = 1, second = 2;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t at = i * 130 * us;
        op[3 * i] = op_launch(at, 4 * us, i + 1);
        op[3 * i + 1] = (struct trace_op){.time_ns = at + 5 * us,
                                          .kind = TRACE_OP_SYNC,
                                          .device = TRACE_NAME_NONE,
                                          .duration_ns = 105 * us, /* until 3 us after its end */
                                          .n_depends = 1,
                                          .depends = i ? &second : &first};
        op[3 * i + 2] = op_kernel(at + 7 * us, 100 * us, 3);
        op[3 * i + 2].correlation = i + 1;
    }
    cr_assert_float_eq(span_of(op, 6, "{}", false), 240 * us, 0.5);
    cr_assert_float_eq(span_of(op, 6, "{" CAPTURED "}", true), 440 * us, 0.5);
}

/* ---- random timelines ------------------------------------------------------------- */

enum { STREAMS = 4, ITEMS = 400, L = 3000, G = 1200, TAIL = 2500, IDLE_SYNC = 900 };
enum what { LAUNCH, WAIT, WORK };
struct item {
    enum what what;
    uint64_t cpu, kernel;
    uint32_t stream, on; /* on: 1 + index of an earlier launch; 0 */
};

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void make(struct item *it, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test", "timeline");
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint64_t kind = rng_below(&r, 20);
        it[i] = (struct item){.what = i < 8 || kind > 2 ? LAUNCH : kind ? WAIT : WORK};
        it[i].cpu = 500 + rng_below(&r, 4000) + (it[i].what == WORK ? 50000 : 0);
        it[i].kernel = 1000 + rng_below(&r, seed % 3 ? 30000 : 4000);
        it[i].stream = (uint32_t)rng_below(&r, STREAMS);
        uint32_t on = (uint32_t)rng_below(&r, i + 1);
        bool wants = it[i].what == WAIT || rng_below(&r, 6) == 0;
        it[i].on = wants && on < i && it[on].what == LAUNCH ? on + 1 : 0;
        if (it[i].what == WAIT && !it[i].on)
            it[i].what = WORK;
    }
}

/* What such a program does on a device so many times slower: rows, unsorted. Returns the span. */
static uint64_t schedule(const struct item *it, uint64_t slower, struct trace_op *op, size_t *n,
                         uint64_t *on)
{
    uint64_t host = 0, stream[STREAMS] = {0}, ended[ITEMS] = {0}, last = 0;
    bool used[STREAMS] = {false};
    *n = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        const struct item *k = &it[i];
        uint64_t dep = k->on ? ended[k->on - 1] : 0;
        on[i] = k->on;
        struct trace_op row = op_launch(host, k->cpu, k->what == LAUNCH ? i + 1 : 0);
        row.kind = k->what == LAUNCH ? TRACE_OP_LAUNCH
                   : k->what == WAIT ? TRACE_OP_SYNC
                                     : TRACE_OP_CPU;
        if (k->what == WAIT) {
            uint64_t end = most(host + IDLE_SYNC, dep > host ? dep + TAIL : 0);
            row.duration_ns = end - host;
            row.n_depends = 1;
            row.depends = &on[i];
        }
        op[(*n)++] = row;
        if (k->what == LAUNCH) {
            uint32_t s = k->stream;
            uint64_t at = most(most(host + L, used[s] ? stream[s] + G : 0), dep);
            struct trace_op run = op_kernel(at, k->kernel * slower, s);
            run.correlation = i + 1;
            run.sms = 2;
            run.n_depends = k->on != 0;
            run.depends = &on[i];
            op[(*n)++] = run;
            used[s] = true;
            stream[s] = ended[i] = at + k->kernel * slower;
            last = most(last, stream[s]);
        }
        host += row.duration_ns + 100;
    }
    return most(last, host - 100);
}

static int by_begin(const void *a, const void *b)
{
    const struct trace_op *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->correlation < y->correlation ? -1 : x->correlation > y->correlation;
}

Test(gpu_timeline, random_ones_repeat_themselves)
{
    static struct item it[ITEMS];
    static struct trace_op op[2 * ITEMS];
    static uint64_t on[ITEMS];
    for (uint64_t seed = 1; seed <= 30; seed++) {
        size_t n;
        make(it, seed);
        double captured = (double)schedule(it, 1, op, &n, on);
        qsort(op, n, sizeof *op, by_begin);
        struct measures *m =
            gpu_go(&(struct gpu_case){.section = "{}", .op = op, .n = n, .shuffle = seed % 2});
        cr_expect_float_eq(gpu_number(m, "span") * 1e9, captured, 0.5, "seed %d", (int)seed);
        cr_expect_float_eq(gpu_number(m, "start_error_max") * captured, 0, 0.5,
                           "seed %d: %g ns late", (int)seed,
                           gpu_number(m, "start_error_max") * captured);
        measures_free(m);
    }
}

Test(gpu_timeline, random_ones_on_half_the_device)
{
    static struct item it[ITEMS];
    static struct trace_op op[2 * ITEMS], slow[2 * ITEMS];
    static uint64_t on[ITEMS];
    for (uint64_t seed = 1; seed <= 30; seed++) {
        size_t n;
        make(it, seed);
        double want = (double)schedule(it, 2, slow, &n, on);
        double captured = (double)schedule(it, 1, op, &n, on);
        qsort(op, n, sizeof *op, by_begin);
        double got = span_of(op, n, "{" CAPTURED "}", true);
        /* Every third is bound by its host and shows no gap between kernels: that is not known. */
        double within = seed % 3 ? 0.002 : 0.005;
        cr_expect_float_eq(got, want, within * want, "seed %d: %g ns, want %g; captured %g",
                           (int)seed, got, want, captured);
    }
}

/* ---- rows that no capture has ---- */

Test(gpu_timeline, nonsense_is_refused)
{
    const struct {
        struct trace_op op;
        const char *says;
    } bad[] = {
        {{.kind = 77}, "trace: operation 1: got kind 77, want one below 10"},
        {{.kind = TRACE_OP_KERNEL, .device = TRACE_NAME_NONE},
         "trace: operation 1: got no device, want one for its kind"},
        {{.kind = TRACE_OP_CPU, .duration_ns = UINT64_MAX},
         "trace: operation 1: got 18446744073709551615 ns from 0 ns on, want at most "
         "9007199254740992"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct trace_op op[] = {op_kernel(0, 1000, 1), bad[i].op};
        struct measures *m = measures_new();
        struct err e = {0};
        cr_expect_lt(gpu_try(&(struct gpu_case){.section = "{}", .op = op, .n = 2}, m, &e), 0);
        cr_expect_str_eq(e.msg, bad[i].says);
        measures_free(m);
    }
}

/* Whatever rows say that are in order of time: they end, in some order, or are refused. */
Test(gpu_timeline, noise_comes_to_an_end)
{
    enum { N = 300 };
    static struct trace_op op[N];
    static uint64_t on[N][3];
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng r;
        rng_init(&r, seed, "test", "noise");
        for (uint32_t i = 0; i < N; i++) {
            const uint64_t scale = UINT64_C(1) << rng_below(&r, 24);
            op[i] = (struct trace_op){.time_ns = (i ? op[i - 1].time_ns : 0) + rng_below(&r, scale),
                                      .kind = (uint32_t)rng_below(&r, TRACE_OP_KINDS),
                                      .tenant = (uint32_t)rng_below(&r, 2),
                                      .device = (uint32_t)rng_below(&r, 2),
                                      .stream = (uint32_t)rng_below(&r, 3),
                                      .duration_ns = rng_below(&r, scale),
                                      .bytes = rng_below(&r, 2) * rng_below(&r, 1 << 20),
                                      .grid = rng_below(&r, 1000),
                                      .block = (uint32_t)rng_below(&r, 2048),
                                      .registers = (uint32_t)rng_below(&r, 300),
                                      .smem = (uint32_t)rng_below(&r, 1 << 18),
                                      .sms = (uint32_t)rng_below(&r, 200),
                                      .bound = (uint32_t)rng_below(&r, 5),
                                      .correlation = rng_below(&r, 40),
                                      .n_depends = (uint32_t)rng_below(&r, 4),
                                      .depends = on[i]};
            for (uint32_t k = 0; k < 3; k++)
                on[i][k] = rng_below(&r, 45);
        }
        static const char *const section[] = {"{'window':16}", "{'sharing':'mps'}",
                                              "{'sharing':'dispatch','lags':'smallest'}",
                                              "{'sharing':'vgpu-equal','gaps':'device'}"};
        struct measures *m =
            gpu_go(&(struct gpu_case){.section = section[seed % 4], .op = op, .n = N});
        size_t device = 0;
        for (uint32_t i = 0; i < N; i++)
            device += trace_op_on_device(&op[i]);
        cr_expect_eq(gpu_number(m, "operations"), (double)device, "seed %d", (int)seed);
        measures_free(m);
    }
}
