/* rounds_gavel.c - Gavel's heterogeneity-aware least attained service: max-min fairness of
 * effective throughput (Narayanan et al., OSDI'20, section 4.1).
 *
 * A job is as well off as its steps per second, times its GPUs, over its weight and over what the
 * same time on every type, in proportion to their GPUs, would give it.                        */
#include "rounds_maxmin.h"

struct gavel {
    const struct policy_host *h;
    struct maxmin m;
};

static int create(void **self, const struct policy_host *h)
{
    struct gavel *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct gavel *s = self;
    maxmin_free(&s->m);
    free(s);
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct gavel *s = self;
    double all = 0;
    if (!maxmin_begin(&s->m, o, false))
        return 0;
    for (uint32_t t = 0; t < o->types; t++)
        all += o->gpus[t];
    for (uint32_t g = 0; g < s->m.groups.n; g++) {
        const struct group *v = &s->m.groups.v[g];
        double even = 0;
        for (uint32_t t = 0; t < o->types; t++)
            even += o->rate[t * o->kinds + v->kind] * o->gpus[t] / all;
        for (uint32_t t = 0; t < o->types; t++)
            s->m.worth[g * o->types + t] =
                even > 0 ? o->rate[t * o->kinds + v->kind] / even * v->gpus / v->weight : 0;
    }
    return maxmin_parts(&s->m, s->h, o, part);
}

POLICY(.name = "rounds-gavel", .summary = "max-min fairness of effective throughput (Gavel)",
       .create = create, .destroy = destroy, .cluster_share = share);
