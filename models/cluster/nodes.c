#include "models/cluster/nodes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/nodes_index.h"

const char *const nodes_part_names[] = {"memory", "time", "mps", "mig", NULL};

uint32_t nodes_part_milli(enum nodes_part of, uint32_t milli)
{
    uint32_t slices;
    switch (of) {
    case PART_MPS: /* CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: whole percents */
        return (milli + 9) / 10 * 10;
    case PART_MIG: /* profiles 1g, 2g, 3g, 4g, 7g of 7 slices */
        slices = (milli * 7 + 999) / 1000;
        return slices > 4 ? POLICY_MILLI : (slices * 1000 + 6) / 7;
    default:
        return milli;
    }
}

/* ---- names of GPUs --------------------------------------------------------------- */

static int add_model(struct nodes *n, const char *name, uint32_t *bit, struct err *e)
{
    for (*bit = 0; *bit < n->n_models; ++*bit)
        if (!strcmp(n->model[*bit], name))
            return 0;
    if (n->n_models == sizeof n->model / sizeof *n->model)
        return err_set(e, ERR_ERANGE, "nodes: \"%s\" is GPU model number %u, want at most 64", name,
                       n->n_models + 1);
    n->model[n->n_models] = strdup(name);
    if (!n->model[n->n_models])
        return err_set(e, ERR_ENOMEM, "nodes: out of memory");
    n->n_models++;
    return 0;
}

uint64_t nodes_models(const struct nodes *n, const char *spec)
{
    uint64_t set = 0;
    if (!spec || !*spec)
        return POLICY_ANY_MODEL;
    for (const char *at = spec; *at; at += *at == '|') {
        const size_t len = strcspn(at, "|");
        for (uint32_t m = 0; m < n->n_models; m++)
            if (strlen(n->model[m]) == len && !memcmp(n->model[m], at, len))
                set |= UINT64_C(1) << m;
        at += len;
    }
    return set;
}

/* ---- from a trace ------------------------------------------------------------------ */

static int add(struct nodes *n, size_t *room, const struct trace_node *row, const char *model,
               struct err *e)
{
    if (row->gpus > POLICY_NODE_GPUS)
        return err_set(e, ERR_ERANGE, "nodes: node %u has %u GPUs, want at most %d", n->n,
                       row->gpus, POLICY_NODE_GPUS);
    if (row->mem_bytes > INT64_MAX)
        return err_set(e, ERR_ERANGE, "nodes: node %u has more memory than can be counted", n->n);
    if (n->n == *room) {
        *room = *room ? 2 * *room : 256;
        struct policy_node *more = realloc(n->node, *room * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "nodes: out of memory");
        n->node = more;
    }
    struct policy_node *node = &n->node[n->n];
    *node = (struct policy_node){.id = n->n,
                                 .model = POLICY_NONE,
                                 .gpus = row->gpus,
                                 .cpu_milli = row->cpu_milli,
                                 .cpu_free_milli = row->cpu_milli,
                                 .mem_bytes = row->mem_bytes,
                                 .mem_free_bytes = row->mem_bytes};
    for (uint32_t g = 0; g < row->gpus; g++)
        node->gpu_free_milli[g] = POLICY_MILLI;
    n->n++;
    return row->gpus ? add_model(n, model ? model : "", &node->model, e) : 0;
}

static int finish(struct nodes *n, uint32_t rack_nodes, struct err *e)
{
    for (uint32_t i = 0; i < n->n; i++) {
        struct policy_node *node = &n->node[i];
        node->rack = rack_nodes ? i / rack_nodes : 0;
        n->racks = node->rack + 1;
        n->gpus += node->gpus;
        n->cpu_milli += node->cpu_milli;
        n->mem_bytes += node->mem_bytes;
    }
    n->gpu_milli = n->gpu_milli_free = (uint64_t)n->gpus * POLICY_MILLI;
    n->cpu_milli_free = n->cpu_milli;
    n->mem_bytes_free = n->mem_bytes;
    if (!n->n)
        return err_set(e, ERR_ERANGE, "nodes: there are none, want at least one");
    n->kind = calloc((size_t)n->n * POLICY_KINDS, sizeof *n->kind);
    n->index = n->kind ? nodes_index_new(n) : NULL;
    return n->index ? 0 : err_set(e, ERR_ENOMEM, "nodes: out of memory");
}

