/* route_random.c - any engine, evenly.
 *
 * Splits a Poisson stream into Poisson streams, so that every engine is a
 * queue of its own: what all routers that look at anything have to beat.    */
#include "stateless.h"

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    const struct policy_host *h = self;
    uint32_t at = (uint32_t)(h->random(h->host) % o->n);
    while (!o->engine[at].takes)
        at = (uint32_t)(h->random(h->host) % o->n);
    return at;
}

POLICY(.name = "route-random", .summary = "requests go to any engine", .create = stateless_create,
       .destroy = stateless_destroy, .serve_route = route);
