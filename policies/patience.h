/* patience.h - for policies of serve.scale: up at once, down only after some periods in a row that
 * wanted fewer engines. */
#ifndef POLICIES_PATIENCE_H
#define POLICIES_PATIENCE_H

#include <stdbool.h>

#include "policy.h"

struct patience {
    uint32_t periods, fewer; /* fewer: in a row that wanted fewer */
};

/* The parameter "patience", periods (3); false: it is not 0..1e6. */
static inline bool patience_read(struct patience *p, const struct policy_host *h)
{
    const double periods = h->param(h->host, "patience", 3);
    const bool good = periods >= 0 && periods <= 1e6;
    *p = (struct patience){.periods = good ? (uint32_t)periods : 0};
    return good;
}

/* How many it shall be when n are wanted, within what is allowed. */
static inline uint32_t patience_engines(struct patience *p, const struct policy_scale_obs *o,
                                        uint32_t n)
{
    const uint32_t now = o->serving + o->starting;
    p->fewer = n < now ? p->fewer + 1 : 0;
    if (n < now && p->fewer <= p->periods)
        n = now;
    return n < o->least ? o->least : n > o->most ? o->most : n;
}

#endif
