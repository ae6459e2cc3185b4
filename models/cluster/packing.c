/* packing.c - how full a cluster can be packed: pods come and stay, until far more was asked for
 * than there is.
 *
 * The experiment of Weng et al. (ATC'23, "Beware of Fragmentation"): no times, no departures; a pod
 * that finds no room is turned away.  What is allocated, and what of the rest is a fragment, is
 * recorded after every arrival against the load that has arrived until then.
 * Its check: the authors' own results (experiments/figures/openb-fgd.json). */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/cluster/frag.h"
#include "models/cluster/nodes.h"
#include "models/cluster/packing_curve.h"
#include "models/cluster/pods.h"
#include "models/model.h"

struct packing_config {
    double load, typical;
    uint32_t rack_nodes;
    enum nodes_part part;
    enum pods_draw draw;
};

struct packing {
    struct packing_config c;
    const struct model_env *env;
    struct policy_slot *policy; /* NULL: the first node that has room */
    struct nodes *nodes;
    struct pods pods;
    struct demand *demand;
    struct frag *frag;
    struct packing_curve curve;
    uint64_t arrived_milli, refused, refused_milli, placed;
    uint64_t hopeless; /* of the refused, those that no node would hold if nothing else ran */
    struct policy_job first_hopeless;
    struct measures *out;
};

/* ---- the section --------------------------------------------------------------------- */

struct section {
    struct packing_config c;
    const struct config *part, *draw;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
};

#define FIELD(type, key, lo, hi)                                                                   \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct section, c.key), lo, hi, false                      \
    }
