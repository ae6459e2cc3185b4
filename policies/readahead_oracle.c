/* readahead_oracle.c - reads ahead what will be read, and what lies between.
 *
 * Of the next `sight` accesses of the stream it takes those pages after the
 * missed one that can be reached without reading more than `gap` unused pages
 * in a row: as many as a request of its own would cost.  The bound for
 * policies that see the past only; not the optimum, for which the cache's
 * victims would have to be foreseen too.
 *
 * Parameters
 *   gap    pages that cost as much as a request      (53: 70 us at 3.13 GB/s)
 *   sight  accesses of the stream that it foresees   (256)  */
#include <stdlib.h>

#include "policy.h"

struct oracle {
    uint32_t gap, sight;
};

static int create(void **self, const struct policy_host *h)
{
    const double gap = h->param(h->host, "gap", 53), sight = h->param(h->host, "sight", 256);
    if (!(gap >= 0 && gap <= POLICY_READAHEAD_MAX && sight >= 1 && sight <= POLICY_READAHEAD_MAX)) {
        h->log(h->host, "want gap 0..1024 and sight 1..1024");
        return -1;
    }
    struct oracle *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    *s = (struct oracle){(uint32_t)gap, (uint32_t)sight};
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    const struct oracle *s = self;
    unsigned char used[POLICY_READAHEAD_MAX + 1] = {0};
    for (uint32_t i = 0; i < o->n_next && i < s->sight; i++)
        if (o->oracle_next[i] > o->page && o->oracle_next[i] - o->page <= POLICY_READAHEAD_MAX)
            used[o->oracle_next[i] - o->page] = 1;
    uint32_t last = 0;
    for (uint32_t i = 1; i <= POLICY_READAHEAD_MAX && i - last <= s->gap + 1; i++)
        last = used[i] ? i : last;
    return last;
}

POLICY(.name = "readahead-oracle", .summary = "reads ahead what will be read (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .mem_readahead = readahead);
