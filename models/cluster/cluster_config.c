/* cluster_config.c - the section "cluster" of an experiment, read and checked. */
#include "models/cluster/cluster_config.h"

#include <math.h>
#include <stddef.h>

#include "models/mlaas/mlaas_bill.h"

const char *const cluster_of_names[] = {"", "time", "memory", "mps", "mig", NULL};
const char *const cluster_line_names[] = {"strict", "skip-over", "backfill", NULL};

#define SECONDS_MAX 1e10 /* 317 years */

struct section {
    uint32_t pool, depth, rack_nodes, spread;
    double tick_s;
    const char *label;
    const struct config *line, *preempt, *checkpoint, *queues, *fraction, *failures, *predicted,
        *arrivals, *elastic, *priority, *even, *infer, *hosts;
};

static const struct config_field fields[] = {
    CONFIG_U32(struct section, pool, 1, CLUSTER_GPUS_MAX, false),
    CONFIG_U32(struct section, depth, 1, 1u << 30, false),
    CONFIG_U32(struct section, rack_nodes, 0, 1u << 20, false),
    CONFIG_U32(struct section, spread, 0, 1u << 20, false),
    CONFIG_ANY(struct section, even, false),
    CONFIG_F64(struct section, tick_s, 1e-9, SECONDS_MAX, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_ANY(struct section, line, false),
    CONFIG_ANY(struct section, preempt, false),
    CONFIG_ANY(struct section, checkpoint, false),
    CONFIG_ANY(struct section, queues, false),
    CONFIG_ANY(struct section, fraction, false),
    CONFIG_ANY(struct section, failures, false),
    CONFIG_ANY(struct section, predicted, false),
    CONFIG_ANY(struct section, arrivals, false),
    CONFIG_ANY(struct section, elastic, false),
    CONFIG_ANY(struct section, priority, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_ANY(struct section, hosts, false),
    CONFIG_END,
};

static sim_time ns(double seconds)
{
    return (sim_time)(seconds * 1e9 + 0.5);
}

static int read_even(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        uint32_t nodes, gpus;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_U32(struct part, nodes, 1, 1u << 20, true),
        CONFIG_U32(struct part, gpus, 1, CLUSTER_NODE_GPUS, true), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    c->even_nodes = in.nodes;
    c->even_gpus = in.gpus;
    return rc;
}

static int read_preempt(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        double every_s;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_F64(struct part, every_s, 0, SECONDS_MAX, false), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    c->preempt = at != NULL;
    c->preempt_every = ns(in.every_s);
    return rc;
}

static int read_checkpoint(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        double every_s, save_s, restart_s;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_F64(struct part, every_s, 0, SECONDS_MAX, false),
        CONFIG_F64(struct part, save_s, 0, SECONDS_MAX, false),
        CONFIG_F64(struct part, restart_s, 0, SECONDS_MAX, false), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    c->save_every = ns(in.every_s);
    c->save = ns(in.save_s);
    c->restart = ns(in.restart_s);
    return rc;
}

static int read_gpus(const struct config *at, uint64_t *milli, struct err *e)
{
    double gpus;
    int rc = config_f64(at, 0, CLUSTER_GPUS_MAX, &gpus, e);
    if (!rc)
        *milli = (uint64_t)(gpus * 1000 + 0.5);
    return rc;
}

static int read_queues(struct cluster_config *c, const struct config *at, struct err *e)
{
    static const char *const by[] = {"", "group", "user", "tenant", NULL};
    struct part {
        bool borrow;
        const struct config *by, *quota, *otherwise;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_BOOL(struct part, borrow, false), CONFIG_ANY(struct part, by, true),
        CONFIG_ANY(struct part, quota, false), CONFIG_ANY(struct part, otherwise, false),
        CONFIG_END};
    int chosen = BY_NOTHING, rc = at ? config_fill(at, part, &in, e) : 0;
    uint64_t milli;
    c->quota_otherwise = UINT64_MAX;
    if (!rc && at)
        rc = config_choice(in.by, by + 1, &chosen, e);
    if (!rc && in.otherwise)
        rc = read_gpus(in.otherwise, &c->quota_otherwise, e);
    if (!rc && in.quota && config_kind(in.quota) != CONFIG_OBJECT)
        rc = config_complain(in.quota, e, "an object: GPUs by name");
    for (size_t i = 0; !rc && in.quota && i < config_count(in.quota); i++)
        rc = read_gpus(config_at(in.quota, i), &milli, e);
    c->by = at ? (enum cluster_by)(chosen + 1) : BY_NOTHING;
    c->quota = in.quota;
    c->borrow = in.borrow;
    return rc;
}

static int read_beside(struct cluster_config *c, const struct config *at, struct err *e)
{
    double speed;
    int rc = 0;
    if (config_kind(at) != CONFIG_ARRAY || !config_count(at) || config_count(at) > CLUSTER_BESIDE)
        return config_complain(at, e, "1 to %d speeds: alone, beside one other, ..",
                               CLUSTER_BESIDE);
    for (size_t i = 0; !rc && i < config_count(at); i++) {
        rc = config_f64(config_at(at, i), 0.001, 1, &speed, e);
        if (!rc)
            c->beside_micro[i] = (uint32_t)(speed * 1e6 + 0.5);
    }
    c->n_beside = (uint32_t)config_count(at);
    return rc;
}

static int read_fraction(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        const struct config *of, *interference;
        const char *source;
    } in = {0};
    static const struct config_field part[] = {CONFIG_ANY(struct part, of, true),
                                               CONFIG_ANY(struct part, interference, false),
                                               CONFIG_STR(struct part, source, false), CONFIG_END};
    int of = 0, rc = at ? config_fill(at, part, &in, e) : 0;
    c->n_beside = 1;
    c->beside_micro[0] = 1000000;
    if (rc || !at)
        return rc;
    rc = config_choice(in.of, cluster_of_names + 1, &of, e);
    if (!rc && in.interference)
        rc = read_beside(c, in.interference, e);
    if (!rc && in.interference && !in.source)
        rc = config_complain(at, e, "a \"source\" for \"interference\"");
    c->of = (enum cluster_fraction)(of + 1);
    c->source = in.source;
    return rc;
}

static int read_failures(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        double mtbf_h, repair_s;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_F64(struct part, mtbf_h, 1e-6, 1e9, true),
        CONFIG_F64(struct part, repair_s, 0, SECONDS_MAX, false), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    c->mtbf_ns = in.mtbf_h * 3600e9;
    c->repair = ns(in.repair_s);
    return rc;
}

static int read_predicted(struct cluster_config *c, const struct config *at, struct err *e)
{
    static const char *const from[] = {"none", "truth", "user", NULL};
    struct part {
        double factor;
        const struct config *from;
    } in = {0};
    static const struct config_field part[] = {CONFIG_F64(struct part, factor, 0, 1e6, false),
                                               CONFIG_ANY(struct part, from, true), CONFIG_END};
    int chosen = PREDICTED_NONE, rc = at ? config_fill(at, part, &in, e) : 0;
    if (!rc && at)
        rc = config_choice(in.from, from, &chosen, e);
    c->predicted = (enum cluster_predicted)chosen;
    c->factor = in.factor;
    return rc;
}

static int read_arrivals(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        uint64_t every;
        double gap_s, first_s;
    } in = {0};
    static const struct config_field part[] = {
        CONFIG_U64(struct part, every, 1, 1u << 30, false),
        CONFIG_F64(struct part, gap_s, 0, SECONDS_MAX, false),
        CONFIG_F64(struct part, first_s, 0, SECONDS_MAX, false), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    if (!rc && at && !in.every != !config_get(at, "gap_s"))
        rc = config_complain(at, e, "\"every\" and \"gap_s\" together");
    c->every = in.every;
    c->gap = ns(in.gap_s);
    c->first = ns(in.first_s);
    return rc;
}

static int read_elastic(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        double least, most, scaling;
        bool resize;
    } in = {1, 1, 1, false};
    static const struct config_field part[] = {CONFIG_F64(struct part, least, 0.001, 1, false),
                                               CONFIG_F64(struct part, most, 1, 1024, false),
                                               CONFIG_F64(struct part, scaling, 0, 1, false),
                                               CONFIG_BOOL(struct part, resize, false), CONFIG_END};
    int rc = at ? config_fill(at, part, &in, e) : 0;
    c->elastic = at != NULL;
    c->least = in.least;
    c->most = in.most;
    c->scaling = in.scaling;
    c->resize = in.resize;
    return rc;
}

