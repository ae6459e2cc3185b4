/* synth_nodes_params.c - clusters after openb's published node lists, and a section of one's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"
#include "traces/synth_nodes.h"

#define CORES_MAX 1e6
#define GIB_MAX   1e9

/* Alibaba cluster-trace-gpu-v2023 (openb; Weng et al., ATC'23; github.com/alibaba/clusterdata
 * 8f3d641, the node lists): nodes by model and number of GPUs, exact; their CPU and memory are the
 * means of each such group, so that the cluster's sums are those of the list.  Of P100 with two
 * GPUs, V100M16 with eight and nodes without any the list has several sizes, which are one here. */
#define GPU_NODES                                                                                  \
    {"G2", 549, 8, 96, 384}, {"T4", 387, 2, 104, 512}, {"P100", 131, 2, 23.939, 141.924},          \
        {"G3", 39, 8, 128, 768}, {"V100M16", 28, 4, 32, 128}, {"V100M32", 21, 8, 96, 768},         \
        {"V100M16", 19, 1, 8, 32}, {"T4", 17, 4, 96, 384}, {"V100M32", 9, 4, 48, 368},             \
        {"V100M16", 8, 8, 66.25, 266}, {"P100", 3, 1, 8, 60},                                      \
    {                                                                                              \
        "A10", 2, 1, 128, 1024                                                                     \
    }

static const struct synth_nodes openb_gpu = {.head.rows = 1213, .kind = {GPU_NODES}, .kinds = 12};
static const struct synth_nodes openb_all = {
    .head.rows = 1523, .kind = {GPU_NODES, {"", 310, 0, 59.665, 340.852}}, .kinds = 13};

#define SOURCE                                                                                     \
    "counts, sums and means of Alibaba's openb node lists (cluster-trace-gpu-v2023; Weng et al., " \
    "ATC'23)"

static const struct preset {
    const char *name, *title;
    const struct synth_nodes *params;
} presets[] = {
    {"openb-gpu", "1,213 nodes with 6,212 GPUs of seven models", &openb_gpu},
    {"openb-all", "these and 310 nodes without GPUs", &openb_all},
};
#define PRESETS (sizeof presets / sizeof *presets)

struct kind_text {
    struct synth_node_kind k;
    const char *model;
};

static int read_kind(const struct config *at, struct synth_node_kind *k, struct err *e)
{
    static const struct config_field fields[] = {
        {"count", CONFIG_T_U32, offsetof(struct kind_text, k.count), 1, SYNTH_NODES_MAX, true},
        {"gpus", CONFIG_T_U32, offsetof(struct kind_text, k.gpus), 0, 1024, true},
        {"cpu", CONFIG_T_F64, offsetof(struct kind_text, k.cpu), 0, CORES_MAX, true},
        {"mem_gib", CONFIG_T_F64, offsetof(struct kind_text, k.mem_gib), 0, GIB_MAX, true},
        CONFIG_STR(struct kind_text, model, false),
        CONFIG_END,
    };
    struct kind_text t = {0};
    int rc = config_fill(at, fields, &t, e);
    if (rc)
        return rc;
    if (t.model && *t.model &&
        (rc = synth_name_check(config_get(at, "model"), t.model, sizeof t.k.model, e)))
        return rc;
    if (t.model)
        snprintf(t.k.model, sizeof t.k.model, "%s", t.model);
    *k = t.k;
    return 0;
}

struct nodes_text {
    struct synth_nodes p;
    const struct config *table, *preset, *kinds;
};

/* As many rows as they count, where the section does not say how many. */
static int read_kinds(const struct nodes_text *t, bool rows_said, struct synth_nodes *p,
                      struct err *e)
{
    uint64_t counts = 0;
    if (config_kind(t->kinds) != CONFIG_ARRAY || config_count(t->kinds) < 1 ||
        config_count(t->kinds) > SYNTH_NODE_KINDS)
        return config_complain(t->kinds, e, "a list of 1..%d kinds of nodes", SYNTH_NODE_KINDS);
    p->kinds = (uint32_t)config_count(t->kinds);
    for (uint32_t i = 0; i < p->kinds; i++) {
        int rc = read_kind(config_at(t->kinds, i), &p->kind[i], e);
        if (rc)
            return rc;
        counts += p->kind[i].count;
    }
    if (!rows_said)
        p->head.rows = counts;
    return p->head.rows <= SYNTH_NODES_MAX
               ? 0
               : config_complain(t->kinds, e, "at most %u nodes together", SYNTH_NODES_MAX);
}

static int read_params(const struct config *section, void *params, struct err *e)
{
    static const struct config_field fields[] = {
        {"rows", CONFIG_T_U64, offsetof(struct nodes_text, p.head.rows), 1, SYNTH_NODES_MAX, false},
        {"seed", CONFIG_T_U64, offsetof(struct nodes_text, p.head.seed), 0, SYNTH_SEED_MAX, false},
        CONFIG_ANY(struct nodes_text, table, false),
        CONFIG_ANY(struct nodes_text, preset, false),
        CONFIG_ANY(struct nodes_text, kinds, false),
        CONFIG_END,
    };
    struct nodes_text t = {0};
    int rc = synth_preset_read(section, &synth_kind_nodes, &t.p, e);
    if (rc || (rc = config_fill(section, fields, &t, e)))
        return rc;
    if (!t.preset && !t.kinds)
        return config_complain(section, e, "a preset or kinds");
    t.p.head.seeded = config_get(section, "seed") != NULL;
    if (t.kinds && (rc = read_kinds(&t, config_get(section, "rows") != NULL, &t.p, e)))
        return rc;
    *(struct synth_nodes *)params = t.p;
    return 0;
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_nodes *p = params;
    fputs(",\"kinds\":[", f);
    for (uint32_t i = 0; i < p->kinds; i++) {
        const struct synth_node_kind *k = &p->kind[i];
        fprintf(f, "%s{\"model\":\"%s\",\"count\":%u,\"gpus\":%u,\"cpu\":%.17g,\"mem_gib\":%.17g}",
                i ? "," : "", k->model, k->count, k->gpus, k->cpu, k->mem_gib);
    }
    fputc(']', f);
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    (void)params;
    return 0;
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_nodes *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, SOURCE};
    if (p) {
        *p = *presets[i].params;
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_nodes = {.table = TRACE_NODES,
                                            .read = read_params,
                                            .json = json,
                                            .open = synth_nodes_open,
                                            .set_rows = synth_head_set_rows,
                                            .rows = synth_head_rows,
                                            .span_s = span_s,
                                            .name = synth_head_name,
                                            .seeded = synth_head_seeded,
                                            .names = synth_nodes_names,
                                            .preset_at = preset_at};
