/* scale_queue.c - as many engines as give each so many requests.
 *
 * Requests in the pool over `per_engine`, rounded up (Knative's concurrency
 * target); fewer only after `patience` periods in a row.  Sees a queue grow
 * before utilisation does; a cold start late all the same.
 *
 * Parameters
 *   per_engine    (16)    requests, waiting and running, above 0
 *   patience      (3)     periods, 0..1e6                                     */
#include <stdlib.h>

#include "policy.h"

struct queue {
    double per_engine;
    uint32_t patience, fewer; /* periods in a row that wanted fewer */
};

static int create(void **self, const struct policy_host *h)
{
    struct queue *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->per_engine = h->param(h->host, "per_engine", 16);
    const double patience = h->param(h->host, "patience", 3);
    if (!(s->per_engine > 0 && patience >= 0 && patience <= 1e6)) {
        h->log(h->host, "want \"per_engine\" above 0, \"patience\" 0 to 1e6");
        free(s);
        return -1;
    }
    s->patience = (uint32_t)patience;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    struct queue *s = self;
    const uint32_t now = o->serving + o->starting;
    const double want = ((double)o->waiting + o->running) / s->per_engine;
    uint32_t n = want < o->most ? (uint32_t)want + (want > (uint32_t)want) : o->most;
    s->fewer = n < now ? s->fewer + 1 : 0;
    if (n < now && s->fewer <= s->patience)
        n = now;
    return n < o->least ? o->least : n > o->most ? o->most : n;
}

POLICY(.name = "scale-queue", .summary = "engines by how many requests there are", .create = create,
       .destroy = destroy, .serve_scale = scale);
