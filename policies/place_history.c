/* place_history.c - the pages that were hot lately go to the fastest tier, the
 * next ones to the next.
 *
 * What tiering daemons do (and Kleio calls history): right while the hot set
 * stays, a period late when it moves.  A page's heat is a running mean of its
 * accesses per period ("decay" of it is kept, 0: the last period alone); of
 * two pages alike, the one on the faster tier stays, so that ties do not move. */
#include "policy.h"

#include "place_rank.h"

struct history {
    struct place_rank rank;
    double decay;
    double *heat;   /* [frames] */
    uint64_t *page; /* [frames]: whose heat it is */
    uint32_t frames, tiers, known;
};

static int create(void **self, const struct policy_host *h)
{
    double decay = h->param(h->host, "decay", 0.5);
    if (!(decay >= 0 && decay < 1)) {
        h->log(h->host, "want decay 0 to below 1");
        return -1;
    }
    struct history *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->decay = decay;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct history *s = self;
    place_rank_free(&s->rank);
    free(s->heat);
    free(s->page);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct history *s = self;
    s->frames = m->frames, s->tiers = m->tiers;
    s->heat = calloc(m->frames, sizeof *s->heat);
    s->page = calloc(m->frames, sizeof *s->page);
    return s->heat && s->page ? place_rank_init(&s->rank, m->frames) : -1;
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    struct history *s = self;
    if (o->n > s->frames)
        return;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_region *r = &o->region[i];
        double before = i < s->known && s->page[i] == r->page ? s->heat[i] : r->accesses;
        s->heat[i] = s->decay * before + (1 - s->decay) * r->accesses;
        s->page[i] = r->page;
    }
    s->known = o->n;
    place_rank(&s->rank, o, s->heat, s->tiers, tier);
}

POLICY(.name = "place-history", .summary = "tiers: the pages hot lately to the fastest memory",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_place = place);
