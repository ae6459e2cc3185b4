/* bench_gpu.c - kernels of a captured timeline through the model "gpu", and how much memory a long
 * one takes.
 *
 * In-order kernels of one stream, made as they are pulled (a few ns each), replayed on the shipped
 * A100: without launch rows, with one for each, and over four streams side by side.  Each replay
 * must end where the timeline does.  The aim: 3 million kernels a second for the first.  Then a
 * synthesized program with launches, waits and copies, streamed, each length in a process of its
 * own: ten times as many kernels must not take more memory.                        */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/bench/bench.h"
#include "harness/bench/bench_machine.h"
#include "models/machine.h"
#include "models/model.h"
#include "traces/source.h"

#define TARGET_NS  333.3 /* 3 million a second */
#define RSS_GROWTH 1.05  /* what ten times the kernels may take */
enum { KERNEL_NS = 8000, GAP_NS = 1000, LAUNCH_NS = 3000 };

struct kernels { /* a timeline made on the fly */
    struct row_source base;
    uint64_t n, made;
    uint32_t streams;
    bool launches, launched;
};

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    (void)e;
    struct kernels *k = (struct kernels *)self;
    if (k->made == k->n)
        return 0;
    uint64_t round = k->made / k->streams, at = LAUNCH_NS + round * (KERNEL_NS + GAP_NS);
    out->op = (struct trace_op){.time_ns = at,
                                .kind = TRACE_OP_KERNEL,
                                .stream = (uint32_t)(k->made % k->streams),
                                .duration_ns = KERNEL_NS,
                                .sms = 100 / k->streams,
                                .bound = TRACE_OP_BOUND_COMPUTE,
                                .correlation = k->launches ? k->made + 1 : 0};
    if (k->launches && !k->launched) {
        out->op.kind = TRACE_OP_LAUNCH;
        out->op.time_ns = at - LAUNCH_NS;
        out->op.device = TRACE_NAME_NONE;
        out->op.stream = 0;
        out->op.duration_ns = LAUNCH_NS / 2;
        k->launched = true;
        return 1;
    }
    k->launched = false;
    k->made++;
    return 1;
}

static int again(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct kernels *)self)->made = 0;
    return 0;
}

static void shut(struct row_source *self)
{
    (void)self;
}

/* ---- a replay ------------------------------------------------------------------------- */

struct outcome {
    double cpu_s, kernels, span_error;
    struct err e;
};

static int replay(struct row_source *rows, struct outcome *out, struct err *e)
{
    struct machine *machine;
    struct config *section = NULL;
    struct measures *m = measures_new();
    int rc = m ? bench_machine(&machine, "machines/a100-server.json", e)
               : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = config_parse(&section, "bench", "{}", 2, e);
    if (!rc) {
        struct model_env env = {.seed = 1, .machine = machine, .rows = rows};
        double began = bench_cpu_s();
        rc = model_gpu.run(section, &env, m, e);
        out->cpu_s = bench_cpu_s() - began;
    }
    if (!rc) {
        out->kernels = *measures_find(m, "kernels");
        out->span_error = *measures_find(m, "span_error");
    }
    config_free(section);
    if (m)
        machine_free(machine);
    measures_free(m);
    return rc;
}

static int timed(struct bench *b, const char *name, uint32_t streams, bool launches, double target,
                 struct err *e)
{
    double sample[BENCH_REPEATS];
    struct kernels k = {.base = {TRACE_OPS, next, again, shut, 0, NULL},
                        .n = b->quick ? 1 << 16 : 1 << 21,
                        .streams = streams,
                        .launches = launches};
    for (int i = 0; i < b->repeats; i++) {
        struct outcome o = {0};
        k.made = 0;
        int rc = replay(&k.base, &o, e);
        if (!rc && (o.kernels != (double)k.n || o.span_error > 1e-6 || o.span_error < -1e-6))
            rc =
                err_set(e, ERR_EFAIL, "%s: %.0f kernels replayed, want %llu; span error %g, want 0",
                        name, o.kernels, (unsigned long long)k.n, o.span_error);
        if (rc)
            return rc;
        sample[i] = 1e9 * o.cpu_s / (double)k.n;
    }
    bench_add(b, "ns/kernel", sample, b->repeats, "%s", name)->target = target;
    return 0;
}

/* ---- memory: a process of its own for each length ---------------------------------------- */

static int stream(uint64_t rows, struct outcome *out, struct err *e)
{
    struct config *section = NULL;
    struct row_source *source = NULL;
    struct trace_about about;
    char text[128];
    snprintf(text, sizeof text, "{\"synth\":{\"preset\":\"bert-train\",\"rows\":%llu}}",
             (unsigned long long)rows);
    int rc = config_parse(&section, "bench", text, strlen(text), e);
    if (!rc)
        rc = trace_rows_open(section, 1u << TRACE_OPS, 1, &(struct trace_places){0}, &source,
                             &about, e);
    if (!rc)
        rc = replay(source, out, e);
    if (source)
        source->close(source);
    config_free(section);
    return rc;
}

static void child(uint64_t rows, int to)
{
    struct outcome out = {0};
    if (stream(rows, &out, &out.e) && !out.e.code)
        err_set(&out.e, ERR_EFAIL, "the replay failed without a word");
    ssize_t n = write(to, &out, sizeof out);
    _exit(n == (ssize_t)sizeof out ? 0 : 1);
}

static int apart(uint64_t rows, struct outcome *out, double *mib, struct err *e)
{
    int fd[2], status;
    struct rusage use;
    fflush(NULL);
    if (pipe(fd))
        return err_set(e, ERR_EIO, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        child(rows, fd[1]);
    close(fd[1]);
    ssize_t n = pid < 0 ? -1 : read(fd[0], out, sizeof *out);
    close(fd[0]);
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid || n != (ssize_t)sizeof *out)
        return err_set(e, ERR_EFAIL, "the replay's process ended early");
    *mib = (double)use.ru_maxrss / 1024;
    return out->e.code ? err_set(e, out->e.code, "%s", out->e.msg) : 0;
}

static void row(struct bench *b, double value, double target, const char *unit, const char *name)
{
    bench_add(b, unit, &value, 1, "%s", name)->target = target;
}

static int bounded(struct bench *b, struct err *e)
{
    const uint64_t few = b->quick ? 200000 : 10000000; /* rows: half of them are kernels */
    struct outcome a = {0}, z = {0};
    double mib_few = 0, mib_most = 0;
    int rc = apart(few, &a, &mib_few, e);
    if (!rc)
        rc = apart(10 * few, &z, &mib_most, e);
    if (rc)
        return rc;
    row(b, mib_few, 0, "MiB", b->quick ? "stream.rss.100k" : "stream.rss.5M");
    row(b, mib_most, 0, "MiB", b->quick ? "stream.rss.1M" : "stream.rss.50M");
    row(b, mib_most / mib_few, RSS_GROWTH, "1", "stream.rss_growth");
    row(b, 1e9 * z.cpu_s / z.kernels, 0, "ns/kernel", "stream.launches_waits_copies");
    return 0;
}

int bench_gpu(struct bench *b, struct err *e)
{
    int rc = timed(b, "in_order", 1, false, TARGET_NS, e);
    if (!rc)
        rc = timed(b, "in_order.launches", 1, true, 0, e);
    if (!rc)
        rc = timed(b, "four_streams", 4, false, 0, e);
    return rc ? rc : bounded(b, e);
}
