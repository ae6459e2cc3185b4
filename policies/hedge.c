/* hedge.c - leaves home when the home device looks like one that a hedged read would give up on.
 *
 * A hedged request is sent again elsewhere once the first has taken longer than
 * nearly all do (Dean and Barroso, The Tail at Scale, CACM 2013).  A read cannot
 * be sent twice here, so the question is put before it is sent: the newest read
 * of each device says how long its reads take now, and a running quantile of all
 * reads says what is long.  If home's newest read was beyond it, the read goes to
 * the device whose newest read was fastest, fewest pages pending in a tie.
 *
 * Good when slow periods last longer than the gaps between reads; a device
 * nobody reads from keeps its last, perhaps outdated, word.
 *
 * Parameters
 *   quantile  beyond which a latency is long         (0.95)
 *   step      how fast its estimate moves, relative  (0.01)  */
#include <stdlib.h>

#include "policy.h"

struct hedge {
    double quantile, step, slow_us;
};

static int create(void **self, const struct policy_host *h)
{
    struct hedge *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->quantile = h->param(h->host, "quantile", 0.95);
    s->step = h->param(h->host, "step", 0.01);
    if (!(s->quantile > 0 && s->quantile < 1 && s->step > 0 && s->step < 1)) {
        h->log(h->host, "quantile, step: want above 0 and below 1");
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

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct hedge *s = self;
    const struct policy_device *d = o->device;
    uint32_t best = o->home;
    if (s->slow_us <= 0 || d[o->home].latency_us[0] <= s->slow_us || !d[o->home].pending)
        return best;
    for (uint32_t i = 0; i < o->n; i++)
        if (!(o->tried & (UINT32_C(1) << i)) && (d[i].latency_us[0] < d[best].latency_us[0] ||
                                                 (d[i].latency_us[0] == d[best].latency_us[0] &&
                                                  d[i].pending_pages < d[best].pending_pages)))
            best = i;
    return best;
}

/* The estimate rises by q and falls by 1 - q of a step: it rests where q of all lie below. */
static void done(void *self, const struct policy_io_done *d)
{
    struct hedge *s = self;
    const double us = (double)d->latency_ns / 1e3;
    if (d->write)
        return;
    if (s->slow_us <= 0)
        s->slow_us = us;
    s->slow_us *= us > s->slow_us ? 1 + s->step * s->quantile : 1 - s->step * (1 - s->quantile);
}

POLICY(.name = "hedge", .summary = "leaves home when its newest read was among the slowest",
       .create = create, .destroy = destroy, .io_steer = steer, .io_done = done);
