/* rounds_las.c - least attained service, blind to how fast a job runs where: the same part of the
 * cluster for every job, by weight, each type in the same proportion (the baseline of Gavel,
 * OSDI'20, section 7; max-min fairness over GPU time).                                          */
#include "rounds_book.h"
#include "stateless.h"

/* The level z at which every job has z x weight GPUs, or all the time that it can use. */
static double level(const struct policy_round_obs *o, double gpus)
{
    double low = 0, high = gpus;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->job[i].gpus / o->job[i].weight > high)
            high = o->job[i].gpus / o->job[i].weight;
    for (int step = 0; step < 100; step++) {
        const double z = (low + high) / 2;
        double used = 0;
        for (uint32_t i = 0; i < o->n; i++) {
            const double own = z * o->job[i].weight;
            used += own < o->job[i].gpus ? own : o->job[i].gpus;
        }
        if (used <= gpus)
            low = z;
        else
            high = z;
    }
    return low;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self;
    double all = 0;
    uint32_t n = 0;
    for (uint32_t t = 0; t < o->types; t++)
        all += o->gpus[t];
    const double z = level(o, all);
    for (uint32_t i = 0; i < o->n; i++) {
        const double own = z * o->job[i].weight / o->job[i].gpus;
        for (uint32_t t = 0; t < o->types && n < o->most; t++)
            part[n++] =
                (struct policy_part){i, POLICY_NONE, t, (own < 1 ? own : 1) * o->gpus[t] / all};
    }
    return n;
}

POLICY(.name = "rounds-las", .summary = "the same GPU time for every job, blind to types",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_share = share);
