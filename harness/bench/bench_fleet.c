/* bench_fleet.c - requests through many serving engines: CPU time of one core, peak memory.
 *
 *     week   44 million requests of the rate of Azure's 2024 trace (44,107,694 in
 *            a week), synthesized as azure-conv, over 1,000 engines of the shipped
 *            H100 profile, by tokens
 *     code   code completions over 40 prefill and 30 decode engines with Splitwise's
 *            measured times of BLOOM-176B on an H100 server, at its 70 requests/s
 *
 * Making the requests is part of both.  Each runs in a process of its own, so
 * that its peak memory is its own.  On such a machine splitwise-sim does 1,543
 * requests/s of code, Vidur 280.                                            */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/bench/bench.h"
#include "harness/bench/bench_machine.h"
#include "harness/policy/policy_load.h"
#include "models/machine.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "traces/source.h"

#define WEEK     UINT64_C(44107694)
#define WEEK_S   600.0  /* CPU seconds at most */
#define WEEK_MIB 1000.0 /* peak memory at most */
#define CODE_US  5.0    /* CPU microseconds per request at most: 200,000 requests/s */

struct load {
    const char *name, *preset, *section;
    double rate_per_s;
    uint64_t requests;
};

static const char week[] =
    "{\"pools\":{\"all\":{\"engines\":1000,\"cost\":{\"llm\":\"llama-3.1-8b\"}}}}";
#define BLOOM                                                                                      \
    "\"kv_tokens\":79000,\"kv_bytes\":4014080,\"rule\":\"prompts-first\",\"max_running\":512,"     \
    "\"cost\":{\"prefill_ms\":[10,0.125,0],\"decode_ms\":[35,0,0.45],"                             \
    "\"source\":\"medians of splitwise-sim's perf_model.csv, BLOOM-176B, DGX-H100\"}"
static const char code[] =
    "{\"pools\":{\"prompt\":{\"role\":\"prefill\",\"engines\":40," BLOOM "},"
    "\"token\":{\"role\":\"decode\",\"engines\":30," BLOOM "}},"
    "\"link\":{\"gb_per_s\":200,\"source\":\"splitwise-sim, transfer_bandwidth\"}}";

struct answer {
    double cpu_s, completed;
    struct err e;
};

static int open_requests(const struct load *l, struct request_source **out, struct err *e)
{
    char text[160];
    struct config *section;
    struct trace_about about;
    snprintf(text, sizeof text,
             "{\"synth\":{\"preset\":\"%s\",\"requests\":%llu,\"rate_per_s\":%g}}", l->preset,
             (unsigned long long)l->requests, l->rate_per_s);
    int rc = config_parse(&section, "bench", text, strlen(text), e);
    if (!rc) {
        rc = trace_source_open(section, 1, &(struct trace_places){0}, out, &about, e);
        config_free(section);
    }
    return rc;
}

static int run_model(const struct load *l, struct model_env *env, struct answer *a, struct err *e)
{
    struct measures *out = measures_new();
    struct config *section = NULL;
    int rc = out ? config_parse(&section, "bench", l->section, strlen(l->section), e)
                 : err_set(e, ERR_ENOMEM, "out of memory");
    const double began = bench_cpu_s();
    if (!rc)
        rc = model_fleet.run(section, env, out, e);
    a->cpu_s = bench_cpu_s() - began;
    const double *done = rc ? NULL : measures_find(out, "completed");
    a->completed = done ? *done : 0;
    config_free(section);
    measures_free(out);
    return rc;
}

static double no_param(void *host, const char *name, double otherwise)
{
    (void)host, (void)name;
    return otherwise;
}

static int under_policy(const struct load *l, struct model_env *env, struct answer *a,
                        struct err *e)
{
    const struct policy_host host = {.param = no_param};
    struct policy *policy;
    int rc = policy_load(&policy, "route-jsq-tokens", e);
    if (rc)
        return rc;
    struct policy_slot slot = {.ops = policy_ops(policy), .label = "route-jsq-tokens"};
    policy_slot_create(&slot, &host, NULL, NULL);
    env->policy = &slot;
    rc = run_model(l, env, a, e);
    env->policy = NULL;
    policy_slot_destroy(&slot);
    policy_unload(policy);
    return rc;
}

static int serve(const struct load *l, struct answer *a, struct err *e)
{
    struct machine *m = NULL;
    struct model_env env = {.seed = 1, .stack = "native"};
    int rc = bench_machine(&m, "machines/h100-server.json", e);
    env.machine = m;
    if (!rc)
        rc = open_requests(l, &env.requests, e);
    if (!rc)
        rc = under_policy(l, &env, a, e);
    if (env.requests)
        env.requests->close(env.requests);
    machine_free(m);
    return rc;
}

static int in_child(const struct load *l, struct answer *a, double *rss_mib, struct err *e)
{
    int pipe_fd[2], status;
    struct rusage use;
    fflush(NULL);
    if (pipe(pipe_fd))
        return err_set(e, ERR_EIO, "pipe: %s", strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) {
        struct answer own = {0};
        if (serve(l, &own, &own.e) && !own.e.code)
            err_set(&own.e, ERR_EFAIL, "the run failed without a word");
        const ssize_t n = write(pipe_fd[1], &own, sizeof own);
        _exit(n == (ssize_t)sizeof own ? 0 : 1);
    }
    close(pipe_fd[1]);
    const ssize_t n = pid < 0 ? -1 : read(pipe_fd[0], a, sizeof *a);
    close(pipe_fd[0]);
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid || n != (ssize_t)sizeof *a)
        return err_set(e, ERR_EFAIL, "the benchmark's process ended early");
    *rss_mib = (double)use.ru_maxrss / 1024;
    return a->e.code ? err_set(e, a->e.code, "%s", a->e.msg) : 0;
}

static void row(struct bench *b, const char *load, const char *what, const char *unit, double v,
                double target)
{
    struct bench_row *r = bench_add(b, unit, &v, 1, "%s.%s", load, what);
    if (r)
        r->target = target;
}

static int measure(struct bench *b, const struct load *l, double us, double mib, struct err *e)
{
    struct answer a;
    double rss = 0;
    int rc = in_child(l, &a, &rss, e);
    if (rc)
        return rc;
    if (a.completed != (double)l->requests)
        return err_set(e, ERR_EFAIL, "%.0f of %llu requests were served", a.completed,
                       (unsigned long long)l->requests);
    row(b, l->name, "cost", "us/request", a.cpu_s * 1e6 / (double)l->requests, us);
    row(b, l->name, "time", "s", a.cpu_s, 0);
    row(b, l->name, "speed", "requests/s", (double)l->requests / a.cpu_s, 0);
    row(b, l->name, "rss", "MiB", rss, mib);
    return 0;
}

int bench_fleet(struct bench *b, struct err *e)
{
    const struct load all = {.name = "week",
                             .preset = "azure-conv",
                             .section = week,
                             .rate_per_s = (double)WEEK / (7 * 86400.0),
                             .requests = b->quick ? 300000 : WEEK};
    const struct load some = {.name = "code",
                              .preset = "azure-code",
                              .section = code,
                              .rate_per_s = 70,
                              .requests = b->quick ? 200000 : 4000000};
    int rc = measure(b, &all, WEEK_S * 1e6 / (double)WEEK, WEEK_MIB, e);
    if (!rc)
        rc = measure(b, &some, CODE_US, WEEK_MIB, e);
    return rc;
}
