/* push.c - room for one that waits, made by others: those with larger keys leave, or elastic jobs
 * shrink. */
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

/* ---- those with larger keys leave ---------------------------------------------- */

/* From the worst key on, until it would fit without them; they are off the heap, their seats
 * lent. */
static uint32_t collect(struct cluster *s, const struct job *j, bool *fits)
{
    uint32_t n = 0;
    *fits = false;
    while (s->running && !*fits && s->job[s->ran[0]].key > j->key) {
        const uint32_t worst = s->ran[0];
        hosts_lend(s, worst);
        ran_remove(s, worst);
        s->scratch[n++] = worst;
        *fits = hosts_fits(s, j);
    }
    return n;
}

/* The best of them stay if the others are enough. */
static uint32_t spare(struct cluster *s, const struct job *j, uint32_t n, bool fits)
{
    uint32_t leave = 0;
    for (uint32_t i = n; i-- > 0;) {
        const uint32_t who = s->scratch[i];
        hosts_claim(s, who);
        ran_push(s, who);
        if (!fits || hosts_fits(s, j))
            continue;
        hosts_lend(s, who);
        s->ends[leave++].slot = who;
    }
    for (uint32_t i = 0; i < leave; i++)
        hosts_claim(s, s->ends[i].slot);
    return leave;
}

static bool push_out(struct cluster *s, uint32_t slot)
{
    const struct job *j = &s->job[slot];
    bool fits;
    const uint32_t n = collect(s, j, &fits), leave = spare(s, j, n, fits);
    for (uint32_t i = 0; i < leave; i++)
        run_stop(s, s->ends[i].slot, STOP_PREEMPTED);
    return fits;
}

/* ---- elastic jobs shrink --------------------------------------------------------- */

static uint64_t offers(const struct job *j)
{
    return j->given > j->seen.gpus_min ? (uint64_t)(j->given - j->seen.gpus_min) * j->seen.gpu_milli
                                       : 0;
}

static void shrink(struct cluster *s, uint32_t slot, uint64_t *want)
{
    const struct job *j = &s->job[slot];
    const uint64_t most = offers(j), milli = j->seen.gpu_milli;
    const uint64_t take = most < *want ? most : (*want + milli - 1) / milli * milli;
    if (!take || !*want)
        return;
    *want -= take < *want ? take : *want;
    run_resize(s, slot, j->given - (uint32_t)(take / milli));
}

static int best_first(const void *a, const void *b, void *ctx)
{
    return line_before(ctx, *(const uint32_t *)a, *(const uint32_t *)b) ? -1 : 1;
}

static uint32_t sorted(struct cluster *s)
{
    for (uint32_t i = 0; i < s->running; i++)
        s->scratch[i] = s->ran[i];
    qsort_r(s->scratch, s->running, sizeof *s->scratch, best_first, s);
    return s->running;
}

static bool shrink_all(struct cluster *s, uint32_t slot)
{
    const struct policy_job *p = &s->job[slot].seen;
    const uint64_t need = (uint64_t)p->gpus_min * p->gpu_milli, free = hosts_free(s);
    uint64_t want = need > free ? need - free : 0, sum = 0;
    for (uint32_t i = 0; i < s->running; i++)
        sum += offers(&s->job[s->ran[i]]);
    if (!want || sum < want)
        return false;
    for (uint32_t i = sorted(s); i-- > 0;)
        shrink(s, s->scratch[i], &want);
    return true;
}

bool push_room(struct cluster *s, uint32_t slot)
{
    return s->c.resize ? shrink_all(s, slot) : push_out(s, slot);
}

/* Nobody waits: what is free goes to those that end the sooner for it, their restart included. */
void push_grow(struct cluster *s)
{
    const uint32_t n = sorted(s);
    for (uint32_t i = 0; i < n && hosts_free(s); i++) {
        const struct job *j = &s->job[s->scratch[i]];
        if (!j->seen.gpus)
            continue;
        const uint64_t fit = j->given + hosts_free(s) / j->seen.gpu_milli;
        const uint32_t given = fit < j->seen.gpus_max ? (uint32_t)fit : j->seen.gpus_max;
        if (given > j->given && run_end_with(s, j, given) < run_end(s, j))
            run_resize(s, s->scratch[i], given);
    }
}
