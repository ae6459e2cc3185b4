/* rounds_maxmin.h - parts of GPUs by which whoever is worst off is as well off as can be.
 *
 * worth[group][type] is how well off a job is that has all of its time there.  Many parts are the
 * best for the worst off; of these, those with the largest sum of worth over all jobs, which leaves
 * nothing on the table.                                                                       */
#ifndef ROUNDS_MAXMIN_H
#define ROUNDS_MAXMIN_H

#include "rounds_groups.h"
#include "rounds_lp.h"

struct maxmin {
    struct groups groups;
    struct lp lp;
    double *worth, *x; /* [groups][types]; x has one more, the worst */
    uint32_t room;
};

static inline void maxmin_free(struct maxmin *m)
{
    groups_free(&m->groups);
    lp_free(&m->lp);
    free(m->worth);
    free(m->x);
}

/* Groups, and room for worth[]. */
static inline bool maxmin_begin(struct maxmin *m, const struct policy_round_obs *o, bool apart)
{
    if (!groups_make(&m->groups, o, apart))
        return false;
    const uint32_t cols = m->groups.n * o->types + 1;
    if (cols <= m->room)
        return true;
    free(m->worth);
    free(m->x);
    m->worth = malloc(2 * (size_t)cols * sizeof *m->worth);
    m->x = malloc(2 * (size_t)cols * sizeof *m->x);
    m->room = m->worth && m->x ? 2 * cols : 0;
    return m->room;
}

/* No job has more than all of its time, no type gives more than it has. */
static inline void maxmin_fit(struct maxmin *m, const struct policy_round_obs *o)
{
    const uint32_t T = o->types;
    for (uint32_t g = 0; g < m->groups.n; g++) {
        lp_row(&m->lp, 1);
        for (uint32_t t = 0; t < T; t++)
            lp_entry(&m->lp, g * T + t, 1);
    }
    for (uint32_t t = 0; t < T; t++) {
        lp_row(&m->lp, o->gpus[t]);
        for (uint32_t g = 0; g < m->groups.n; g++)
            lp_entry(&m->lp, g * T + t, (double)m->groups.v[g].n * m->groups.v[g].gpus);
    }
}

/* How many parts are in part[]; 0 when there is no answer. */
static inline uint32_t maxmin_parts(struct maxmin *m, const struct policy_host *h,
                                    const struct policy_round_obs *o, struct policy_part *part)
{
    const uint32_t T = o->types, G = m->groups.n, n = G * T;
    if (!lp_begin(&m->lp, n + 1, 2 * G + T + 1, 3 * n + G + 1))
        return 0;
    maxmin_fit(m, o);
    for (uint32_t g = 0; g < G; g++) { /* the worst <= each */
        lp_row(&m->lp, 0);
        lp_entry(&m->lp, n, 1);
        for (uint32_t t = 0; t < T; t++)
            lp_entry(&m->lp, g * T + t, -m->worth[g * T + t]);
    }
    m->lp.gain[n] = 1;
    if (h->lp(h->host, &m->lp.p, m->x))
        return 0;
    lp_row(&m->lp, -m->x[n] * (1 - 1e-9)); /* from now on that well off at least */
    lp_entry(&m->lp, n, -1);
    m->lp.gain[n] = 0;
    for (uint32_t i = 0; i < n; i++)
        m->lp.gain[i] = m->worth[i] * m->groups.v[i / T].n;
    if (h->lp(h->host, &m->lp.p, m->x))
        return 0;
    return groups_parts(&m->groups, o, m->x, part);
}

#endif
