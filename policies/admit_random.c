/* admit_random.c - turns away a part of the requests, whichever: what admission has to beat.
 *
 * Parameters
 *   reject   (0.1)    of all requests, 0..1                                   */
#include <stdlib.h>

#include "policy.h"

struct random {
    const struct policy_host *h;
    double reject;
};

static int create(void **self, const struct policy_host *h)
{
    struct random *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    s->reject = h->param(h->host, "reject", 0.1);
    if (!(s->reject >= 0 && s->reject <= 1)) {
        h->log(h->host, "want \"reject\" 0 to 1");
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

static int admit(void *self, const struct policy_admit_obs *o)
{
    const struct random *s = self;
    (void)o;
    const double u = (double)(s->h->random(s->h->host) >> 11) * 0x1p-53;
    return u < s->reject ? POLICY_REJECT : POLICY_ADMIT;
}

POLICY(.name = "admit-random", .summary = "turns away a part of the requests, at random",
       .create = create, .destroy = destroy, .serve_admit = admit);
