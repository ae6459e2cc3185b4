/* route_round_robin.c - the next engine, in turn.
 *
 * What a router does that knows nothing of its engines; it evens out how many
 * requests each gets and no more: a few long ones in a row on one engine stay
 * there.  It is the default, too.                                           */
#include <stdlib.h>

#include "policy.h"

struct turns {
    uint32_t next[2]; /* of each stage */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = calloc(1, sizeof(struct turns));
    return *self ? 0 : -1;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    uint32_t *next = &((struct turns *)self)->next[o->stage], at = *next % o->n;
    while (!o->engine[at].takes)
        at = (at + 1) % o->n;
    *next = at + 1;
    return at;
}

POLICY(.name = "route-round-robin", .summary = "requests go to the next engine, in turn",
       .create = create, .destroy = destroy, .serve_route = route);
