/* readahead.h - streams of accesses, and how far to read ahead in each.
 *
 * A stream is whatever the trace calls a tenant (a file, a task).  For each,
 * the five features of KML (Akgun et al., HotStorage'21) are kept over a
 * window of simulated time: accesses; mean and standard deviation of the
 * page; mean |step|; the current readahead.  A decision sees the last full
 * window.  Streams are kept in a table of fixed size: two that share a place
 * take turns, and one that returns starts afresh.                           */
#ifndef MODELS_MEM_READAHEAD_H
#define MODELS_MEM_READAHEAD_H

#include "models/mem/touch.h"
#include "models/policy_slot.h"

struct mem_readahead;

/* window_ns >= 1; policy may be NULL (32 pages).  NULL: out of memory. */
struct mem_readahead *mem_readahead_new(sim_time window_ns, struct policy_slot *policy);
void mem_readahead_free(struct mem_readahead *r);
void mem_readahead_under(struct mem_readahead *r, struct policy_slot *policy); /* from now on */
void mem_readahead_see(struct mem_readahead *r, const struct mem_touch *t);    /* every access */
/* A stream made the device work for so long. */
void mem_readahead_took(struct mem_readahead *r, uint32_t tenant, double ns);
/* After a miss that was seen: how many pages after it to fetch with it.  ahead: where an oracle
 * sees what comes, as far as it sees. */
uint32_t mem_readahead_ask(struct mem_readahead *r, const struct mem_touch *t,
                           const struct mem_source *ahead);
#define MEM_READAHEAD_SIGHT (UINT64_C(1) << 13) /* accesses, of all streams */
#define MEM_READAHEAD_OWN   256                 /* of the stream itself */

#endif
