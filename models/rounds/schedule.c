#include "models/rounds/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "models/rounds/schedule_state.h"

static int fetch(struct schedule *s, struct err *e)
{
    int rc = s->ended ? 0 : s->set->next(s->set->ctx, &s->next, e);
    s->more = rc > 0;
    return rc < 0 ? rc : 0;
}

static int admit(struct schedule *s, struct err *e)
{
    if (s->n_live == s->live_room) {
        const uint32_t room = s->live_room ? 2 * s->live_room : 256;
        struct live *more = realloc(s->live, room * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "rounds: out of memory");
        s->live = more;
        s->live_room = room;
    }
    struct live *j = &s->live[s->n_live++];
    *j = (struct live){.id = s->stats->arrived++,
                       .arrived = s->next.arrives,
                       .kind = s->next.kind,
                       .gpus = s->set->rates->gpus[s->next.kind],
                       .left = s->next.steps,
                       .weight = s->next.weight,
                       .type = RATES_NONE};
    for (uint32_t t = 0; t < s->set->rates->types; t++)
        j->turn.had[t] = (double)s->set->round / 2e9;
    if (s->n_live > s->stats->most_jobs)
        s->stats->most_jobs = s->n_live;
    s->changed = true;
    return fetch(s, e);
}

/* ---- one round ---- */

/* Steps of this round, and when the last of them is done. */
static void plan(struct schedule *s, struct live *j, double rate)
{
    const double most = rate * ((double)s->set->round / 1e9);
    double steps = (double)(uint64_t)most;
    steps = steps > 0 ? steps : most; /* a part of a step, where one takes longer than a round */
    j->steps = steps < j->left ? steps : j->left;
    j->ends = s->now + (sim_time)(j->steps / rate * 1e9 + 0.5);
}

static void started(struct schedule *s, struct live *j, uint32_t type)
{
    s->stats->moves += j->type != RATES_NONE && j->type != type;
    j->type = type;
}

static sim_time start_one(struct schedule *s, const struct chosen *h)
{
    const struct rates *r = s->set->rates;
    if (h->at < s->n_live) {
        struct live *j = &s->live[h->at];
        plan(s, j, rates_alone(r, h->type, j->kind));
        started(s, j, h->type);
        return j->ends;
    }
    const struct pair *p = &s->pair[h->at - s->n_live];
    struct live *a = &s->live[schedule_find(s, p->a)], *b = &s->live[schedule_find(s, p->b)];
    plan(s, a, rates_beside(r, h->type, a->kind, b->kind));
    plan(s, b, rates_beside(r, h->type, b->kind, a->kind));
    started(s, a, h->type);
    started(s, b, h->type);
    a->ends = b->ends = a->ends > b->ends ? a->ends : b->ends;
    s->stats->pair_rounds += 2;
    return a->ends;
}

static sim_time start_round(struct schedule *s)
{
    sim_time end = s->now;
    for (uint32_t i = 0; i < s->n_chosen; i++) {
        const sim_time ends = start_one(s, &s->chosen[i]);
        end = ends > end ? ends : end;
    }
    return end;
}

static void had(struct schedule *s, const struct chosen *h, sim_time from)
{
    const bool single = h->at < s->n_live;
    struct pair *p = single ? NULL : &s->pair[h->at - s->n_live];
    struct live *j = single ? &s->live[h->at] : &s->live[schedule_find(s, p->a)];
    const double ran = (double)(j->ends - from) / 1e9;
    (single ? &j->turn : &p->turn)->had[h->type] += ran;
    s->stats->busy_s[h->type] += ran * j->gpus;
}

static void drop_pairs(struct schedule *s)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n_pair; i++)
        if (schedule_find(s, s->pair[i].a) != RATES_NONE &&
            schedule_find(s, s->pair[i].b) != RATES_NONE)
            s->pair[kept++] = s->pair[i];
    s->n_pair = kept;
}

static void end_round(struct schedule *s, sim_time from)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n_chosen; i++)
        had(s, &s->chosen[i], from);
    for (uint32_t i = 0; i < s->n_live; i++) {
        struct live *j = &s->live[i];
        if (j->runs) {
            j->left -= j->steps;
            if (j->left <= 0) {
                s->stats->done++;
                if (s->set->left(s->set->ctx, j->id, j->kind, j->arrived, j->ends))
                    s->ended = true;
                continue;
            }
        }
        if (kept != i)
            s->live[kept] = *j;
        kept++;
    }
    if (kept == s->n_live)
        return;
    s->n_live = kept;
    s->changed = true;
    drop_pairs(s);
}

/* ---- the run ---- */

static bool may_share(const struct schedule *s)
{
    return s->changed && s->n_live &&
           (!s->ever_shared || s->now - s->shared >= s->set->share_every);
}

/* Whoever answers now makes parts of its own. */
static void look_for_another(struct schedule *s)
{
    if (!s->set->life)
        return;
    const uint32_t before = life_clock_version(s->set->life);
    life_clock_at(s->set->life, s->now);
    s->changed |= life_clock_version(s->set->life) != before;
}

/* Nothing runs: until when?  false: for ever. */
static bool wait(struct schedule *s)
{
    sim_time until = SIM_NEVER;
    if (s->more)
        until = s->next.arrives;
    if (s->n_live && s->changed && s->shared + s->set->share_every < until)
        until = s->shared + s->set->share_every;
    if (until == SIM_NEVER)
        return false;
    s->now = until > s->now ? until : s->now;
    return true;
}

static int one_round(struct schedule *s, bool *on, struct err *e)
{
    int rc = 0;
    while (!rc && s->more && s->next.arrives <= s->now)
        rc = admit(s, e);
    look_for_another(s);
    if (!rc && may_share(s))
        rc = schedule_share(s, e);
    if (!rc)
        rc = schedule_choose(s, e);
    if (rc)
        return rc;
    if (!s->n_chosen) {
        *on = wait(s);
        return 0;
    }
    const sim_time from = s->now;
    s->now = start_round(s);
    end_round(s, from);
    s->stats->rounds++;
    *on = !s->ended;
    return 0;
}

static void finish(struct schedule *s)
{
    s->stats->end = s->now;
    s->stats->stuck = s->n_live && !s->ended;
    if (s->stats->stuck)
        s->stats->stuck_job = s->live[0].id;
    free(s->live);
    free(s->pair);
    free(s->candidate);
    free(s->chosen);
    free(s->seen);
    free(s->part);
}

int schedule_run(const struct schedule_set *set, struct schedule_stats *stats, struct err *e)
{
    struct schedule s = {.set = set, .stats = stats};
    bool on = true;
    *stats = (struct schedule_stats){0};
    pyrandom_seed(&s.order, set->order);
    int rc = fetch(&s, e);
    if (!rc && s.more)
        s.now = s.next.arrives;
    while (!rc && on)
        rc = one_round(&s, &on, e);
    finish(&s);
    return rc;
}
