/* preset.c - the usual tenants, as programs. */
#include <stddef.h>

#include "models/host/program.h"

const char *const preset_names[] = {"training", "inference", "cpu", "memory", "io", "ops", NULL};

#define KIB      UINT64_C(1024)
#define MIB      (KIB * 1024)
#define NS(us)   ((sim_time)((us)*1e3 + 0.5))
#define SIZE(mb) ((uint64_t)((mb) * (double)MIB + 0.5))

/* One struct for all presets: each fills what its table names. */
struct params {
    uint64_t kernel_sms, steps, workers, prefetch, samples, ranks, kernels, threads, batch,
        write_every;
    double batch_mib, read_mib, load_us, framework_us, kernel_us, memory_bound, working_set_mib;
    double rate_per_s, parse_us, compute_us, lock_us, think_us, io_kib, jitter, touch_mib;
    const struct config *program, *sync;
    bool poll;
};
#define U(key, lo, hi) CONFIG_U64(struct params, key, lo, hi, false)
#define F(key, lo, hi) CONFIG_F64(struct params, key, lo, hi, false)
#define COMMON                                                                                     \
    CONFIG_ANY(struct params, program, true), F(jitter, 0, 0.9), F(memory_bound, 0, 1),            \
        F(working_set_mib, 0, 1e7)

static const struct config_field training[] = {U(steps, 0, 1e9),
                                               U(workers, 0, 32),
                                               U(prefetch, 1, 1024),
                                               U(samples, 1, PROGRAM_FETCH_MAX),
                                               U(ranks, 1, 16),
                                               U(kernels, 1, 1e6),
                                               F(batch_mib, 0, 1e5),
                                               F(read_mib, 0, 1e5),
                                               F(load_us, 0, 1e8),
                                               F(framework_us, 0, 1e8),
                                               F(kernel_us, 0.001, 1e8),
                                               U(kernel_sms, 1, 65536),
                                               CONFIG_ANY(struct params, sync, false),
                                               COMMON,
                                               CONFIG_END};
static const struct config_field inference[] = {F(rate_per_s, 0.001, 1e7),
                                                U(batch, 1, 4096),
                                                U(kernels, 1, 1e6),
                                                F(batch_mib, 0, 1e5),
                                                F(framework_us, 0, 1e8),
                                                F(kernel_us, 0.001, 1e8),
                                                U(kernel_sms, 1, 65536),
                                                CONFIG_ANY(struct params, sync, false),
                                                COMMON,
                                                CONFIG_END};
static const struct config_field cpu[] = {U(threads, 1, 256), F(compute_us, 0.001, 1e8),
                                          F(lock_us, 0, 1e8), COMMON, CONFIG_END};
static const struct config_field memory[] = {U(threads, 1, 256), F(compute_us, 0.001, 1e8),
                                             F(touch_mib, 0, 1e5), COMMON, CONFIG_END};
static const struct config_field io[] = {
    U(threads, 1, 256), F(io_kib, 0.5, 1e6), F(think_us, 0, 1e8), U(write_every, 0, 1e6), COMMON,
    CONFIG_END};

static const struct params defaults[] = {
    {.steps = 0,
     .workers = 2,
     .prefetch = 4,
     .samples = 1,
     .ranks = 1,
     .kernels = 1000,
     .batch_mib = 16,
     .read_mib = 4,
     .load_us = 20000,
     .framework_us = 2000,
     .kernel_us = 60,
     .memory_bound = 0.2,
     .working_set_mib = 256,
     .jitter = 0.02},
    {.rate_per_s = 100,
     .batch = 8,
     .kernels = 200,
     .batch_mib = 0.5,
     .framework_us = 300,
     .kernel_us = 20,
     .memory_bound = 0.2,
     .working_set_mib = 64,
     .jitter = 0.02},
    {.threads = 1, .compute_us = 100, .lock_us = 0, .jitter = 0.02},
    {.threads = 1,
     .compute_us = 1000,
     .memory_bound = 0.9,
     .working_set_mib = 1024,
     .jitter = 0.02},
    {.threads = 1, .io_kib = 4, .think_us = 20, .jitter = 0.02},
};

/* ---- building ----------------------------------------------------------------- */

static struct crew *crew_add(struct workload *w, const char *name, uint64_t threads)
{
    struct crew *c = &w->crew[w->n++];
    *c = (struct crew){.name = name, .threads = (uint32_t)threads};
    return c;
}

static bool add(struct program *p, bool wanted, struct op op)
{
    return !wanted || program_add(p, op);
}

static struct op work(const struct params *q, double us)
{
    return (struct op){.kind = OP_compute,
                       .ns = NS(us),
                       .memory_bound = q->memory_bound,
                       .bytes = SIZE(q->working_set_mib)};
}

#define OP(k, ...) ((struct op){.kind = OP_##k, __VA_ARGS__})

/* Read, decode: by input workers, or by the main thread when there is none. */
static bool load(struct program *p, const struct params *q)
{
    const uint64_t sample = SIZE(q->read_mib / (double)(q->samples ? q->samples : 1));
    return add(p, q->read_mib > 0, OP(fetch, .count = q->samples, .bytes = sample)) &&
           add(p, q->load_us > 0, work(q, q->load_us));
}