static const struct config_field fields[] = {
    FIELD(F64, load, 0.01, PACKING_LOAD_MAX / 100.0),
    FIELD(F64, typical, 0.01, 1),
    FIELD(U32, rack_nodes, 0, 1 << 20),
    CONFIG_ANY(struct section, part, true),
    CONFIG_ANY(struct section, draw, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_END,
};

static int configure(struct packing_config *c, const struct config *section, struct err *e)
{
    struct section in = {.c = {.load = 1.3, .typical = DEMAND_SHARE}};
    int part = 0, draw = DRAW_PHILOX;
    int rc = section ? config_fill(section, fields, &in, e)
                     : err_set(e, ERR_ENAME,
                               "model \"packing\" needs a section \"packing\" with "
                               "\"part\": what a part of a GPU is");
    if (!rc)
        rc = config_choice(in.part, nodes_part_names, &part, e);
    if (!rc && in.draw)
        rc = config_choice(in.draw, pods_draw_names, &draw, e);
    in.c.part = (enum nodes_part)part;
    in.c.draw = (enum pods_draw)draw;
    *c = in.c;
    return rc;
}

static int check(const struct config *section, struct err *e)
{
    struct packing_config c;
    return configure(&c, section, e);
}

/* ---- the run --------------------------------------------------------------------------- */

static int open_parts(struct packing *s, struct err *e)
{
    int rc = nodes_open(&s->nodes, s->env->nodes, s->c.rack_nodes, e);
    if (!rc)
        rc = pods_open(&s->pods, s->nodes, s->env->rows, s->c.part, e);
    if (!rc)
        rc = demand_new(&s->demand, s->pods.job, s->pods.spec, s->pods.n, s->c.typical, e);
    if (!rc)
        rc = pods_inflate(&s->pods, s->nodes, s->c.load, s->c.draw, s->env->seed, e);
    if (!rc && !(s->frag = frag_new(s->nodes, s->demand)))
        rc = err_set(e, ERR_ENOMEM, "packing: out of memory");
    return rc;
}

static void close_parts(struct packing *s)
{
    frag_free(s->frag);
    demand_free(s->demand);
    pods_free(&s->pods);
    nodes_free(s->nodes);
}

static void refuse(struct packing *s, const struct policy_job *pod)
{
    s->refused++;
    s->refused_milli += (uint64_t)pod->gpus * pod->gpu_milli;
    if (nodes_ever(s->nodes, pod, 1))
        return;
    if (!s->hopeless++)
        s->first_hopeless = *pod;
}

/* One pod more, in its place or turned away. */
static void arrive(struct packing *s, uint64_t number, const struct policy_job *pod)
{
    struct policy_seat seat;
    struct policy_seat_obs o = {
        .job = *pod,
        .cluster = {.now_ns = number, .waiting = 1, .running = (uint32_t)s->placed},
        .n_demand = s->demand->n,
        .demand = s->demand->kind};
    const uint64_t milli = (uint64_t)pod->gpus * pod->gpu_milli;
    o.job.id = number;
    o.job.arrived_ns = number;
    s->arrived_milli += milli;
    if (nodes_place(s->nodes, s->policy, &o, 1, &seat)) {
        nodes_take(s->nodes, pod, &seat, 1);
        frag_changed(s->frag, seat.node);
        s->placed++;
    } else {
        refuse(s, pod);
    }
    const double all = (double)s->nodes->gpu_milli;
    packing_curve_add(&s->curve, 100 * (double)s->arrived_milli / all,
                      100 * (double)(s->nodes->gpu_milli - s->nodes->gpu_milli_free) / all,
                      100 * frag_milli(s->frag) / all);
}

static void number(struct packing *s, const char *name, const char *unit, enum better better,
                   double v)
{
    measures_number(s->out, name, unit, better, v);
}

/* "0.6 GPU" is not a fact: the report says what was meant. */
static void say_part(const struct packing *s)
{
    static const char *const meaning[] = {
        [PART_MEMORY] = "of its memory: any thousandth can be had",
        [PART_TIME] = "of its time: any thousandth can be had",
        [PART_MPS] = "of its SMs (MPS): rounded up to whole percents",
        [PART_MIG] = "a MIG instance of 1, 2, 3, 4 or 7 of its 7 slices: rounded up to the next",
    };
    char line[256];
    snprintf(line, sizeof line,
             "what a pod wants of one GPU is a part %s; whom it shares the GPU with slows nobody, "
             "for pods here have no duration",
             meaning[s->c.part]);
    measures_incident(s->out, "meaning", "part of a GPU", 0, 0, line);
}

static void say_hopeless(const struct packing *s)
{
    const struct policy_job *j = &s->first_hopeless;
    char line[256];
    snprintf(line, sizeof line,
             "%" PRIu64 " arrivals want more than any node has; the first is row %" PRIu64
             " of the trace: %u GPUs, %u/1000 of each, %u/1000 CPUs, %" PRIu64 " bytes",
             s->hopeless, j->id, j->gpus, j->gpu_milli, j->cpu_milli, j->mem_bytes);
    measures_incident(s->out, "warning", "packing", 0, 0, line);
}

static void report(struct packing *s)
{
    const double all = (double)s->nodes->gpu_milli, free = (double)s->nodes->gpu_milli_free;
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->nodes->n; i++)
        used += s->nodes->node[i].jobs > 0;
    number(s, "allocation", "%", BETTER_MORE, 100 * (all - free) / all);
    number(s, "fragmented", "%", BETTER_LESS, 100 * frag_milli(s->frag) / all);
    number(s, "fragment_ratio", "%", BETTER_NONE, free > 0 ? 100 * frag_milli(s->frag) / free : 0);
    number(s, "pods", "1", BETTER_NONE, (double)s->pods.arrivals);
    number(s, "refused", "1", BETTER_LESS, (double)s->refused);
    number(s, "hopeless", "1", BETTER_NONE, (double)s->hopeless);
    number(s, "refused_gpus", "1", BETTER_LESS, (double)s->refused_milli / 1e3);
    number(s, "arrived", "%", BETTER_NONE, 100 * (double)s->arrived_milli / all);
    number(s, "nodes_used", "1", BETTER_NONE, (double)used);
    number(s, "cpu_allocation", "%", BETTER_NONE,
           100 * (1 - (double)s->nodes->cpu_milli_free / (double)s->nodes->cpu_milli));
    number(s, "typical_pods", "1", BETTER_NONE, (double)s->demand->n);
    packing_curve_report(&s->curve, s->out);
    if (s->pods.parts)
        say_part(s);
    if (s->hopeless)
        say_hopeless(s);
    if (s->policy)
        policy_slot_report(s->policy, s->out);
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct packing s = {.env = env, .out = out};
    int rc = configure(&s.c, section, e);
    s.policy = model_policy(env, POLICY_HOOK_CLUSTER_PLACE);
    if (s.policy)
        s.policy->out = out;
    if (!rc)
        rc = open_parts(&s, e);
    for (size_t i = 0; !rc && i < s.pods.arrivals; i++)
        arrive(&s, i, &s.pods.job[s.pods.arrival[i]]);
    if (!rc)
        report(&s);
    close_parts(&s);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    (void)section, (void)hook;
    return oracle ? "one that is not told when jobs end: pods here stay (model \"cluster\" does)"
                  : NULL;
}

const struct model_ops model_packing = {
    .name = "packing",
    .summary = "pods that come and stay: how full placement packs a cluster, and what it leaves",
    .check = check,
    .rows = 1u << TRACE_JOBS,
    .needs_rows = true,
    .nodes = true,
    .needs_nodes = true,
    .hooks = 1u << POLICY_HOOK_CLUSTER_PLACE,
    .mute = mute,
    .headline = "allocation,fragmented,refused_gpus",
    .run = run,
};
