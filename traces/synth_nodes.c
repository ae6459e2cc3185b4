/* synth_nodes.c - one node after another. */
#include "traces/synth_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"

struct nodes {
    struct synth_rows rows;
    struct synth_nodes p;
    uint32_t model[SYNTH_NODE_KINDS]; /* names */
    uint64_t all[SYNTH_NODE_KINDS];   /* rows of each kind */
    uint64_t left[SYNTH_NODE_KINDS], n_left;
    struct rng order;
    struct trace_names *names;
};

static void begin(struct synth_rows *r)
{
    struct nodes *s = (struct nodes *)r;
    rng_init(&s->order, r->seed, "synth-nodes", "order");
    memcpy(s->left, s->all, sizeof s->left);
    s->n_left = s->p.head.rows;
}

static uint32_t draw(struct nodes *s)
{
    uint64_t at = rng_below(&s->order, s->n_left--);
    uint32_t i = 0;
    while (at >= s->left[i])
        at -= s->left[i++];
    s->left[i]--;
    return i;
}

static void make(struct synth_rows *row, union trace_row *out)
{
    struct nodes *s = (struct nodes *)row;
    const uint32_t i = draw(s);
    const struct synth_node_kind *k = &s->p.kind[i];
    out->node = (struct trace_node){.name = (uint32_t)row->made,
                                    .model = s->model[i],
                                    .gpus = k->gpus,
                                    .cpu_milli = (uint32_t)(k->cpu * 1000 + 0.5),
                                    .mem_bytes = (uint64_t)(k->mem_gib * 1024 + 0.5) << 20};
}

static void end(struct synth_rows *r)
{
    struct nodes *s = (struct nodes *)r;
    names_free(s->names);
    free(s);
}

static const char *name(const struct row_source *self, uint32_t id)
{
    return names_text(((const struct nodes *)self)->names, id);
}

static bool name_nodes(struct trace_names *n, uint64_t rows)
{
    bool ok = true;
    for (uint64_t i = 0; ok && i < rows; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "node-%llu", (unsigned long long)i);
        ok = names_id(n, text, (size_t)len) != TRACE_NAME_NONE;
    }
    return ok;
}

/* The model's number, or that of none; false: out of memory. */
static bool name_model(struct trace_names *n, const struct synth_node_kind *k, uint32_t *id)
{
    const size_t len = strlen(k->model);
    *id = len ? names_id(n, k->model, len) : TRACE_NAME_NONE;
    return !len || *id != TRACE_NAME_NONE;
}

static struct trace_names *name_all(const struct synth_nodes *p, uint32_t model[SYNTH_NODE_KINDS])
{
    struct trace_names *n = names_new();
    bool ok = n && name_nodes(n, p->head.rows);
    for (uint32_t i = 0; ok && i < p->kinds; i++)
        ok = name_model(n, &p->kind[i], &model[i]);
    if (ok)
        return n;
    names_free(n);
    return NULL;
}

struct trace_names *synth_nodes_names(const void *params)
{
    uint32_t model[SYNTH_NODE_KINDS];
    return name_all(params, model);
}

/* Shares of the rows, whole: what is left over goes to the largest remainders, ties to the first.
 */
static void apportion(struct nodes *s)
{
    uint64_t counts = 0, given = 0, rest[SYNTH_NODE_KINDS];
    for (uint32_t i = 0; i < s->p.kinds; i++)
        counts += s->p.kind[i].count;
    for (uint32_t i = 0; i < s->p.kinds; i++) {
        const uint64_t part = s->p.kind[i].count * s->p.head.rows;
        given += s->all[i] = part / counts;
        rest[i] = part % counts;
    }
    for (; given < s->p.head.rows; given++) {
        uint32_t most = 0;
        for (uint32_t i = 1; i < s->p.kinds; i++)
            most = rest[i] > rest[most] ? i : most;
        s->all[most]++;
        rest[most] = 0;
    }
}

int synth_nodes_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    const struct synth_nodes *p = params;
    *out = NULL;
    if (p->head.rows > SYNTH_NODES_MAX)
        return err_set(e, ERR_ERANGE, "%llu nodes, want at most %u",
                       (unsigned long long)p->head.rows, SYNTH_NODES_MAX);
    struct nodes *s = calloc(1, sizeof *s);
    if (!s || !(s->names = name_all(p, s->model))) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->p = *p;
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    apportion(s);
    synth_rows_open(&s->rows, TRACE_NODES, &s->p.head, seed);
    s->rows.base.name = name;
    *out = &s->rows.base;
    return 0;
}