/* Stage, copy, launch, synchronize: what both training and inference do with a batch. */
static bool on_gpu(struct program *p, const struct params *q)
{
    const uint64_t bytes = SIZE(q->batch_mib);
    return add(p, bytes > 0, OP(stage, .bytes = bytes)) &&
           add(p, bytes > 0, OP(copy, .bytes = bytes)) &&
           add(p, q->framework_us > 0, work(q, q->framework_us)) &&
           add(p, true,
               OP(launch, .count = q->kernels, .ns = NS(q->kernel_us),
                  .sms = (uint32_t)q->kernel_sms)) &&
           add(p, true, OP(sync, .poll = q->poll));
}

static bool build_training(struct workload *w, const struct params *q)
{
    struct crew *main = crew_add(w, "main", q->ranks);
    struct program *p = &main->program;
    main->own_stream = true;
    bool ok = add(p, true, OP(loop, .count = q->steps)) && add(p, true, OP(begin, 0)) &&
              add(p, q->workers > 0, OP(take, .count = q->prefetch * q->ranks)) &&
              (q->workers > 0 || load(p, q)) && on_gpu(p, q) &&
              add(p, q->ranks > 1, OP(barrier, .count = q->ranks)) && add(p, true, OP(done, 0)) &&
              add(p, true, OP(end, 0));
    if (!q->workers || !ok)
        return ok;
    struct crew *input = crew_add(w, "input", q->workers);
    input->daemon = true;
    p = &input->program;
    return add(p, true, OP(loop, 0)) && load(p, q) &&
           add(p, true, OP(put, .count = q->prefetch * q->ranks)) && add(p, true, OP(end, 0));
}

static bool build_inference(struct workload *w, const struct params *q)
{
    struct program *p = &crew_add(w, "server", 1)->program;
    w->rate_per_s = q->rate_per_s;
    w->requests = true;
    return add(p, true, OP(loop, 0)) && add(p, true, OP(receive, .count = q->batch)) &&
           on_gpu(p, q) && add(p, true, OP(send, 0)) && add(p, true, OP(done, 0)) &&
           add(p, true, OP(end, 0));
}

/* Half outside the lock, then what is under it. */
static bool build_cpu(struct workload *w, const struct params *q)
{
    struct program *p = &crew_add(w, "cpu", q->threads)->program;
    const bool locks = q->lock_us > 0;
    return add(p, true, OP(loop, 0)) && add(p, true, OP(begin, 0)) &&
           add(p, true, work(q, q->compute_us)) && add(p, locks, OP(syscall, 0)) &&
           add(p, locks, OP(lock, 0)) && add(p, locks, work(q, q->lock_us)) &&
           add(p, locks, OP(unlock, 0)) && add(p, true, OP(done, 0)) && add(p, true, OP(end, 0));
}

static bool build_memory(struct workload *w, const struct params *q)
{
    struct program *p = &crew_add(w, "memory", q->threads)->program;
    return add(p, true, OP(loop, 0)) && add(p, true, OP(begin, 0)) &&
           add(p, q->touch_mib > 0, OP(touch, .bytes = SIZE(q->touch_mib))) &&
           add(p, true, work(q, q->compute_us)) && add(p, true, OP(done, 0)) &&
           add(p, true, OP(end, 0));
}

static bool build_io(struct workload *w, const struct params *q)
{
    struct program *p = &crew_add(w, "client", q->threads)->program;
    const uint64_t bytes = (uint64_t)(q->io_kib * (double)KIB);
    bool ok = add(p, true, OP(loop, 0));
    if (q->write_every) /* reads, then one write */
        ok = ok && add(p, true, OP(loop, .count = q->write_every));
    ok = ok && add(p, true, OP(begin, 0)) && add(p, true, OP(read, .bytes = bytes)) &&
         add(p, q->think_us > 0, work(q, q->think_us)) && add(p, true, OP(done, 0));
    if (q->write_every)
        ok = ok && add(p, true, OP(end, 0)) && add(p, true, OP(begin, 0)) &&
             add(p, true, OP(write, .bytes = bytes)) && add(p, true, OP(done, 0));
    return ok && add(p, true, OP(end, 0));
}

int preset_read(struct workload *w, int preset, const struct config *c, struct err *e)
{
    static const struct config_field *const tables[] = {training, inference, cpu, memory, io};
    static bool (*const builders[])(struct workload *, const struct params *) = {
        build_training, build_inference, build_cpu, build_memory, build_io};
    static const char *const syncs[] = {"blocking", "polling", NULL};
    struct params q = defaults[preset];
    int sync = 1, rc = config_fill(c, tables[preset], &q, e);
    if (!rc && q.sync)
        rc = config_choice(q.sync, syncs, &sync, e);
    if (rc)
        return rc;
    q.poll = sync == 1;
    w->jitter = q.jitter;
    return builders[preset](w, &q) ? 0 : err_set(e, ERR_ENOMEM, "out of memory for a program");
}
