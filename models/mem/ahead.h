/* ahead.h - how long until a page comes again, by reading a window ahead.
 *
 * Memory is set by the window, not by the trace: a page that does not come
 * again within the window is said to come never.                            */
#ifndef MODELS_MEM_AHEAD_H
#define MODELS_MEM_AHEAD_H

#include "models/mem/touch.h"

struct mem_ahead;
typedef int mem_ahead_from(void *ctx, struct mem_touch *t, struct err *e);

struct mem_ahead *mem_ahead_new(uint64_t window, mem_ahead_from *from, void *ctx);
void mem_ahead_free(struct mem_ahead *a);
/* The i-th touch after the one that mem_ahead_next gave last, from 0; NULL: not known yet. */
const struct mem_touch *mem_ahead_peek(const struct mem_ahead *a, uint64_t i);
int mem_ahead_next(struct mem_ahead *a, struct mem_touch *t, struct err *e) MUST_CHECK;

#endif
