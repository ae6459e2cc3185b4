/* place_random.c - a page now and then to any tier with room: the trivial baseline at mem.place.
 *
 * Parameters
 *   share  of the pages drawn in a period  (0.05)                            */
#include <stdlib.h>

#include "place_rank.h"

struct drawing {
    const struct policy_host *h;
    uint64_t below; /* of 2^32 */
    uint32_t tiers;
};

static int create(void **self, const struct policy_host *h)
{
    const double share = h->param(h->host, "share", 0.05);
    struct drawing *s = share >= 0 && share <= 1 ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        h->log(h->host, "want share 0..1");
        return -1;
    }
    *s = (struct drawing){h, (uint64_t)(share * 4294967296.0), 0};
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct drawing *s = self;
    s->tiers = m->tiers;
    return m->tiers > PLACE_TIERS_MAX;
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    const struct drawing *s = self;
    uint64_t left[PLACE_TIERS_MAX];
    for (uint32_t t = 0; t < s->tiers; t++)
        left[t] = o->tier_pages[t];
    for (uint32_t i = 0; i < o->n; i++) {
        const uint64_t pages = o->region[i].pages, has = left[tier[i]];
        left[tier[i]] = has > pages ? has - pages : 0;
    }
    for (uint32_t i = 0; i < o->n; i++) {
        if (s->h->random(s->h->host) >> 32 >= s->below)
            continue;
        const uint32_t to = (uint32_t)(s->h->random(s->h->host) % s->tiers);
        if (to == tier[i] || left[to] < o->region[i].pages)
            continue;
        left[tier[i]] += o->region[i].pages;
        left[to] -= o->region[i].pages;
        tier[i] = to;
    }
}

POLICY(.name = "place-random", .summary = "tiers: now and then any page to any tier with room",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_place = place);
