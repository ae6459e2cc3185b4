#include "harness/bench/bench_jobs.h"

/* Mean 6.6 GPUs, mean duration 2800 s (lognormal, coefficient of variation 2.8). */
static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct bench_jobs *m = (struct bench_jobs *)self;
    (void)e;
    if (m->row == m->n)
        return 0;
    const uint64_t kind = rng_below(&m->rng, 100);
    m->at_ns += rng_exponential(&m->rng, m->gap_ns);
    out->job =
        (struct trace_job){.time_ns = (uint64_t)m->at_ns,
                           .duration_ns = (uint64_t)(1e9 * rng_lognormal(&m->rng, 6.85, 1.48)),
                           .gpus = kind < 50   ? 1
                                   : kind < 70 ? 4
                                   : kind < 95 ? 8
                                               : 64,
                           .gpu_milli = 1000,
                           .gpu_spec = TRACE_NAME_NONE,
                           .user = (uint32_t)rng_below(&m->rng, 200),
                           .group = TRACE_NAME_NONE,
                           .status = TRACE_NAME_NONE,
                           .name = TRACE_NAME_NONE,
                           .qos = TRACE_NAME_NONE,
                           .wait_ns = TRACE_TIME_NONE,
                           .row = m->row};
    m->row++;
    return 1;
}

static int again(struct row_source *self, struct err *e)
{
    (void)self, (void)e;
    return 0;
}

static void leave(struct row_source *self)
{
    (void)self;
}

struct bench_jobs bench_jobs(uint64_t n, uint64_t gpus, double load)
{
    struct bench_jobs m = {.base = {TRACE_JOBS, next, again, leave, n, NULL},
                           .n = n,
                           .gap_ns = 6.5 * 2821e9 / ((double)gpus * load)};
    rng_init(&m.rng, 1, "bench", "jobs");
    return m;
}
