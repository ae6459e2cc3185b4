#include "models/rounds/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "models/rounds/cluster_state.h"

static int fetch(struct cluster *c, struct err *e)
{
    int rc = c->ended ? 0 : c->set->next(c->set->ctx, &c->next, e);
    c->more = rc > 0;
    return rc < 0 ? rc : 0;
}

static int admit(struct cluster *c, struct err *e)
{
    if (c->n_live == c->live_room) {
        const uint32_t room = c->live_room ? 2 * c->live_room : 256;
        struct live *more = realloc(c->live, room * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "rounds: out of memory");
        c->live = more;
        c->live_room = room;
    }
    struct live *j = &c->live[c->n_live++];
    *j = (struct live){.id = c->stats->arrived++,
                       .arrived = c->next.arrives,
                       .kind = c->next.kind,
                       .gpus = c->set->rates->gpus[c->next.kind],
                       .left = c->next.steps,
                       .weight = c->next.weight,
                       .type = RATES_NONE};
    for (uint32_t t = 0; t < c->set->rates->types; t++)
        j->turn.had[t] = (double)c->set->round / 2e9;
    if (c->n_live > c->stats->most_jobs)
        c->stats->most_jobs = c->n_live;
    c->changed = true;
    return fetch(c, e);
}

/* ---- one round ---- */

/* Steps of this round, and when the last of them is done. */
static void plan(struct cluster *c, struct live *j, double rate)
{
    const double most = rate * ((double)c->set->round / 1e9);
    double steps = (double)(uint64_t)most;
    steps = steps > 0 ? steps : most; /* a part of a step, where one takes longer than a round */
    j->steps = steps < j->left ? steps : j->left;
    j->ends = c->now + (sim_time)(j->steps / rate * 1e9 + 0.5);
}

static void started(struct cluster *c, struct live *j, uint32_t type)
{
    c->stats->moves += j->type != RATES_NONE && j->type != type;
    j->type = type;
}

static sim_time start_one(struct cluster *c, const struct chosen *h)
{
    const struct rates *r = c->set->rates;
    if (h->at < c->n_live) {
        struct live *j = &c->live[h->at];
        plan(c, j, rates_alone(r, h->type, j->kind));
        started(c, j, h->type);
        return j->ends;
    }
    const struct pair *p = &c->pair[h->at - c->n_live];
    struct live *a = &c->live[cluster_find(c, p->a)], *b = &c->live[cluster_find(c, p->b)];
    plan(c, a, rates_beside(r, h->type, a->kind, b->kind));
    plan(c, b, rates_beside(r, h->type, b->kind, a->kind));
    started(c, a, h->type);
    started(c, b, h->type);
    a->ends = b->ends = a->ends > b->ends ? a->ends : b->ends;
    c->stats->pair_rounds += 2;
    return a->ends;
}

static sim_time start_round(struct cluster *c)
{
    sim_time end = c->now;
    for (uint32_t i = 0; i < c->n_chosen; i++) {
        const sim_time ends = start_one(c, &c->chosen[i]);
        end = ends > end ? ends : end;
    }
    return end;
}

static void had(struct cluster *c, const struct chosen *h, sim_time from)
{
    const bool single = h->at < c->n_live;
    struct pair *p = single ? NULL : &c->pair[h->at - c->n_live];
    struct live *j = single ? &c->live[h->at] : &c->live[cluster_find(c, p->a)];
    const double s = (double)(j->ends - from) / 1e9;
    (single ? &j->turn : &p->turn)->had[h->type] += s;
    c->stats->busy_s[h->type] += s * j->gpus;
}

static void drop_pairs(struct cluster *c)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->n_pair; i++)
        if (cluster_find(c, c->pair[i].a) != RATES_NONE &&
            cluster_find(c, c->pair[i].b) != RATES_NONE)
            c->pair[kept++] = c->pair[i];
    c->n_pair = kept;
}

static void end_round(struct cluster *c, sim_time from)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->n_chosen; i++)
        had(c, &c->chosen[i], from);
    for (uint32_t i = 0; i < c->n_live; i++) {
        struct live *j = &c->live[i];
        if (j->runs) {
            j->left -= j->steps;
            if (j->left <= 0) {
                c->stats->done++;
                if (c->set->left(c->set->ctx, j->id, j->kind, j->arrived, j->ends))
                    c->ended = true;
                continue;
            }
        }
        if (kept != i)
            c->live[kept] = *j;
        kept++;
    }
    if (kept == c->n_live)
        return;
    c->n_live = kept;
    c->changed = true;
    drop_pairs(c);
}

/* ---- the run ---- */

static bool may_share(const struct cluster *c)
{
    return c->changed && c->n_live &&
           (!c->ever_shared || c->now - c->shared >= c->set->share_every);
}

/* Nothing runs: until when?  false: for ever. */
static bool wait(struct cluster *c)
{
    sim_time until = SIM_NEVER;
    if (c->more)
        until = c->next.arrives;
    if (c->n_live && c->changed && c->shared + c->set->share_every < until)
        until = c->shared + c->set->share_every;
    if (until == SIM_NEVER)
        return false;
    c->now = until > c->now ? until : c->now;
    return true;
}

static int one_round(struct cluster *c, bool *on, struct err *e)
{
    int rc = 0;
    while (!rc && c->more && c->next.arrives <= c->now)
        rc = admit(c, e);
    if (!rc && may_share(c))
        rc = cluster_share(c, e);
    if (!rc)
        rc = cluster_choose(c, e);
    if (rc)
        return rc;
    if (!c->n_chosen) {
        *on = wait(c);
        return 0;
    }
    const sim_time from = c->now;
    c->now = start_round(c);
    end_round(c, from);
    c->stats->rounds++;
    *on = !c->ended;
    return 0;
}

static void finish(struct cluster *c)
{
    c->stats->end = c->now;
    c->stats->stuck = c->n_live && !c->ended;
    if (c->stats->stuck)
        c->stats->stuck_job = c->live[0].id;
    free(c->live);
    free(c->pair);
    free(c->candidate);
    free(c->chosen);
    free(c->seen);
    free(c->part);
}

int rounds_run(const struct round_set *set, struct round_stats *stats, struct err *e)
{
    struct cluster c = {.set = set, .stats = stats};
    bool on = true;
    *stats = (struct round_stats){0};
    pyrandom_seed(&c.order, set->order);
    int rc = fetch(&c, e);
    if (!rc && c.more)
        c.now = c.next.arrives;
    while (!rc && on)
        rc = one_round(&c, &on, e);
    finish(&c);
    return rc;
}
