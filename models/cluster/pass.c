/* pass.c - who of those that wait starts now.
 *
 * Heads of kinds are looked at in the order of their keys; one that cannot
 * start bars its queue (strict), its kind (skip-over), or gets a reservation
 * that nobody may delay (backfill: Lifka's EASY, JSSPP 1995).                */
#include "models/cluster/cluster_state.h"

struct pass {
    struct cluster *s;
    bool push; /* larger keys may be pushed out now */
    struct shadow shadow;
    uint32_t looked, held; /* backfill: at how many; of scratch: passed over */
};

static uint64_t need(const struct kind *k)
{
    return (uint64_t)k->gpus_min * k->gpu_milli;
}

static bool over_quota(const struct cluster *s, const struct kind *k)
{
    const struct queue *q = &s->queue[k->queue];
    return q->used + need(k) > q->quota;
}

/* Nothing that this kind could hope for. */
static bool hopeless(const struct pass *p, const struct kind *k)
{
    const struct cluster *s = p->s;
    if (k->barred == s->pass || s->queue[k->queue].barred == s->pass)
        return true;
    if (s->c.line == LINE_STRICT || (s->c.line == LINE_BACKFILL && p->shadow.slot == NOBODY))
        return false; /* it must be seen to bar the others */
    return (need(k) > hosts_free(s) && !p->push && !s->c.resize) ||
           (over_quota(s, k) && !s->c.borrow);
}

static uint32_t pick(const struct pass *p)
{
    const struct cluster *s = p->s;
    uint32_t best = NOBODY;
    bool best_over = false;
    for (uint32_t i = 0; i < s->n_busy; i++) {
        const struct kind *k = &s->kind[s->busy[i]];
        if (hopeless(p, k))
            continue;
        const bool over = over_quota(s, k);
        if (best != NOBODY && (over != best_over ? over : !line_before(s, k->slot[0], best)))
            continue;
        best = k->slot[0];
        best_over = over;
    }
    return best;
}

static bool try_start(struct pass *p, uint32_t slot)
{
    struct cluster *s = p->s;
    const struct kind *k = &s->kind[s->job[slot].kind];
    if (over_quota(s, k) && !s->c.borrow)
        return false;
    if (need(k) <= hosts_free(s) && run_start(s, slot))
        return true;
    return (p->push || s->c.resize) && push_room(s, slot) && run_start(s, slot);
}

/* true: it was passed over, and the next of its kind may be looked at. */
static bool behind_the_shadow(struct pass *p, uint32_t slot)
{
    struct cluster *s = p->s;
    if (!shadow_lets(s, &p->shadow, slot, false)) {
        line_remove(s, slot);
        s->scratch[p->held++] = slot;
        return true;
    }
    if (try_start(p, slot)) {
        shadow_lets(s, &p->shadow, slot, true);
        s->n.backfilled++;
        return true;
    }
    return false;
}

static void bar(struct pass *p, uint32_t slot)
{
    struct cluster *s = p->s;
    struct kind *k = &s->kind[s->job[slot].kind];
    if (s->c.line == LINE_STRICT)
        s->queue[k->queue].barred = s->pass;
    else if (s->c.line == LINE_SKIP_OVER || p->shadow.slot != NOBODY)
        k->barred = s->pass;
    else if (over_quota(s, k) && !s->c.borrow)
        s->queue[k->queue].barred = s->pass; /* its own queue holds it back, nobody else */
    else {
        shadow_cast(s, slot, &p->shadow);
        line_remove(s, slot);
        s->scratch[p->held++] = slot;
    }
}

static bool over(const struct pass *p)
{
    const struct cluster *s = p->s;
    return s->rc || s->stuck || !s->n_busy ||
           (p->shadow.slot != NOBODY && (p->looked >= s->c.depth || !hosts_free(s)));
}

static bool may_push(struct cluster *s)
{
    const sim_time now = sim_now(s->sim), every = s->c.preempt_every;
    return s->c.preempt && (!every || now % every == 0);
}

static void beat(void *ctx, uint64_t unused)
{
    struct cluster *s = ctx;
    (void)unused;
    s->beat = 0;
    cluster_wake(s);
}

/* While anybody waits there is a next moment at which larger keys may be pushed out. */
static void book_beat(struct cluster *s)
{
    const sim_time every = s->c.preempt_every;
    if (s->c.preempt && every && s->waiting && s->running && !s->beat)
        s->beat = sim_at(s->sim, (sim_now(s->sim) / every + 1) * every, 0, beat, s, 0);
}

void pass_run(struct cluster *s)
{
    struct pass p = {.s = s, .push = may_push(s), .shadow = {.slot = NOBODY}};
    s->pass++;
    s->n.passes++;
    while (!over(&p)) {
        if (s->unsettled && !p.held) /* who was passed over is in no line to be moved in */
            order_shares(s);
        const uint32_t slot = pick(&p);
        if (slot == NOBODY)
            break;
        p.looked += p.shadow.slot != NOBODY;
        if (p.shadow.slot != NOBODY ? !behind_the_shadow(&p, slot) : !try_start(&p, slot))
            bar(&p, slot);
    }
    while (p.held)
        line_push(s, s->scratch[--p.held]);
    s->passing = false;
    if (s->c.resize && !s->waiting)
        push_grow(s);
    book_beat(s);
    report_levels(s);
}
