/* fifo_cache.c - evicts the page that came in first, used or not.
 *
 * What a host does without a policy, and the cheapest order there is: a hit
 * costs nothing.  More memory can mean more misses (Belady's anomaly).      */
#include "policy.h"

#include "frame_list.h"

struct fifo_cache {
    struct frame_list order; /* one list, the newest in front */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct fifo_cache))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct fifo_cache *s = self;
    free(s->order.at);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct fifo_cache *s = self;
    return frame_list_init(&s->order, m->frames, 1);
}

static void insert(void *self, const struct policy_access *a)
{
    struct fifo_cache *s = self;
    frame_list_push(&s->order, s->order.frames, a->frame);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    struct fifo_cache *s = self;
    frame_list_unlink(&s->order, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct fifo_cache *s = self;
    uint32_t frame = frame_list_back(&s->order, s->order.frames);
    frame_list_unlink(&s->order, frame);
    return frame;
}

POLICY(.name = "fifo-cache", .summary = "page cache: first in, first out", .create = create,
       .destroy = destroy, .mem_begin = begin, .mem_insert = insert, .mem_evict = evict,
       .mem_remove = removed);
