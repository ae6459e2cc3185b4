/* place_oracle.c - the pages that will be hot in the period that begins go to
 * the fastest tier (oracle).
 *
 * Knows every page's next accesses, not what moving costs: a page must be
 * worth `worth` accesses more than the one it displaces (8 unless told).    */
#include "policy.h"

#include "place_rank.h"

struct oracle {
    struct place_rank rank;
    double worth;
    double *heat;
    uint32_t frames, tiers;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->worth = h->param(h->host, "worth", 8);
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct oracle *s = self;
    place_rank_free(&s->rank);
    free(s->heat);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct oracle *s = self;
    s->frames = m->frames, s->tiers = m->tiers;
    s->heat = calloc(m->frames, sizeof *s->heat);
    return s->heat ? place_rank_init(&s->rank, m->frames) : -1;
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    struct oracle *s = self;
    if (o->n > s->frames)
        return;
    for (uint32_t i = 0; i < o->n; i++)
        s->heat[i] = o->region[i].next_accesses + (o->region[i].tier == 0 ? s->worth : 0);
    place_rank(&s->rank, o, s->heat, s->tiers, tier);
}

POLICY(.name = "place-oracle",
       .summary = "tiers: the pages hot next to the fastest memory (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_place = place);
