/* readahead_fixed.c - the same readahead on every miss ("pages", 32 unless told).
 *
 * Right when it happens to fit: too much evicts pages that are in use, too
 * little pays the device for every page.                                    */
#include "policy.h"

#include <stdlib.h>

struct fixed {
    uint32_t pages;
};

static int create(void **self, const struct policy_host *h)
{
    double pages = h->param(h->host, "pages", 32);
    if (!(pages >= 0 && pages <= POLICY_READAHEAD_MAX)) {
        h->log(h->host, "want pages 0..1024");
        return -1;
    }
    struct fixed *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->pages = (uint32_t)pages;
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
    return ((const struct fixed *)self)->pages;
}

POLICY(.name = "readahead-fixed", .summary = "readahead: always so many pages", .create = create,
       .destroy = destroy, .mem_readahead = readahead);
