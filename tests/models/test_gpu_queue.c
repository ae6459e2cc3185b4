/* test_gpu_queue.c - a launch into a full queue waits, against the recurrence that says when. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/models/gpu_ops.h"

#define US UINT64_C(1000)
enum { LAUNCHES = 60, ROWS = 2 * LAUNCHES + 1, AFTER = 9000 };

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The captured program was bound by its launches, of 5 us, on a GPU fifty times as fast; kernels of
 * 2 us begin 3 us after their launch, on streams 1 to `streams`; then the thread computes. */
static void program(struct trace_op *op, uint32_t streams)
{
    uint32_t n = 0;
    for (uint64_t i = 0; i < LAUNCHES; i++) {
        op[n++] = op_launch(i * 5 * US, 5 * US, i + 1);
        op[n] = op_kernel(i * 5 * US + 3 * US, 2 * US, (uint32_t)(1 + i % streams));
        op[n].sms = 100 / streams;
        op[n++].correlation = i + 1;
    }
    op[n] = op_launch(LAUNCHES * 5 * US, AFTER * US, 0);
    op[n].kind = TRACE_OP_CPU;
}

/* When the last launch has been made, and the thread has computed. */
static uint64_t expected(uint32_t streams, uint32_t depth)
{
    uint64_t end[LAUNCHES], free[4] = {0}, thread = 0;
    for (uint32_t i = 0; i < LAUNCHES; i++) {
        if (depth && i >= depth * streams)
            thread = most(thread, end[i - depth * streams]);
        uint64_t *f = &free[i % streams];
        end[i] = *f = most(*f, thread + 3 * US) + 100 * US;
        thread += 5 * US;
    }
    return thread + AFTER * US;
}

static double replayed(uint32_t streams, uint32_t depth, bool once)
{
    struct trace_op op[ROWS];
    char section[160];
    program(op, streams);
    snprintf(section, sizeof section, "{'queue_depth':%u,'captured_on':{'tflops':5000}%s}", depth,
             once ? "" : ",'tenants':[{'program':'p','count':2}]");
    struct measures *m =
        gpu_go(&(struct gpu_case){.section = section, .op = op, .n = ROWS, .programs = !once});
    double ns = once ? gpu_number(m, "span") * 1e9 : sketch_mean(gpu_sketch(m, "p.latency")) * 1e6;
    measures_free(m);
    return ns;
}

Test(gpu_queue, a_full_channel_stops_the_thread)
{
    static const uint32_t depths[] = {0, 1, 2, 7, 29, 30, 60, 1024};
    for (uint32_t streams = 1; streams <= 2; streams++)
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
            double want = (double)expected(streams, depths[i]);
            cr_expect_float_eq(replayed(streams, depths[i], false), want, 1, "%u streams, %u: %g",
                               streams, depths[i], want);
            cr_expect_float_eq(replayed(streams, depths[i], true), want, 1, "%u streams, %u",
                               streams, depths[i]);
        }
}
