/* rounds_groups.h - jobs that nothing tells apart, together: a linear program over kinds is small,
 * however many jobs there are, and gives equal jobs equal parts.                              */
#ifndef ROUNDS_GROUPS_H
#define ROUNDS_GROUPS_H

#include <string.h>

#include "rounds_book.h"

struct group {
    uint32_t kind, gpus, n; /* n: jobs */
    double weight;
};

struct groups {
    struct group *v;
    uint32_t *of; /* [jobs]: each job's group */
    uint32_t n, room;
};

static inline void groups_free(struct groups *g)
{
    free(g->v);
    free(g->of);
}

/* apart: no two jobs together, whatever they are. */
static inline bool groups_make(struct groups *g, const struct policy_round_obs *o, bool apart)
{
    if (o->n > g->room) {
        groups_free(g);
        g->room = 2 * o->n;
        g->v = malloc(g->room * sizeof *g->v);
        g->of = malloc(g->room * sizeof *g->of);
        if (!g->v || !g->of) {
            groups_free(g);
            memset(g, 0, sizeof *g);
            return false;
        }
    }
    g->n = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_round_job *j = &o->job[i];
        uint32_t k = apart ? g->n : 0;
        while (k < g->n && (g->v[k].kind != j->kind || g->v[k].weight != j->weight))
            k++;
        if (k == g->n)
            g->v[g->n++] = (struct group){.kind = j->kind, .gpus = j->gpus, .weight = j->weight};
        g->v[k].n++;
        g->of[i] = k;
    }
    return true;
}

/* Parts x[group][type] of every job. */
static inline uint32_t groups_parts(const struct groups *g, const struct policy_round_obs *o,
                                    const double *x, struct policy_part *part)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n; i++)
        for (uint32_t t = 0; t < o->types && n < o->most; t++) {
            const double p = x[g->of[i] * o->types + t];
            if (p > 0)
                part[n++] = (struct policy_part){i, POLICY_NONE, t, p < 1 ? p : 1};
        }
    return n;
}

#endif
