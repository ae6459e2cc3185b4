/* rounds_makespan.c - Gavel's makespan policy: all jobs that are there done as soon as can be
 * (Narayanan et al., OSDI'20, section 4.2).
 *
 * All are done by time T when every job runs at its steps over T or faster; the least T is a linear
 * program in 1/T, which their code searches for by halves.                                    */
#include "rounds_maxmin.h"

struct makespan {
    const struct policy_host *h;
    struct maxmin m;
};

static int create(void **self, const struct policy_host *h)
{
    struct makespan *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct makespan *s = self;
    maxmin_free(&s->m);
    free(s);
}

/* Of the longest job, on the GPU it is fastest on: brings the numbers near 1. */
static double longest(const struct policy_round_obs *o)
{
    double most = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        double rate = 0;
        for (uint32_t t = 0; t < o->types; t++)
            if (o->rate[t * o->kinds + o->job[i].kind] > rate)
                rate = o->rate[t * o->kinds + o->job[i].kind];
        if (rate > 0 && o->job[i].steps / rate > most)
            most = o->job[i].steps / rate;
    }
    return most;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct makespan *s = self;
    if (!maxmin_begin(&s->m, o, true))
        return 0;
    const double unit = longest(o);
    for (uint32_t i = 0; i < o->n; i++) /* each a group of its own */
        for (uint32_t t = 0; t < o->types; t++)
            s->m.worth[i * o->types + t] =
                o->rate[t * o->kinds + o->job[i].kind] / o->job[i].steps * unit;
    return maxmin_parts(&s->m, s->h, o, part);
}

POLICY(.name = "rounds-makespan", .summary = "all jobs done as soon as can be (Gavel)",
       .create = create, .destroy = destroy, .cluster_share = share);
