/* gpu_ops.h - the model "gpu" on a bench: rows from an array, a GPU of round numbers, measures. */
#ifndef TESTS_GPU_OPS_H
#define TESTS_GPU_OPS_H

#include "models/model.h"
#include "traces/record.h"

struct row_source *gpu_rows(const struct trace_op *op, size_t n);
struct config *gpu_machine(bool half); /* the profile below; to config_free */

/* 100 SMs, 1000 GB/s, 100 TFLOPS, 10 GB/s link, slices of 1 ms, switches of 100 us, 16 GiB;
 * "x2": the same with SMs and FLOPS halved. */
struct gpu_case {
    const char *section; /* JSON; '..' for quotes */
    const struct trace_op *op;
    size_t n; /* the trace, or with programs: program "p" */
    const struct trace_op *other;
    size_t n_other; /* program "q" */
    bool programs, half;
    struct request_source *requests;
    uint64_t seed, shuffle;
    const struct policy_ops *policy;
    const struct model_infer *infer;
    const char *stack;
    const char *machine; /* a shipped profile instead */
};
struct measures *gpu_go(const struct gpu_case *c); /* fails the test on an error */
int gpu_try(const struct gpu_case *c, struct measures *m, struct err *e);
double gpu_number(const struct measures *m, const char *name); /* fails when it is not there */
const struct sketch *gpu_sketch(const struct measures *m, const char *name);

/* Rows. */
struct trace_op op_kernel(uint64_t at, uint64_t ns, uint32_t stream);
struct trace_op op_launch(uint64_t at, uint64_t ns, uint64_t correlation);

#endif
