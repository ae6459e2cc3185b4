/* readahead_none.c - fetches only what was asked for: best for random reads. */
#include "policy.h"

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL;
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    (void)self, (void)o;
    return 0;
}

POLICY(.name = "readahead-none", .summary = "readahead: only the page asked for", .create = create,
       .destroy = destroy, .mem_readahead = readahead);
