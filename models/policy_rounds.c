/* policy_rounds.c - the guard at cluster.share. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/policy_guard.h"

/* Sums of parts of thousands of jobs, each rounded: what they may be off by. */
#define SLACK 1e-6

static uint64_t gpus_of(const struct policy_round_obs *o)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < o->types; t++)
        n += o->gpus[t];
    return n;
}

/* The cluster split evenly over the jobs, each type in the same proportion. */
static uint32_t equal_parts(const struct policy_round_obs *o, struct policy_part *part)
{
    const double all = (double)gpus_of(o);
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const double own = all / (double)o->n / o->job[i].gpus;
        for (uint32_t t = 0; t < o->types && n < o->most; t++) {
            const double p = (own < 1 ? own : 1) * o->gpus[t] / all;
            if (o->gpus[t] >= o->job[i].gpus && p > 0)
                part[n++] = (struct policy_part){i, POLICY_NONE, t, p};
        }
    }
    return n;
}

static bool together(const struct policy_round_obs *o, const struct policy_part *a)
{
    const uint32_t i = o->job[a->job].kind, k = o->job[a->beside].kind, n = o->kinds;
    return o->beside && o->job[a->job].gpus == o->job[a->beside].gpus &&
           o->beside[((size_t)a->type * n + i) * n + k] > 0 &&
           o->beside[((size_t)a->type * n + k) * n + i] > 0;
}

static const char *part_bad(const struct policy_round_obs *o, const struct policy_part *a,
                            char *why, size_t size)
{
    if (a->job >= o->n)
        snprintf(why, size, "a part of job %u, want one of %u", a->job, o->n);
    else if (a->type >= o->types)
        snprintf(why, size, "a part of type %u, want one of %u", a->type, o->types);
    else if (!(a->part >= 0 && a->part <= 1 + SLACK))
        snprintf(why, size, "a part of %g for job %u, want 0 to 1", a->part, a->job);
    else if (a->beside == POLICY_NONE)
        return NULL;
    else if (a->beside >= o->n || a->beside <= a->job)
        snprintf(why, size, "job %u beside job %u, want a later one of %u", a->job, a->beside,
                 o->n);
    else if (!together(o, a))
        snprintf(why, size, "job %u beside job %u on type %u, where they can't run together",
                 a->job, a->beside, a->type);
    else
        return NULL;
    return why;
}

/* sum[]: of each job, then of each type. */
static const char *sums_bad(const struct policy_round_obs *o, const double *sum, char *why,
                            size_t size)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (sum[i] > 1 + SLACK) {
            snprintf(why, size, "parts of %g in all for job %u, want at most 1", sum[i], i);
            return why;
        }
    for (uint32_t t = 0; t < o->types; t++)
        if (sum[o->n + t] > o->gpus[t] * (1 + SLACK)) {
            snprintf(why, size, "%g GPUs of type %u, which has %u", sum[o->n + t], t, o->gpus[t]);
            return why;
        }
    return NULL;
}

static const char *parts_bad(const struct policy_round_obs *o, const struct policy_part *part,
                             uint32_t n, double *sum, char *why, size_t size)
{
    memset(sum, 0, (o->n + o->types) * sizeof *sum);
    for (uint32_t i = 0; i < n; i++) {
        const struct policy_part *a = &part[i];
        if (part_bad(o, a, why, size))
            return why;
        sum[a->job] += a->part;
        if (a->beside != POLICY_NONE)
            sum[a->beside] += a->part;
        sum[o->n + a->type] += a->part * o->job[a->job].gpus;
    }
    return sums_bad(o, sum, why, size);
}

uint32_t policy_slot_parts(struct policy_slot *p, const struct policy_round_obs *o,
                           struct policy_part *part)
{
    if (!slot_asks(p) || !p->ops->cluster_share || !slot_enter(p, "cluster_share", o->now_ns))
        return equal_parts(o, part);
    const uint32_t said = p->ops->cluster_share(p->self, o, part);
    slot_leave(p);
    p->decisions++;
    char why[128] = "";
    double *sum = malloc((o->n + o->types) * sizeof *sum);
    const char *bad = NULL;
    if (said > o->most) {
        snprintf(why, sizeof why, "%u parts, want at most %u", said, o->most);
        bad = why;
    } else if (sum) {
        bad = parts_bad(o, part, said, sum, why, sizeof why);
    }
    free(sum);
    if (!bad)
        return said;
    slot_bad(p, o->now_ns, "cluster_share answered %s", bad);
    return equal_parts(o, part);
}
