/* held.h - syncs that have begun and not yet ended: rows are in order of begin, but what a sync
 * waits for may begin after it, and is known only by its end.                  */
#ifndef MODELS_GPU_HELD_H
#define MODELS_GPU_HELD_H

#include <stdbool.h>

#include "traces/record.h"

enum { HELD_MOST = 4096 }; /* one for each thread that waits; when there are more, the first goes */
struct held_op {
    struct trace_op op; /* depends: our copy */
    uint64_t *depends;
    uint32_t cap;
};
struct held {
    struct held_op *at; /* in order of end, then of coming */
    uint32_t n, cap;
};
void held_end(struct held *h);
bool held_add(struct held *h, const struct trace_op *op); /* false: out of memory */
/* The one that ends first, if that is by `now` or there are too many; NULL. Until the next call. */
const struct trace_op *held_take(struct held *h, uint64_t now);

#endif
