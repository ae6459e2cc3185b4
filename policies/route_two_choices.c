/* route_two_choices.c - of a few engines drawn at random, the one with the fewest requests.
 *
 * Two choices make the longest queue doubly logarithmic in the number of
 * engines (Mitzenmacher, IEEE TPDS 2001; Vvedenskaya and others, 1996), and
 * ask two engines instead of all.
 *
 * Parameters
 *   d    (2)    how many are drawn, 1..64                                    */
#include <stdlib.h>

#include "policy.h"

struct choices {
    const struct policy_host *h;
    uint32_t d;
};

static int create(void **self, const struct policy_host *h)
{
    struct choices *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    const double d = h->param(h->host, "d", 2);
    if (!(d >= 1 && d <= 64)) {
        h->log(h->host, "\"d\" is out of range, want 1 to 64");
        free(s);
        return -1;
    }
    *s = (struct choices){h, (uint32_t)d};
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t draw(const struct choices *s, const struct policy_route_obs *o)
{
    uint32_t at;
    do
        at = (uint32_t)(s->h->random(s->h->host) % o->n);
    while (!o->engine[at].takes);
    return at;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    const struct choices *s = self;
    uint32_t best = draw(s, o);
    for (uint32_t i = 1; i < s->d; i++) {
        const uint32_t at = draw(s, o);
        const struct policy_engine *a = &o->engine[at], *b = &o->engine[best];
        if ((uint64_t)a->waiting + a->running < (uint64_t)b->waiting + b->running)
            best = at;
    }
    return best;
}

POLICY(.name = "route-two-choices", .summary = "requests go to the better of two engines drawn",
       .create = create, .destroy = destroy, .serve_route = route);
