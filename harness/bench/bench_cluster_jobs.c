/* bench_cluster_jobs.c - jobs through the model "cluster": Philly's 20,000 on a pool of 200 GPUs,
 * in a strict line, from the published file to the last end; and a million on 100,000 GPUs, made as
 * they are pulled, in a line that skips over, with their order by a policy and without.
 *
 * The aims: 0.1 s and 60 s on one core.  Others took 0.83 s (SimGrid 3.32) and 132 s (Alibaba's PAI
 * simulator) for the first.                                                   */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/places.h"
#include "harness/bench/bench.h"
#include "harness/bench/bench_jobs.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/model.h"
#include "traces/source.h"

#define PHILLY "data:philly20k/philly20k.csv.xz"

/* ---- a run ------------------------------------------------------------------------------------
 */

static int run(const char *section, struct row_source *rows, struct policy_slot *slot,
               uint64_t *done, struct err *e)
{
    const struct model_env env = {.seed = 1, .rows = rows, .policy = slot};
    struct measures *m = measures_new();
    struct config *c = NULL;
    int rc = m ? config_parse(&c, "bench", section, strlen(section), e)
               : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = model_cluster.run(c, &env, m, e);
    if (!rc)
        *done = (uint64_t)*measures_find(m, "completed");
    if (slot)
        slot->out = NULL;
    config_free(c);
    measures_free(m);
    return rc;
}

static int run_under(const char *name, const char *section, struct row_source *rows, uint64_t *done,
                     struct err *e)
{
    struct policy *policy;
    struct policy_session *session;
    const struct policy_session_want want = {.seed = 1};
    if (!name)
        return run(section, rows, NULL, done, e);
    int rc = policy_load(&policy, name, e);
    if (rc)
        return rc;
    struct policy_slot slot = {.ops = policy_ops(policy), .label = name};
    rc = policy_host_open(&session, &slot, &want, e);
    if (!rc) {
        rc = run(section, rows, &slot, done, e);
        const int closed = policy_host_close(session, e);
        rc = rc ? rc : closed;
    }
    policy_unload(policy);
    return rc;
}

static int open_philly(struct row_source **out, bool *here, struct err *e)
{
    static const char text[] = "{\"import\":{\"format\":\"pai-sim\",\"file\":\"" PHILLY "\"}}";
    struct config *section;
    struct trace_about about;
    char *root = places_root(""), *found = NULL;
    const struct trace_places where = {.root = root};
    *here = !trace_find(PHILLY, &where, &found, NULL);
    int rc = *here ? config_parse(&section, "bench", text, sizeof text - 1, e) : 0;
    if (*here && !rc) {
        rc = trace_rows_open(section, 1u << TRACE_JOBS, 1, &where, out, &about, e);
        config_free(section);
    }
    free(found);
    free(root);
    return rc;
}

static int philly(struct bench *b, struct err *e)
{
    double sample[BENCH_REPEATS];
    bool here = true;
    for (int i = 0; i < b->repeats; i++) {
        struct bench_jobs m = bench_jobs(20000, 200, 0.9);
        struct row_source *rows = NULL;
        uint64_t done;
        const double began = bench_cpu_s();
        int rc = open_philly(&rows, &here, e);
        if (!rc)
            rc = run_under("job-fifo", "{\"pool\":200}", here ? rows : &m.base, &done, e);
        if (rows)
            rows->close(rows);
        if (!rc && done != 20000)
            rc = err_set(e, ERR_EFAIL, "%llu jobs ended, want 20000", (unsigned long long)done);
        if (rc)
            return rc;
        sample[i] = bench_cpu_s() - began;
    }
    struct bench_row *r = bench_add(b, "s", sample, b->repeats, "philly20k.strict");
    r->target = 0.1;
    r->note =
        here ? "reading the published file and running" : "jobs made up: philly20k is not here";
    return 0;
}

static int million(struct bench *b, const char *policy, struct err *e)
{
    const uint64_t n = b->quick ? 20000 : 1000000, gpus = b->quick ? 2000 : 100000;
    struct bench_jobs m = bench_jobs(n, gpus, 0.95);
    char section[64];
    uint64_t done;
    snprintf(section, sizeof section, "{\"pool\":%llu,\"line\":\"skip-over\"}",
             (unsigned long long)gpus);
    const double began = bench_cpu_s();
    int rc = run_under(policy, section, &m.base, &done, e);
    double took = bench_cpu_s() - began;
    if (!rc && done != n)
        rc = err_set(e, ERR_EFAIL, "%llu jobs ended, want %llu", (unsigned long long)done,
                     (unsigned long long)n);
    if (!rc)
        bench_add(b, "s", &took, 1, "million.%s", policy ? policy : "arrival")->target = 60;
    return rc;
}

int bench_cluster_jobs(struct bench *b, struct err *e)
{
    int rc = philly(b, e);
    if (!rc)
        rc = million(b, NULL, e);
    return rc ? rc : million(b, "sjf-oracle", e);
}
