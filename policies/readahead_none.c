/* readahead_none.c - fetches only what was asked for: best for random reads. */
#include "stateless.h"

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    (void)self, (void)o;
    return 0;
}

POLICY(.name = "readahead-none", .summary = "readahead: only the page asked for",
       .create = stateless_create, .destroy = stateless_destroy, .mem_readahead = readahead);
