/* schedule_turns.c - parts from the policy, and from them who runs in a round. */
#include <stdlib.h>
#include <string.h>

#include "models/rounds/schedule_state.h"

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "rounds: out of memory");
}

uint32_t schedule_find(const struct schedule *s, uint64_t id)
{
    uint32_t lo = 0, hi = s->n_live;
    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (s->live[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n_live && s->live[lo].id == id ? lo : RATES_NONE;
}

/* What it was given against what it had, and a new beginning. */
static void settle(const struct schedule *s, struct turn *t, double since_s)
{
    const double half = (double)s->set->round / 2e9;
    for (uint32_t i = 0; i < s->set->rates->types; i++) {
        t->owed[i] += t->part[i] * since_s - (t->had[i] - half);
        t->had[i] = half;
        t->part[i] = 0;
    }
}

static int pair_of(struct schedule *s, uint64_t a, uint64_t b, struct pair **out, struct err *e)
{
    for (uint32_t i = s->n_pair; i-- > 0;)
        if (s->pair[i].a == a && s->pair[i].b == b)
            return *out = &s->pair[i], 0;
    if (s->n_pair == s->pair_room) {
        const uint32_t room = s->pair_room ? 2 * s->pair_room : 64;
        struct pair *more = realloc(s->pair, room * sizeof *more);
        if (!more)
            return no_memory(e);
        s->pair = more;
        s->pair_room = room;
    }
    *out = &s->pair[s->n_pair++];
    **out = (struct pair){.a = a, .b = b};
    for (uint32_t t = 0; t < s->set->rates->types; t++)
        (*out)->turn.had[t] = (double)s->set->round / 2e9;
    return 0;
}

static int take_part(struct schedule *s, const struct policy_part *p, struct err *e)
{
    struct live *job = &s->live[p->job];
    struct pair *pair = NULL;
    if (p->beside == POLICY_NONE) {
        job->turn.part[p->type] += p->part;
        return 0;
    }
    int rc = pair_of(s, job->id, s->live[p->beside].id, &pair, e);
    if (!rc)
        pair->turn.part[p->type] += p->part;
    return rc;
}

static int look(struct schedule *s, struct policy_round_obs *o, struct err *e)
{
    const struct rates *r = s->set->rates;
    const uint32_t most = POLICY_PARTS_MAX(s->n_live, r->types);
    if (most > s->most_parts) {
        free(s->seen);
        free(s->part);
        s->most_parts = 2 * most;
        s->seen = malloc((size_t)s->most_parts * sizeof *s->seen);
        s->part = malloc((size_t)s->most_parts * sizeof *s->part);
        if (!s->seen || !s->part)
            return no_memory(e);
    }
    for (uint32_t i = 0; i < s->n_live; i++) {
        const struct live *j = &s->live[i];
        s->seen[i] = (struct policy_round_job){.id = j->id,
                                               .arrived_ns = j->arrived,
                                               .kind = j->kind,
                                               .gpus = j->gpus,
                                               .weight = j->weight,
                                               .steps = j->left};
    }
    *o = (struct policy_round_obs){.now_ns = s->now,
                                   .n = s->n_live,
                                   .types = r->types,
                                   .kinds = r->kinds,
                                   .most = most,
                                   .job = s->seen,
                                   .gpus = s->set->gpus,
                                   .rate = r->alone,
                                   .beside = s->set->pairs ? r->beside : NULL};
    return 0;
}

/* The answer is there when the inference behind it is done. */
static uint32_t ask(struct schedule *s, const struct policy_round_obs *o)
{
    struct mlaas_bill *bill = s->set->bill;
    struct life_clock *life = s->set->life;
    sim_time wait = 0;
    struct policy_slot *p = life ? life_clock_ask(life, &wait) : s->set->policy;
    if (bill)
        mlaas_bill_begin(bill);
    const uint32_t n = policy_slot_parts(p, o, s->part);
    if (life)
        life_clock_said(life);
    s->now += wait;
    if (bill)
        s->now += carry_ns(&s->carry, mlaas_bill_end(bill));
    return n;
}

int schedule_share(struct schedule *s, struct err *e)
{
    struct policy_round_obs o;
    const double since_s = (double)(s->now - s->shared) / 1e9;
    int rc = look(s, &o, e);
    if (rc)
        return rc;
    const uint32_t n = ask(s, &o);
    for (uint32_t i = 0; i < s->n_live; i++) {
        settle(s, &s->live[i].turn, since_s);
        s->live[i].asked = true;
    }
    for (uint32_t i = 0; i < s->n_pair; i++)
        settle(s, &s->pair[i].turn, since_s);
    for (uint32_t i = 0; !rc && i < n; i++)
        rc = take_part(s, &s->part[i], e);
    s->stats->shares++;
    s->shared = s->now;
    s->ever_shared = true;
    s->changed = false;
    return rc;
}

/* ---- who runs ---- */

static bool further_behind(const struct candidate *a, const struct candidate *b)
{
    if (a->lag != b->lag)
        return a->lag > b->lag;
    if (a->owed != b->owed)
        return a->owed > b->owed;
    if (a->part != b->part)
        return a->part > b->part;
    return a->at < b->at;
}

/* Candidates are a heap: few of them run, however many wait. */
static void sink(struct candidate *heap, uint32_t n, uint32_t i)
{
    const struct candidate c = heap[i];
    for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && further_behind(&heap[k + 1], &heap[k]))
            k++;
        if (!further_behind(&heap[k], &c))
            break;
        heap[i] = heap[k];
    }
    heap[i] = c;
}

