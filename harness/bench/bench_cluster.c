/* bench_cluster.c - pods placed on the nodes of a production cluster, one after another.
 *
 * The openb trace (8,152 pods, 1,523 nodes) inflated to 130 % of the cluster's GPUs, where the data
 * is; else a cluster made up to look like it.  All of a trial is timed: reading, drawing, placing,
 * and measuring fragments after every pod.  The aims: 0.5 s for best fit, 3 s for FGD on one core.
 * The authors' simulator places some 5 pods a second.                       */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/bench/bench.h"
#include "harness/base/places.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/model.h"
#include "sim/rng.h"
#include "traces/source.h"

#define PODS  "data:alibaba-openb-2023/openb_pod_list_default.csv"
#define NODES "data:alibaba-openb-2023/openb_node_list_all_node.csv"

/* ---- a cluster made up ---------------------------------------------------------------- */

struct made_up {
    struct row_source source;
    struct rng rng;
    uint64_t left, row;
};

static int next_node(struct row_source *self, union trace_row *out, struct err *e)
{
    struct made_up *m = (struct made_up *)self;
    (void)e;
    if (!m->left--)
        return 0;
    const uint64_t kind = rng_below(&m->rng, 10);
    const uint32_t gpus = kind < 2 ? 0 : kind < 5 ? 2 : kind < 6 ? 4 : 8;
    out->node = (struct trace_node){.name = TRACE_NAME_NONE,
                                    .model = gpus ? gpus / 4 : TRACE_NAME_NONE,
                                    .gpus = gpus,
                                    .cpu_milli = gpus < 8 ? 64000 + 16000 * gpus : 128000,
                                    .mem_bytes = UINT64_C(400) << 30};
    return 1;
}

static int next_pod(struct row_source *self, union trace_row *out, struct err *e)
{
    struct made_up *m = (struct made_up *)self;
    (void)e;
    if (!m->left--)
        return 0;
    const uint64_t kind = rng_below(&m->rng, 1000);
    struct trace_job *j = &out->job;
    *j = (struct trace_job){.duration_ns = TRACE_TIME_NONE,
                            .wait_ns = TRACE_TIME_NONE,
                            .gpus = kind < 130   ? 0
                                    : kind < 990 ? 1
                                    : kind < 995 ? 2
                                                 : 8,
                            .gpu_milli = 1000,
                            .gpu_spec = TRACE_NAME_NONE,
                            .user = TRACE_NAME_NONE,
                            .group = TRACE_NAME_NONE,
                            .status = TRACE_NAME_NONE,
                            .name = TRACE_NAME_NONE,
                            .qos = TRACE_NAME_NONE,
                            .row = m->row++};
    j->cpu_milli = (1 + (uint32_t)rng_below(&m->rng, 12)) * 1000 * (j->gpus ? j->gpus : 1);
    j->mem_bytes = rng_below(&m->rng, UINT64_C(64) << 30);
    if (kind >= 130 && kind < 510)
        j->gpu_milli = 50 * (1 + (uint32_t)rng_below(&m->rng, 19));
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

static struct made_up made_up(enum trace_table table, uint64_t rows)
{
    struct made_up m = {.source = {.table = table,
                                   .next = table == TRACE_NODES ? next_node : next_pod,
                                   .rewind = again,
                                   .close = leave},
                        .left = rows};
    rng_init(&m.rng, 1, "bench", table == TRACE_NODES ? "nodes" : "pods");
    return m;
}

/* ---- a trial -------------------------------------------------------------------------- */

static int open_rows(const char *file, const char *format, enum trace_table table,
                     struct row_source **out, struct err *e)
{
    char text[256];
    struct config *section;
    struct trace_about about;
    snprintf(text, sizeof text, "{\"import\":{\"format\":\"%s\",\"file\":\"%s\"}}", format, file);
    char *root = places_root("");
    const struct trace_places where = {.root = root};
    int rc = config_parse(&section, "bench", text, strlen(text), e);
    if (!rc) {
        rc = trace_rows_open(section, 1u << table, 1, &where, out, &about, e);
        config_free(section);
    }
    free(root);
    return rc;
}

static int pack(struct policy_slot *slot, struct row_source *nodes, struct row_source *pods,
                struct err *e)
{
    static const char section[] = "{\"part\":\"memory\",\"load\":1.3}";
    const struct model_env env = {.seed = 1, .rows = pods, .nodes = nodes, .policy = slot};
    struct measures *m = measures_new();
    struct config *c = NULL;
    int rc = m ? config_parse(&c, "bench", section, strlen(section), e)
               : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = model_packing.run(c, &env, m, e);
    if (!rc && slot->ejected != EJECT_NONE)
        rc = err_set(e, ERR_EFAIL, "%s: %s", slot->label, slot->eject_note);
    config_free(c);
    slot->out = NULL;
    measures_free(m);
    return rc;
}

static int with_rows(struct policy_slot *slot, bool real, struct err *e)
{
    struct made_up node = made_up(TRACE_NODES, 1523), pod = made_up(TRACE_JOBS, 8152);
    struct row_source *nodes = &node.source, *pods = &pod.source;
    if (!real)
        return pack(slot, nodes, pods, e);
    int rc = open_rows(NODES, "openb-nodes", TRACE_NODES, &nodes, e);
    if (rc)
        return rc;
    rc = open_rows(PODS, "openb-pods", TRACE_JOBS, &pods, e);
    if (!rc) {
        rc = pack(slot, nodes, pods, e);
        pods->close(pods);
    }
    nodes->close(nodes);
    return rc;
}

static int trial(const char *name, bool real, double *seconds, struct err *e)
{
    struct policy *policy;
    struct policy_session *session;
    const struct policy_session_want want = {.seed = 1};
    int rc = policy_load(&policy, name, e);
    if (rc)
        return rc;
    struct policy_slot slot = {.ops = policy_ops(policy), .label = name};
    rc = policy_host_open(&session, &slot, &want, e);
    if (!rc) {
        const double began = bench_cpu_s();
        rc = with_rows(&slot, real, e);
        *seconds = bench_cpu_s() - began;
        int closed = policy_host_close(session, e);
        rc = rc ? rc : closed;
    }
    policy_unload(policy);
    return rc;
}

static bool is_here(const char *file)
{
    char *root = places_root(""), *found = NULL;
    const struct trace_places where = {.root = root};
    const bool here = !trace_find(file, &where, &found, NULL);
    free(found);
    free(root);
    return here;
}

static int openb(struct bench *b, struct err *e)
{
    static const struct {
        const char *policy;
        double target;
    } rows[] = {{"best-fit", 0.5}, {"fgd", 3}, {"random-place", 0}, {"pack-racks", 0}};
    const bool real = is_here(PODS) && is_here(NODES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double sample[BENCH_REPEATS];
        for (int k = 0; k < b->repeats; k++) {
            int rc = trial(rows[i].policy, real, &sample[k], e);
            if (rc)
                return rc;
        }
        struct bench_row *r = bench_add(b, "s", sample, b->repeats, "openb.%s", rows[i].policy);
        r->target = rows[i].target;
        r->note = real ? NULL : "a cluster made up: the openb trace is not here";
    }
    return 0;
}

int bench_cluster(struct bench *b, struct err *e)
{
    int rc = openb(b, e);
    if (!rc)
        rc = bench_cluster_jobs(b, e);
    return rc ? rc : bench_cluster_hosts(b, e);
}
