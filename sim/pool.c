#include "sim/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (UINT64_C(2) << 20)

/* Random access to a large block is bound by address translation: ask for 2 MiB pages.
 * A refusal costs nothing but time, so it is not an error. */
static struct event *block_new(size_t bytes, bool small_pages)
{
    bool huge = bytes >= 2 * HUGE_PAGE && !small_pages;
    struct event *at = aligned_alloc(huge ? HUGE_PAGE : 64, bytes);
    if (at && huge)
        (void)madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}

bool pool_grow(struct pool *p)
{
    if (p->cap > UINT32_MAX / 2)
        return false;
    uint32_t cap = p->cap ? 2 * p->cap : 64; /* a power of two: whole huge pages when large */
    struct event *at = block_new(cap * sizeof *at, p->small_pages);
    if (!at)
        return false;
    if (p->used)
        memcpy(at, p->at, p->used * sizeof *at);
    free(p->at);
    p->at = at;
    p->cap = cap;
    return true;
}

void pool_free(struct pool *p)
{
    free(p->at);
}