static uint32_t most_behind(struct schedule *s)
{
    const uint32_t at = s->candidate[0].at;
    s->candidate[0] = s->candidate[--s->candidates];
    if (s->candidates)
        sink(s->candidate, s->candidates, 0);
    return at;
}

static void rank(struct schedule *s, const struct turn *t, uint32_t type, uint32_t at)
{
    const double lag = t->part[type] > 0 ? t->part[type] / t->had[type] : 0;
    if (lag <= 0 && !s->set->fill)
        return;
    s->candidate[s->candidates++] =
        (struct candidate){.lag = lag, .owed = t->owed[type], .part = t->part[type], .at = at};
}

static void line_up(struct schedule *s, uint32_t type)
{
    s->candidates = 0;
    for (uint32_t i = 0; i < s->n_live; i++)
        if (s->live[i].asked && !s->live[i].runs &&
            rates_alone(s->set->rates, type, s->live[i].kind) > 0)
            rank(s, &s->live[i].turn, type, i);
    for (uint32_t i = 0; i < s->n_pair; i++)
        if (s->pair[i].turn.part[type] > 0)
            rank(s, &s->pair[i].turn, type, s->n_live + i);
    for (uint32_t i = s->candidates / 2; i-- > 0;)
        sink(s->candidate, s->candidates, i);
}

static void take(struct schedule *s, uint32_t type)
{
    uint32_t left = s->set->gpus[type];
    while (s->candidates && left) {
        const uint32_t at = most_behind(s);
        struct live *a, *b = NULL;
        if (at < s->n_live) {
            a = &s->live[at];
        } else {
            a = &s->live[schedule_find(s, s->pair[at - s->n_live].a)];
            b = &s->live[schedule_find(s, s->pair[at - s->n_live].b)];
        }
        if (a->runs || (b && b->runs) || a->gpus > left)
            continue;
        left -= a->gpus;
        a->runs = true;
        if (b)
            b->runs = true;
        s->chosen[s->n_chosen++] = (struct chosen){at, type};
    }
}

int schedule_choose(struct schedule *s, struct err *e)
{
    uint32_t type[RATES_TYPES_MAX];
    const uint32_t room = s->n_live + s->n_pair;
    free(s->candidate);
    free(s->chosen);
    s->candidate = malloc((room + 1) * sizeof *s->candidate);
    s->chosen = malloc((room + 1) * sizeof *s->chosen);
    if (!s->candidate || !s->chosen)
        return no_memory(e);
    for (uint32_t t = 0; t < s->set->rates->types; t++)
        type[t] = t;
    if (s->set->shuffle)
        pyrandom_shuffle(&s->order, type, s->set->rates->types);
    s->n_chosen = 0;
    for (uint32_t i = 0; i < s->n_live; i++)
        s->live[i].runs = false;
    for (uint32_t t = 0; t < s->set->rates->types; t++) {
        line_up(s, type[t]);
        take(s, type[t]);
    }
    return 0;
}
