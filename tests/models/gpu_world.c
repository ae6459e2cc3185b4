#include "tests/models/gpu_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct device_params gpu_params(void)
{
    return (struct device_params){.sms = 100,
                                  .warps_per_sm = 64,
                                  .blocks_per_sm = 32,
                                  .registers_per_sm = 65536,
                                  .memory = 1000000000,
                                  .bandwidth = 1e12,
                                  .timeslice = 1000 * SIM_MS,
                                  .context_switch = 100 * SIM_MS,
                                  .preempt = 50 * SIM_MS,
                                  .copy_engines = 2,
                                  .link = 10e9,
                                  .duplex = 15e9,
                                  .pageable = 4e9,
                                  .peer = 50e9};
}

void gpu_world_begin(struct gpu_world *w, const struct device_params *p,
                     const struct sim_options *o)
{
    struct err e = {0};
    *w = (struct gpu_world){0};
    w->sim = sim_new(o);
    cr_assert_eq(device_new(&w->d, w->sim, p, &e), 0, "%s", e.msg);
}

void gpu_world_end(struct gpu_world *w)
{
    cr_expect(!sim_failed(w->sim));
    device_free(w->d);
    sim_free(w->sim);
    free(w->end);
}

struct device_context *gpu_context(struct gpu_world *w, uint32_t partition)
{
    struct err e = {0};
    struct device_context *c =
        device_context(w->d, &(struct device_context_want){.partition = partition}, &e);
    cr_assert(c, "%s", e.msg);
    return c;
}

struct device_stream *gpu_stream(struct device_context *c, int32_t prio)
{
    struct err e = {0};
    struct device_stream *s = device_stream(c, prio, &e);
    cr_assert(s, "%s", e.msg);
    return s;
}

static void log_end(void *ctx, uint64_t arg)
{
    struct gpu_world *w = ctx;
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->end = realloc(w->end, w->cap * sizeof *w->end);
        cr_assert(w->end);
    }
    w->end[w->n++] = (struct gpu_end){arg, sim_now(w->sim)};
}

struct device_call gpu_logs(struct gpu_world *w, uint64_t arg)
{
    return (struct device_call){.done = log_end, .ctx = w, .arg = arg};
}

uint64_t gpu_work(struct gpu_world *w, struct device_stream *s, uint64_t arg,
                  struct device_work work)
{
    const struct device_call call = gpu_logs(w, arg);
    return device_submit(s, &work, &call);
}

uint64_t gpu_kernel(struct gpu_world *w, struct device_stream *s, uint64_t arg, sim_time us)
{
    return gpu_work(w, s, arg, (struct device_work){.alone = us * SIM_MS});
}

uint64_t gpu_copy(struct gpu_world *w, struct device_stream *s, uint64_t arg, enum device_kind kind,
                  uint64_t bytes)
{
    return gpu_work(w, s, arg, (struct device_work){.kind = kind, .bytes = bytes});
}

sim_time gpu_ended(const struct gpu_world *w, uint64_t arg)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->end[i].arg == arg)
            return w->end[i].at;
    cr_assert(false, "command %llu has not ended", (unsigned long long)arg);
    return 0;
}