static int done(struct nodes **out, struct nodes *n, int rc)
{
    if (rc) {
        nodes_free(n);
        n = NULL;
    }
    *out = n;
    return rc;
}

int nodes_open(struct nodes **out, struct row_source *rows, uint32_t rack_nodes, struct err *e)
{
    struct nodes *n = calloc(1, sizeof *n);
    union trace_row row;
    size_t room = 0;
    int rc = n ? 0 : err_set(e, ERR_ENOMEM, "nodes: out of memory"), more = 0;
    assert(rows->table == TRACE_NODES);
    while (!rc && (more = rows->next(rows, &row, e)) > 0) {
        const char *model = rows->name && row.node.model != TRACE_NAME_NONE
                                ? rows->name(rows, row.node.model)
                                : NULL;
        rc = add(n, &room, &row.node, model, e);
    }
    if (!rc && more < 0)
        rc = more;
    return done(out, n, rc ? rc : finish(n, rack_nodes, e));
}

int nodes_even(struct nodes **out, uint32_t count, const struct trace_node *like,
               uint32_t rack_nodes, struct err *e)
{
    struct nodes *n = calloc(1, sizeof *n);
    size_t room = 0;
    int rc = n ? 0 : err_set(e, ERR_ENOMEM, "nodes: out of memory");
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = add(n, &room, like, NULL, e);
    return done(out, n, rc ? rc : finish(n, rack_nodes, e));
}

void nodes_free(struct nodes *n)
{
    if (!n)
        return;
    for (uint32_t m = 0; m < n->n_models; m++)
        free(n->model[m]);
    nodes_index_free(n->index);
    free(n->kind);
    free(n->node);
    free(n);
}

static void number(struct nodes *n)
{
    assert(n->gpu_milli_free == n->gpu_milli && n->cpu_milli_free == n->cpu_milli);
    for (uint32_t i = 0; i < n->n; i++) {
        n->node[i].id = i;
        nodes_index_set(n->index, &n->node[i]);
    }
}

void nodes_shuffle(struct nodes *n, struct rng *r)
{
    for (uint32_t i = n->n; i > 1; i--) {
        const uint32_t k = (uint32_t)rng_below(r, i);
        const struct policy_node swap = n->node[i - 1];
        n->node[i - 1] = n->node[k];
        n->node[k] = swap;
    }
    number(n);
}

int nodes_order(struct nodes *n, const uint32_t *place, struct err *e)
{
    struct policy_node *to = malloc(n->n * sizeof *to);
    if (!to)
        return err_set(e, ERR_ENOMEM, "nodes: out of memory");
    for (uint32_t i = 0; i < n->n; i++)
        to[place[i]] = n->node[i];
    free(n->node);
    n->node = to;
    number(n);
    return 0;
}

/* ---- what a job asks for ------------------------------------------------------------- */

int nodes_job(const struct nodes *n, const struct trace_job *row, const struct row_source *names,
              enum nodes_part of, struct policy_job *j, struct err *e)
{
    const char *spec = names && names->name && row->gpu_spec != TRACE_NAME_NONE
                           ? names->name(names, row->gpu_spec)
                           : NULL;
    uint32_t milli =
        row->gpu_milli ? row->gpu_milli : POLICY_MILLI; /* 0: the trace has whole ones */
    if (milli > POLICY_MILLI)
        return err_set(e, ERR_ERANGE, "jobs: row %llu: %u/1000 of a GPU, want at most 1000",
                       (unsigned long long)row->row, milli);
    if (row->gpus > 1 && milli < POLICY_MILLI)
        return err_set(e, ERR_ERANGE,
                       "jobs: row %llu: %u/1000 of each of %u GPUs, want a part of one only",
                       (unsigned long long)row->row, milli, row->gpus);
    milli = nodes_part_milli(of, milli);
    j->gpus = j->gpus_min = j->gpus_max = row->gpus;
    j->gpu_milli = row->gpus ? milli : 0;
    j->gpu_models = row->gpus ? nodes_models(n, spec) : POLICY_ANY_MODEL;
    j->cpu_milli = row->cpu_milli;
    j->mem_bytes = row->mem_bytes;
    j->prio = 0;
    return 0;
}
