#include "tests/report/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/journal.h"
#include "sim/rng.h"

static const char *const stacks[] = {"kvm", "malv"};
static const struct {
    const char *value;
    double e2e, ttft; /* ms */
    double calls, cpu;
} policies[] = {
    {"fifo", 15200, 5200, 0, 0},
    {"shortest_prompt", 14800, 4100, 0, 0},
    {"{\"name\":\"learned_sjf\",\"label\":\"learned_sjf\"}", 12100, 2900, 4000, 0.031},
    {"{\"name\":\"learned_sjf\",\"label\":\"learned_sjf, not charged\"}", 11900, 2800, 4000, 0},
    {"oracle_sjf", 10900, 2300, 0, 0},
};
static const char *const caches[] = {"fifo", "clock", "lru", "arc", "belady"};
#define POLICIES (sizeof policies / sizeof *policies)

static const char experiment[] =
    "{\"schema\":\"malv-experiment/1\",\"name\":\"sample\",\"title\":\"A "
    "sample\",\"model\":\"serve\","
    "\"sweep\":{\"stack\":[\"kvm\",\"malv\"],\"policy\":[\"fifo\",\"a \\\"quoted\\\" "
    "name\"]},\"empty\":{}}";
static const char machine[] = "{\"name\":\"sample-server\",\"gpu\":{\"hbm_bandwidth\":{\"value\":"
                              "3350,\"unit\":\"GB/s\",\"source\":\"data sheet\","
                              "\"evidence\":\"published\"},\"launch\":{\"value\":4.2,\"unit\":"
                              "\"us\",\"source\":\"profile run\",\"evidence\":\"measured\"}},"
                              "\"kernel\":{\"syscall\":{\"value\":0.11,\"unit\":\"us\",\"source\":"
                              "\"typical of this class of machine; nobody "
                              "measured it "
                              "here\",\"evidence\":\"assumed\"},\"irq\":{\"value\":1.5,\"unit\":"
                              "\"us\",\"source\":\"<b>from memory</b>\","
                              "\"evidence\":\"assumed\"}}}";

static void latencies(struct measures *m, struct rng *r, const char *name, double mean)
{
    struct sketch *s = measures_sketch(m, name, "ms", false);
    for (int i = 0; i < 400; i++)
        sketch_add(s, 0.3 * mean + rng_exponential(r, 0.7 * mean));
}

static void level(struct measures *m, struct rng *r, const char *name, const char *unit, double top)
{
    struct measure_series *s = measures_series(m, name, unit);
    double at = 0.3 * top;
    for (unsigned i = 0; i < 300; i++) {
        at += (rng_unit(r) - 0.47) * 0.08 * top;
        at = at < 0 ? 0 : at > top ? top : at;
        series_level(s, i * 2 * SIM_SEC, at);
    }
}

static struct measures *serve_measures(size_t stack, size_t policy, uint64_t seed)
{
    struct measures *m = measures_new();
    struct rng common, own;
    rng_init(&common, seed, "sample", "load");
    rng_init_indexed(&own, seed, "sample", "own", policy * 10 + stack);
    const double load = 0.9 + 0.2 * rng_unit(&common), k = load * (stack ? 0.94 : 1);
    const double noise = 0.98 + 0.04 * rng_unit(&own);
    latencies(m, &own, "ttft", policies[policy].ttft * k * noise);
    latencies(m, &own, "tpot", 31 * k);
    latencies(m, &own, "e2e", policies[policy].e2e * k * noise);
    latencies(m, &own, "decision_latency", policies[policy].calls > 0 ? 0.05 : 0.002);
    measures_number(m, "requests", "1", BETTER_NONE, 4000);
    measures_number(m, "goodput", "requests/s", BETTER_MORE, 6.2 / k / noise);
    measures_number(m, "token_throughput", "tokens/s", BETTER_MORE, 1520 / noise);
    measures_number(m, "gpu_util", "1", BETTER_NONE, 0.93 * load > 1 ? 1 : 0.93 * load);
    measures_number(m, "load", "1", BETTER_NONE, load);
    measures_number(m, "infer_calls", "1", BETTER_NONE, policies[policy].calls);
    measures_number(m, "infer_cpu_time", "s", BETTER_LESS, policies[policy].cpu);
    measures_number(m, "infer_gpu_time", "s", BETTER_LESS, 0);
    level(m, &own, "waiting", "requests", 120);
    level(m, &own, "kv_used", "1", 1);
    return m;
}

