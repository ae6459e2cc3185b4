/* cluster_turns.c - parts from the policy, and from them who runs in a round. */
#include <stdlib.h>
#include <string.h>

#include "models/rounds/cluster_state.h"

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "rounds: out of memory");
}

uint32_t cluster_find(const struct cluster *c, uint64_t id)
{
    uint32_t lo = 0, hi = c->n_live;
    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (c->live[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->n_live && c->live[lo].id == id ? lo : RATES_NONE;
}

/* What it was given against what it had, and a new beginning. */
static void settle(const struct cluster *c, struct turn *t, double since_s)
{
    const double half = (double)c->set->round / 2e9;
    for (uint32_t i = 0; i < c->set->rates->types; i++) {
        t->owed[i] += t->part[i] * since_s - (t->had[i] - half);
        t->had[i] = half;
        t->part[i] = 0;
    }
}

static int pair_of(struct cluster *c, uint64_t a, uint64_t b, struct pair **out, struct err *e)
{
    for (uint32_t i = c->n_pair; i-- > 0;)
        if (c->pair[i].a == a && c->pair[i].b == b)
            return *out = &c->pair[i], 0;
    if (c->n_pair == c->pair_room) {
        const uint32_t room = c->pair_room ? 2 * c->pair_room : 64;
        struct pair *more = realloc(c->pair, room * sizeof *more);
        if (!more)
            return no_memory(e);
        c->pair = more;
        c->pair_room = room;
    }
    *out = &c->pair[c->n_pair++];
    **out = (struct pair){.a = a, .b = b};
    for (uint32_t t = 0; t < c->set->rates->types; t++)
        (*out)->turn.had[t] = (double)c->set->round / 2e9;
    return 0;
}

static int take_part(struct cluster *c, const struct policy_part *p, struct err *e)
{
    struct live *job = &c->live[p->job];
    struct pair *pair = NULL;
    if (p->beside == POLICY_NONE) {
        job->turn.part[p->type] += p->part;
        return 0;
    }
    int rc = pair_of(c, job->id, c->live[p->beside].id, &pair, e);
    if (!rc)
        pair->turn.part[p->type] += p->part;
    return rc;
}

static int look(struct cluster *c, struct policy_round_obs *o, struct err *e)
{
    const struct rates *r = c->set->rates;
    const uint32_t most = POLICY_PARTS_MAX(c->n_live, r->types);
    if (most > c->most_parts) {
        free(c->seen);
        free(c->part);
        c->most_parts = 2 * most;
        c->seen = malloc((size_t)c->most_parts * sizeof *c->seen);
        c->part = malloc((size_t)c->most_parts * sizeof *c->part);
        if (!c->seen || !c->part)
            return no_memory(e);
    }
    for (uint32_t i = 0; i < c->n_live; i++) {
        const struct live *j = &c->live[i];
        c->seen[i] = (struct policy_round_job){.id = j->id,
                                               .arrived_ns = j->arrived,
                                               .kind = j->kind,
                                               .gpus = j->gpus,
                                               .weight = j->weight,
                                               .steps = j->left};
    }
    *o = (struct policy_round_obs){.now_ns = c->now,
                                   .n = c->n_live,
                                   .types = r->types,
                                   .kinds = r->kinds,
                                   .most = most,
                                   .job = c->seen,
                                   .gpus = c->set->gpus,
                                   .rate = r->alone,
                                   .beside = c->set->pairs ? r->beside : NULL};
    return 0;
}

int cluster_share(struct cluster *c, struct err *e)
{
    struct policy_round_obs o;
    const double since_s = (double)(c->now - c->shared) / 1e9;
    int rc = look(c, &o, e);
    if (rc)
        return rc;
    const uint32_t n = policy_slot_parts(c->set->policy, &o, c->part);
    for (uint32_t i = 0; i < c->n_live; i++) {
        settle(c, &c->live[i].turn, since_s);
        c->live[i].asked = true;
    }
    for (uint32_t i = 0; i < c->n_pair; i++)
        settle(c, &c->pair[i].turn, since_s);
    for (uint32_t i = 0; !rc && i < n; i++)
        rc = take_part(c, &c->part[i], e);
    c->stats->shares++;
    c->shared = c->now;
    c->ever_shared = true;
    c->changed = false;
    return rc;
}

/* ---- who runs ---- */

static int most_behind(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    if (a->lag != b->lag)
        return a->lag > b->lag ? -1 : 1;
    if (a->owed != b->owed)
        return a->owed > b->owed ? -1 : 1;
    if (a->part != b->part)
        return a->part > b->part ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

static void rank(struct cluster *c, const struct turn *t, uint32_t type, uint32_t at)
{
    const double lag = t->part[type] > 0 ? t->part[type] / t->had[type] : 0;
    if (lag <= 0 && !c->set->fill)
        return;
    c->candidate[c->candidates++] =
        (struct candidate){.lag = lag, .owed = t->owed[type], .part = t->part[type], .at = at};
}

static void line_up(struct cluster *c, uint32_t type)
{
    c->candidates = 0;
    for (uint32_t i = 0; i < c->n_live; i++)
        if (c->live[i].asked && !c->live[i].runs &&
            rates_alone(c->set->rates, type, c->live[i].kind) > 0)
            rank(c, &c->live[i].turn, type, i);
    for (uint32_t i = 0; i < c->n_pair; i++)
        if (c->pair[i].turn.part[type] > 0)
            rank(c, &c->pair[i].turn, type, c->n_live + i);
    qsort(c->candidate, c->candidates, sizeof *c->candidate, most_behind);
}

static void take(struct cluster *c, uint32_t type)
{
    uint32_t left = c->set->gpus[type];
    for (uint32_t i = 0; i < c->candidates && left; i++) {
        const uint32_t at = c->candidate[i].at;
        struct live *a, *b = NULL;
        if (at < c->n_live) {
            a = &c->live[at];
        } else {
            a = &c->live[cluster_find(c, c->pair[at - c->n_live].a)];
            b = &c->live[cluster_find(c, c->pair[at - c->n_live].b)];
        }
        if (a->runs || (b && b->runs) || a->gpus > left)
            continue;
        left -= a->gpus;
        a->runs = true;
        if (b)
            b->runs = true;
        c->chosen[c->n_chosen++] = (struct chosen){at, type};
    }
}

int cluster_choose(struct cluster *c, struct err *e)
{
    uint32_t type[RATES_TYPES_MAX];
    const uint32_t room = c->n_live + c->n_pair;
    free(c->candidate);
    free(c->chosen);
    c->candidate = malloc((room + 1) * sizeof *c->candidate);
    c->chosen = malloc((room + 1) * sizeof *c->chosen);
    if (!c->candidate || !c->chosen)
        return no_memory(e);
    for (uint32_t t = 0; t < c->set->rates->types; t++)
        type[t] = t;
    if (c->set->shuffle)
        pyrandom_shuffle(&c->order, type, c->set->rates->types);
    c->n_chosen = 0;
    for (uint32_t i = 0; i < c->n_live; i++)
        c->live[i].runs = false;
    for (uint32_t t = 0; t < c->set->rates->types; t++) {
        line_up(c, type[t]);
        take(c, type[t]);
    }
    return 0;
}
