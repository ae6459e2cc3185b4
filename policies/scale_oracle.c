/* scale_oracle.c - as many engines as what comes until a cold start is over will want.
 *
 * The rule of scale-queue, so many requests to an engine, told the future: by
 * Little's law a rate of arrivals keeps rate x residence requests in the pool.
 * Residence is measured; the rates of the coming cold start and of the period
 * after it are told.  An engine that will be wanted is warm when it is, and one
 * that will not be goes at once.  A bound on what foreseeing arrivals is worth
 * to that rule, not an optimum: how many requests an engine shall have stays
 * the parameter's to say.
 *
 * Parameters
 *   per_engine    (16)    requests, waiting and running, above 0
 *   learn         (0.1)   weight of each new period in the residence, above 0 to 1  */
#include <stdlib.h>

#include "policy.h"

struct oracle {
    double per_engine, learn;
    double inside_ns, done; /* request-time spent, requests done: of a period, smoothed */
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->per_engine = h->param(h->host, "per_engine", 16);
    s->learn = h->param(h->host, "learn", 0.1);
    if (!(s->per_engine > 0 && s->learn > 0 && s->learn <= 1)) {
        h->log(h->host, "want \"per_engine\" above 0, \"learn\" above 0 and at most 1");
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

/* Requests that this many in so long keep inside. */
static double inside(const struct oracle *s, const struct policy_coming *c, uint64_t ns)
{
    const double residence = s->done > 0 ? s->inside_ns / s->done : 0;
    return ns ? (double)c->requests * residence / (double)ns : 0;
}

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    struct oracle *s = self;
    const double now = (double)o->waiting + o->running;
    s->inside_ns += s->learn * (now * (double)o->period_ns - s->inside_ns);
    s->done += s->learn * ((double)o->done - s->done);
    double most = now;
    if (o->oracle) {
        const double until = inside(s, &o->oracle[0], o->start_ns);
        const double after = inside(s, &o->oracle[1], o->period_ns);
        most = until > most ? until : most;
        most = after > most ? after : most;
    }
    const double want = most / s->per_engine;
    const uint32_t n = want < o->most ? (uint32_t)want + (want > (uint32_t)want) : o->most;
    return n < o->least ? o->least : n;
}

POLICY(.name = "scale-oracle", .summary = "engines by what will come until they are warm (oracle)",
       .oracle = 1, .create = create, .destroy = destroy, .serve_scale = scale);
