/* push.c - room for one that waits, made by others: those with larger keys leave, or elastic jobs
 * shrink. */
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

/* What this job, running, could give up for one with that key. */
static uint64_t offers(const struct cluster *s, uint32_t slot, int64_t key)
{
    const struct job *j = &s->job[slot];
    if (s->c.resize)
        return j->given > j->seen.gpus_min
                   ? (uint64_t)(j->given - j->seen.gpus_min) * j->seen.gpu_milli
                   : 0;
    return j->key > key ? j->milli : 0;
}

/* From the worst key on, until it is enough; they are off the heap then. */
static uint32_t collect(struct cluster *s, int64_t key, uint64_t want, uint64_t *sum)
{
    uint32_t n = 0;
    *sum = 0;
    while (s->running && *sum < want) {
        const uint32_t worst = s->ran[0];
        if (!s->c.resize && s->job[worst].key <= key)
            break;
        *sum += offers(s, worst, key);
        ran_remove(s, worst);
        s->scratch[n++] = worst;
    }
    return n;
}

static void shrink(struct cluster *s, uint32_t slot, uint64_t *want)
{
    const struct job *j = &s->job[slot];
    const uint64_t most = offers(s, slot, 0), milli = j->seen.gpu_milli;
    const uint64_t take = most < *want ? most : (*want + milli - 1) / milli * milli;
    if (!take || !*want)
        return;
    *want -= take < *want ? take : *want;
    run_resize(s, slot, j->given - (uint32_t)(take / milli));
}

bool push_room(struct cluster *s, uint32_t slot)
{
    const struct job *j = &s->job[slot];
    const uint64_t need = (uint64_t)j->seen.gpus_min * j->seen.gpu_milli, free = hosts_free(s);
    uint64_t want = need > free ? need - free : 0, sum;
    uint32_t n = collect(s, j->key, want, &sum), leave = 0;
    const bool enough = want && sum >= want;
    /* The best of them stay if the others are enough. */
    for (uint32_t i = n; i-- > 0;) {
        const uint32_t who = s->scratch[i];
        const uint64_t gives = offers(s, who, j->key);
        ran_push(s, who);
        if (!enough || sum - gives >= want)
            sum -= gives;
        else
            s->ends[leave++].slot = who;
    }
    for (uint32_t i = 0; i < leave; i++) {
        if (s->c.resize)
            shrink(s, s->ends[i].slot, &want);
        else
            run_stop(s, s->ends[i].slot, STOP_PREEMPTED);
    }
    return enough;
}

static int best_first(const void *a, const void *b, void *ctx)
{
    return line_before(ctx, *(const uint32_t *)a, *(const uint32_t *)b) ? -1 : 1;
}

/* Nobody waits: what is free goes to those that end the sooner for it, their restart included. */
void push_grow(struct cluster *s)
{
    const uint32_t n = s->running;
    for (uint32_t i = 0; i < n; i++)
        s->scratch[i] = s->ran[i];
    qsort_r(s->scratch, n, sizeof *s->scratch, best_first, s);
    for (uint32_t i = 0; i < n && hosts_free(s); i++) {
        const struct job *j = &s->job[s->scratch[i]];
        const uint64_t fit = j->given + hosts_free(s) / j->seen.gpu_milli;
        const uint32_t given = fit < j->seen.gpus_max ? (uint32_t)fit : j->seen.gpus_max;
        if (given > j->given && run_end_with(s, j, given) < run_end(s, j))
            run_resize(s, s->scratch[i], given);
    }
}