static int read_priority(struct cluster_config *c, const struct config *at, struct err *e)
{
    struct part {
        const struct config *qos;
    } in = {0};
    static const struct config_field part[] = {CONFIG_ANY(struct part, qos, true), CONFIG_END};
    double prio;
    int rc = at ? config_fill(at, part, &in, e) : 0;
    if (!rc && at && config_kind(in.qos) != CONFIG_OBJECT)
        rc = config_complain(in.qos, e, "an object: priorities by name");
    for (size_t i = 0; !rc && in.qos && i < config_count(in.qos); i++)
        rc = config_f64(config_at(in.qos, i), -1e6, 1e6, &prio, e);
    c->qos = in.qos;
    return rc;
}

static int contradictions(const struct cluster_config *c, const struct section *in,
                          const struct config *section, struct err *e)
{
    if (c->elastic && c->preempt)
        return config_complain(section, e, "\"elastic\" or \"preempt\", not both");
    if (c->line == LINE_BACKFILL && c->preempt)
        return config_complain(section, e,
                               "\"backfill\" without \"preempt\": a reservation holds only while "
                               "nobody is pushed out");
    if (c->full.model && c->pool)
        return config_complain(in->hosts, e,
                               "nodes (\"even\", \"nodes\"), not a \"pool\": it does not say who "
                               "is beside whom");
    if (c->full.model && c->n_beside > 1)
        return config_complain(in->hosts, e,
                               "no \"interference\" beside it: full machines say who slows whom");
    if (c->save && !c->save_every && !c->preempt && !c->resize)
        return config_complain(in->checkpoint, e,
                               "\"every_s\", or anything else that makes jobs save");
    return 0;
}

