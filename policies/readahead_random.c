/* readahead_random.c - as many pages as chance says: the trivial baseline.
 *
 * Parameters
 *   max  pages, at most  (256: drawn as 0, 1, 2, 4, .. max)  */
#include <stdlib.h>

#include "policy.h"

struct chance {
    const struct policy_host *h;
    uint32_t amounts;
};

static int create(void **self, const struct policy_host *h)
{
    const double max = h->param(h->host, "max", 256);
    struct chance *s = max >= 1 && max <= POLICY_READAHEAD_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        h->log(h->host, "want max 1..1024");
        return -1;
    }
    s->h = h;
    s->amounts = 2;
    for (uint32_t pages = 2; pages <= (uint32_t)max; pages *= 2)
        s->amounts++;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    (void)o;
    const struct chance *s = self;
    const uint32_t k = (uint32_t)(s->h->random(s->h->host) % s->amounts);
    return k ? 1u << (k - 1) : 0;
}

POLICY(.name = "readahead-random", .summary = "readahead: as chance says", .create = create,
       .destroy = destroy, .mem_readahead = readahead);
