/* scale_target.c - as many engines as keep them busy for a given part of the time.
 *
 * The rule of Kubernetes' horizontal autoscaler: wanted = ceil(running x
 * measured / target), left alone while measured is within `slack` of it, and
 * smaller only after `patience` periods in a row.  An engine that batches is
 * busy as soon as anything runs: a target below 1 keeps idle engines about, and
 * says little about how full they are.
 *
 * Parameters
 *   target      (0.7)    of the time, 0.01..1
 *   slack       (0.1)    of the target, 0..1
 *   patience    (3)      periods, 0..1e6                                      */
#include <stdlib.h>

#include "patience.h"

struct target {
    double target, slack;
    struct patience patience;
};

static int create(void **self, const struct policy_host *h)
{
    struct target *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->target = h->param(h->host, "target", 0.7);
    s->slack = h->param(h->host, "slack", 0.1);
    if (!patience_read(&s->patience, h) ||
        !(s->target >= 0.01 && s->target <= 1 && s->slack >= 0 && s->slack <= 1)) {
        h->log(h->host, "want \"target\" 0.01 to 1, \"slack\" 0 to 1, \"patience\" 0 to 1e6");
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
    struct target *s = self;
    const double busy = o->busy_milli / 1000.0, off = busy / s->target - 1;
    double want = (o->serving + o->ending) * busy / s->target;
    if (off <= s->slack && off >= -s->slack)
        want = o->serving + o->starting;
    return patience_engines(&s->patience, o, (uint32_t)want + (want > (uint32_t)want));
}

POLICY(.name = "scale-target", .summary = "engines by a target of their utilisation",
       .create = create, .destroy = destroy, .serve_scale = scale);