int cluster_config(struct cluster_config *c, const struct config *section, struct err *e)
{
    struct section in = {.depth = 500};
    int line = LINE_STRICT, rc = section ? config_fill(section, fields, &in, e) : 0;
    *c = (struct cluster_config){.pool = in.pool,
                                 .depth = in.depth,
                                 .rack_nodes = in.rack_nodes,
                                 .spread = in.spread,
                                 .tick = ns(in.tick_s),
                                 .label = in.label};
    if (!rc && in.line)
        rc = config_choice(in.line, cluster_line_names, &line, e);
    c->line = (enum cluster_line)line;
    if (!rc)
        rc = read_even(c, in.even, e);
    if (!rc)
        rc = read_preempt(c, in.preempt, e);
    if (!rc)
        rc = read_checkpoint(c, in.checkpoint, e);
    if (!rc)
        rc = read_queues(c, in.queues, e);
    if (!rc)
        rc = read_fraction(c, in.fraction, e);
    if (!rc)
        rc = full_config(&c->full, in.hosts, c->of, e);
    if (!rc)
        rc = read_failures(c, in.failures, e);
    if (!rc)
        rc = read_predicted(c, in.predicted, e);
    if (!rc)
        rc = read_arrivals(c, in.arrivals, e);
    if (!rc)
        rc = read_elastic(c, in.elastic, e);
    if (!rc)
        rc = read_priority(c, in.priority, e);
    c->infer = in.infer;
    if (!rc)
        rc = mlaas_bill_config(&c->service, in.infer, e);
    return rc ? rc : contradictions(c, &in, section, e);
}
