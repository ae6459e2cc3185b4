/* hosts_beside.c - who shares a GPU with whom, and how fast that lets them be. */
#include <stdlib.h>

#include "models/cluster/hosts.h"

struct gpu {
    uint32_t *slot;
    uint32_t n, cap;
};

struct neighbours {
    struct gpu *gpu; /* [nodes x POLICY_NODE_GPUS] */
    size_t n;
};

int neighbours_open(struct neighbours **out, const struct nodes *nodes, struct err *e)
{
    struct neighbours *b = *out = calloc(1, sizeof *b);
    if (b) {
        b->n = (size_t)nodes->n * POLICY_NODE_GPUS;
        b->gpu = calloc(b->n + 1, sizeof *b->gpu);
    }
    return b && b->gpu ? 0 : err_set(e, ERR_ENOMEM, "cluster: out of memory");
}

void neighbours_close(struct neighbours *b)
{
    if (!b)
        return;
    for (size_t i = 0; b->gpu && i < b->n; i++)
        free(b->gpu[i].slot);
    free(b->gpu);
    free(b);
}

/* A part of a GPU is on one; NULL: it has whole ones, or none. */
static struct gpu *of(const struct neighbours *b, const struct job *j)
{
    if (j->seen.gpu_milli >= 1000 || !j->n_seat || !j->seat[0].gpus)
        return NULL;
    return &b->gpu[(size_t)j->seat[0].node * POLICY_NODE_GPUS +
                   (size_t)__builtin_ctz(j->seat[0].gpus)];
}

static uint32_t speed(const struct cluster *s, const struct gpu *g)
{
    const uint32_t others = g->n - 1, last = s->c.n_beside - 1;
    return s->c.beside_micro[others < last ? others : last];
}

static void others_change(struct cluster *s, const struct gpu *g, uint32_t but)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (g->slot[i] != but && s->job[g->slot[i]].pace_micro != speed(s, g))
            run_speed(s, g->slot[i], speed(s, g));
}

void neighbours_join(struct neighbours *b, struct cluster *s, uint32_t slot)
{
    struct gpu *g = of(b, &s->job[slot]);
    if (!g)
        return;
    if (g->n == g->cap) {
        const uint32_t cap = g->cap ? 2 * g->cap : 4;
        uint32_t *more = realloc(g->slot, cap * sizeof *more);
        if (!more) {
            cluster_no_memory(s);
            return;
        }
        g->slot = more;
        g->cap = cap;
    }
    g->slot[g->n++] = slot;
    s->job[slot].pace_micro = speed(s, g);
    others_change(s, g, slot);
}

void neighbours_leave(struct neighbours *b, struct cluster *s, uint32_t slot)
{
    struct gpu *g = of(b, &s->job[slot]);
    for (uint32_t i = 0; g && i < g->n; i++)
        if (g->slot[i] == slot) {
            g->slot[i] = g->slot[--g->n];
            others_change(s, g, slot);
            return;
        }
}
