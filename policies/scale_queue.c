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

#include "patience.h"

struct queue {
    double per_engine;
    struct patience patience;
};

static int create(void **self, const struct policy_host *h)
{
    struct queue *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->per_engine = h->param(h->host, "per_engine", 16);
    if (!patience_read(&s->patience, h) || !(s->per_engine > 0)) {
        h->log(h->host, "want \"per_engine\" above 0, \"patience\" 0 to 1e6");
        free(s);
        return -1;
    }
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
    const double want = ((double)o->waiting + o->running) / s->per_engine;
    return patience_engines(&s->patience, o,
                            want < o->most ? (uint32_t)want + (want > (uint32_t)want) : o->most);
}

POLICY(.name = "scale-queue", .summary = "engines by how many requests there are", .create = create,
       .destroy = destroy, .serve_scale = scale);
