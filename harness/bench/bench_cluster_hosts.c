/* bench_cluster_hosts.c - what it costs that nodes are full machines: the same jobs on the same
 * nodes, abstract, and with the model "host" behind each.
 *
 * A hundred thousand jobs on two thousand nodes of eight GPUs; four kinds of programs, by GPUs. The
 * aim: 30 s for the second.                                                   */
#include <string.h>

#include "harness/bench/bench.h"
#include "harness/bench/bench_jobs.h"
#include "harness/bench/bench_machine.h"
#include "models/model.h"

#define NODES(n) "{\"even\":{\"nodes\":" n ",\"gpus\":8},\"line\":\"skip-over\""
#define VM(kernels, us)                                                                            \
    "\"runs\":{\"vcpus\":4,\"pages\":\"2m\",\"workload\":{\"program\":\"training\","               \
    "\"workers\":2,\"kernels\":" kernels ",\"kernel_us\":" us "}}"
#define HOSTS                                                                                      \
    ",\"hosts\":{\"model\":\"host\",\"section\":{\"cpus\":24,\"duration_s\":0.5,"                  \
    "\"warmup_s\":0.1},\"jobs\":["                                                                 \
    "{\"name\":\"one\",\"gpus\":1," VM(                                                            \
        "300", "20") "},"                                                                          \
                     "{\"name\":\"four\",\"gpus\":4," VM(                                          \
                         "500", "40") "},"                                                         \
                                      "{\"name\":\"eight\",\"gpus\":8," VM(                        \
                                          "800", "60") "},"                                        \
                                                       "{\"name\":\"many\"," VM("200",             \
                                                                                "100") "}]}"

struct outcome {
    double cpu_s, done, mixes;
};

static int run(const char *text, const struct machine *machine, uint64_t jobs, uint64_t gpus,
               struct outcome *out, struct err *e)
{
    struct bench_jobs rows = bench_jobs(jobs, gpus, 0.8);
    const struct model_env env = {
        .seed = 1, .rows = &rows.base, .machine = machine, .stack = machine ? "kvm" : NULL};
    struct measures *m = measures_new();
    struct config *section = NULL;
    int rc = m ? config_parse(&section, "bench", text, strlen(text), e)
               : err_set(e, ERR_ENOMEM, "out of memory");
    const double began = bench_cpu_s();
    if (!rc)
        rc = model_cluster.run(section, &env, m, e);
    out->cpu_s = bench_cpu_s() - began;
    const double *done = rc ? NULL : measures_find(m, "completed");
    const double *mixes = rc ? NULL : measures_find(m, "hosts.simulated");
    out->done = done ? *done : 0;
    out->mixes = mixes ? *mixes : 0;
    config_free(section);
    measures_free(m);
    if (!rc && out->done < (double)jobs)
        rc = err_set(e, ERR_EFAIL, "%.0f jobs ended, want %llu", out->done,
                     (unsigned long long)jobs);
    return rc;
}

int bench_cluster_hosts(struct bench *b, struct err *e)
{
    static const char *const abstract[] = {NODES("2000") "}", NODES("50") "}"};
    static const char *const full[] = {NODES("2000") HOSTS "}", NODES("50") HOSTS "}"};
    const uint64_t jobs = b->quick ? 300 : 100000, gpus = b->quick ? 400 : 16000;
    struct outcome a, f;
    struct machine *m;
    int rc = bench_machine(&m, "machines/h100-server.json", e);
    if (!rc)
        rc = run(abstract[b->quick], NULL, jobs, gpus, &a, e);
    if (!rc)
        rc = run(full[b->quick], m, jobs, gpus, &f, e);
    machine_free(m);
    if (rc)
        return rc;
    bench_add(b, "s", &a.cpu_s, 1, "hosts.abstract");
    bench_add(b, "s", &f.cpu_s, 1, "hosts.full")->target = 30;
    bench_add(b, "1", &f.mixes, 1, "hosts.simulated")->note = "runs of the model \"host\" within";
    return 0;
}
