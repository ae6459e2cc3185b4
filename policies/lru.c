/* lru.c - evicts the page that was used longest ago.
 *
 * The yardstick of page replacement: never far off where the recent past is
 * a guide; a scan longer than the cache empties it, and a loop one page
 * longer than the cache misses every time.                                  */
#include "policy.h"

#include "frame_list.h"

struct lru {
    struct frame_list order; /* one list, most recent in front */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct lru))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct lru *s = self;
    free(s->order.at);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct lru *s = self;
    return frame_list_init(&s->order, m->frames, 1);
}

static void insert(void *self, const struct policy_access *a)
{
    struct lru *s = self;
    frame_list_push(&s->order, s->order.frames, a->frame);
}

static void hit(void *self, const struct policy_access *a)
{
    struct lru *s = self;
    frame_list_unlink(&s->order, a->frame);
    frame_list_push(&s->order, s->order.frames, a->frame);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    struct lru *s = self;
    frame_list_unlink(&s->order, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct lru *s = self;
    uint32_t frame = frame_list_back(&s->order, s->order.frames);
    frame_list_unlink(&s->order, frame);
    return frame;
}

POLICY(.name = "lru", .summary = "page cache: least recently used", .create = create,
       .destroy = destroy, .mem_begin = begin, .mem_hit = hit, .mem_insert = insert,
       .mem_evict = evict, .mem_remove = removed);