/* A cache: misses, stalls, and shares that sum to one, some of them tiny. */
static struct measures *memory_measures(size_t stack, size_t policy, uint64_t seed)
{
    static const char *const part[] = {"compute", "walk",  "fault", "io",  "exit",  "copy",
                                       "wake",    "steal", "lock",  "ipc", "queue", "kernel"};
    struct measures *m = measures_new();
    struct rng r;
    rng_init_indexed(&r, seed, "sample", "memory", policy * 10 + stack);
    const double miss = (0.08 - 0.011 * (double)policy) * (0.97 + 0.06 * rng_unit(&r));
    const size_t n = stack ? 12 : 5;
    double left = 1;
    measures_number(m, "accesses", "1", BETTER_NONE, 1000000);
    measures_number(m, "miss_ratio", "1", BETTER_LESS, miss);
    measures_number(m, "fault_rate", "1/s", BETTER_LESS, 1e4 * miss);
    for (size_t i = n; i-- > 0;) {
        char name[32];
        const double share = i ? i < 4 ? miss * (double)(5 - i) : 0.004 * (double)(13 - i) : left;
        snprintf(name, sizeof name, "share.%s", part[i]);
        measures_number(m, name, "1", BETTER_NONE, share);
        left -= share;
    }
    measures_number(m, "ejected", "1", BETTER_LESS, 0);
    if (policy == POLICIES - 1)
        measures_incident(m, "oracle", "belady", 0, 0, "is told the truth in advance");
    latencies(m, &r, "stall", 0.2 * miss);
    return m;
}

static void factor(struct result_trial *t, const char *path, const char *value)
{
    t->factor = realloc(t->factor, (t->n_factor + 1) * sizeof *t->factor);
    t->factor[t->n_factor++] = (struct result_factor){strdup(path), strdup(value)};
}

static void add(struct result_set *rs, struct result_trial *t)
{
    struct err e = {0};
    if (results_add(rs, t, &e)) {
        fprintf(stderr, "sample: %s\n", e.msg);
        abort();
    }
}

static void make_rough(struct result_trial *t)
{
    if (t->index == 1) { /* one that did not finish */
        t->failed = true;
        t->why = strdup("trial 1: the model ran out of <memory> & \"quotes\"");
        measures_free(t->measures);
        t->measures = measures_new();
    } else if (t->index % 3 == 2) {
        measures_incident(t->measures, "ejected", "<script>alert(1)</script>", 3 * SIM_SEC, 17,
                          "answered 99 <img src=x onerror=alert(1)>, want 0 or 1");
    }
}

struct result_set *sample_new(const struct sample *s)
{
    const uint64_t planned = 2 * POLICIES * s->seeds;
    struct result_set *rs = results_new(
        "sample",
        s->rough ? "Rough <i>sample</i> & Söhne \"x\"" : "Five policies on two stacks (made up)",
        s->memory ? "{\"model\":\"memory\"}" : experiment, machine,
        "{\"source\":\"made up\",\"requests\":4000}", "0.0-test", planned);
    for (uint64_t i = 0; i + s->missing < planned; i++) {
        const size_t stack = i / (POLICIES * s->seeds), policy = i / s->seeds % POLICIES;
        struct result_trial t = {.index = i, .seed = 1 + i % s->seeds};
        t.measures = s->memory ? memory_measures(stack, policy, t.seed)
                               : serve_measures(stack, policy, t.seed);
        factor(&t, s->workloads ? "memory.phase" : "stack", stacks[stack]);
        factor(&t,
               s->workloads ? "memory.pattern"
               : s->memory  ? "policies.mem.evict"
                            : "policy",
               s->memory ? caches[policy] : policies[policy].value);
        if (s->rough)
            make_rough(&t);
        add(rs, &t);
    }
    return rs;
}

const char *sample_file(const struct sample *s)
{
    static char dir[64];
    char path[96];
    struct err e = {0};
    snprintf(dir, sizeof dir, "/tmp/malv-report-XXXXXX");
    struct result_set *rs = sample_new(s);
    if (!mkdtemp(dir))
        abort();
    snprintf(path, sizeof path, "%s/out.h5", dir);
    if (results_write(rs, path, &e)) {
        fprintf(stderr, "sample: %s\n", e.msg);
        abort();
    }
    results_free(rs);
    return dir;
}

const char *sample_journal(const struct sample *s, unsigned finished)
{
    static char dir[64];
    char path[96];
    struct err e = {0};
    struct journal *j = NULL;
    snprintf(dir, sizeof dir, "/tmp/malv-report-XXXXXX");
    struct result_set *rs = sample_new(s);
    struct result_set *head =
        results_new(rs->name, rs->title, rs->experiment_json, rs->machine_json, rs->trace_json,
                    rs->version, rs->planned);
    if (!mkdtemp(dir))
        abort();
    snprintf(path, sizeof path, "%s/out.h5" JOURNAL_SUFFIX, dir);
    int rc = journal_open(&j, path, head, &e);
    for (unsigned i = 0; !rc && i < finished; i++)
        rc = journal_append(j, &rs->trial[i], &e);
    if (rc) {
        fprintf(stderr, "sample: %s\n", e.msg);
        abort();
    }
    journal_close(j);
    results_free(head);
    results_free(rs);
    return dir;
}

struct result_set *sample_numbers(const double *what, unsigned n_policy, unsigned seeds,
                                  uint64_t first_seed)
{
    struct result_set *rs =
        results_new("numbers", "", "{}", "", "{}", "test", (uint64_t)n_policy * seeds);
    for (unsigned i = 0; i < n_policy * seeds; i++) {
        struct result_trial t = {
            .index = i, .seed = first_seed + i % seeds, .measures = measures_new()};
        const char name[2] = {(char)('a' + i / seeds), 0};
        factor(&t, "policy", name);
        measures_number(t.measures, "x", "ms", BETTER_LESS, what[i]);
        add(rs, &t);
    }
    return rs;
}
