/* template_io.c - a small steering policy, to be copied.
 *
 * A read goes home unless home looks slow: longer queue than another replica
 * by `margin` pages, or its last reads took `times` as long as usual.  To make
 * your own: `malv policy new NAME --hook io.steer`; the steps and the rules
 * stand in template.c.                                                      */
#include <stdlib.h>

#include "policy.h"

struct template_io_state {
    const struct policy_host *h; /* stays valid until destroy */
    double margin, times;
    double usual_us; /* mean latency of reads, moving */
};

static int create(void **self, const struct policy_host *h)
{
    struct template_io_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    s->margin = h->param(h->host, "margin", 32);
    s->times = h->param(h->host, "times", 4);
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

/* How long a read would wait there, in pages; a device that is slow just now counts as full. */
static double queue(const struct template_io_state *s, const struct policy_device *d)
{
    double recent = 0;
    for (int i = 0; i < POLICY_IO_HISTORY; i++)
        recent += (double)d->latency_us[i] / POLICY_IO_HISTORY;
    int slow = s->usual_us > 0 && recent > s->times * s->usual_us;
    return (double)d->pending_pages + (slow ? 10 * s->margin : 0);
}

/* Where a read goes: a device that has not turned it away, if there is one. */
static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct template_io_state *s = self;
    uint32_t best = o->home;
    double least = o->tried & 1u << o->home ? 1e300 : queue(s, &o->device[o->home]) - s->margin;
    for (uint32_t d = 0; d < o->n; d++) {
        if (o->tried & 1u << d || queue(s, &o->device[d]) >= least)
            continue;
        least = queue(s, &o->device[d]);
        best = d;
    }
    return best;
}

/* An I/O finished: how long reads take these days. */
static void done(void *self, const struct policy_io_done *d)
{
    struct template_io_state *s = self;
    if (!d->write)
        s->usual_us += ((double)d->latency_ns / 1e3 - s->usual_us) / 64;
}

POLICY(.name = "template-io", .summary = "home, unless home looks slow (the one to copy)",
       .create = create, .destroy = destroy, .io_steer = steer, .io_done = done);
