/* lfu.c - evicts the page used least often since it came in; of those, the
 * one used longest ago.
 *
 * Good where popularity is steady; a page that was hot once stays.  Counts
 * are forgotten with the page (libCacheSim's LFU).  Every count in use is a
 * bucket; buckets lie in ascending order, so each step takes constant time
 * (Shah, Mitra, Matani: An O(1) algorithm for implementing LFU).            */
#include "policy.h"

#include "frame_list.h"

struct bucket {
    uint64_t uses;
    uint32_t lower, higher; /* buckets; a free one is linked by higher */
};

struct lfu {
    struct frame_list order; /* list b: the pages of bucket b, last used in front */
    struct bucket *bucket;   /* [frames + 2]; 0 is the ring's anchor */
    uint32_t *in;            /* [frames]: bucket of each page */
    uint32_t free;
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct lfu))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct lfu *s = self;
    free(s->order.at);
    free(s->bucket);
    free(s->in);
    free(s);
}

/* A page that moves up may need its new bucket before its old one is empty: one more than pages. */
static int begin(void *self, const struct policy_mem *m)
{
    struct lfu *s = self;
    uint32_t n = m->frames + 2;
    s->bucket = calloc(n, sizeof *s->bucket);
    s->in = calloc(m->frames, sizeof *s->in);
    if (!s->bucket || !s->in || frame_list_init(&s->order, m->frames, n))
        return -1;
    for (uint32_t b = 1; b < n; b++)
        s->bucket[b].higher = b + 1 < n ? b + 1 : 0;
    s->free = 1;
    return 0;
}

static uint32_t anchor(const struct lfu *s, uint32_t b)
{
    return s->order.frames + b;
}

/* The bucket for `uses`, which is the next one above b, made if it is not there. */
static uint32_t above(struct lfu *s, uint32_t b, uint64_t uses)
{
    uint32_t up = s->bucket[b].higher;
    if (up && s->bucket[up].uses == uses)
        return up;
    uint32_t made = s->free;
    s->free = s->bucket[made].higher;
    s->bucket[made] = (struct bucket){uses, b, up};
    s->bucket[b].higher = made;
    s->bucket[up].lower = made;
    return made;
}

static void leave(struct lfu *s, uint32_t frame)
{
    uint32_t b = s->in[frame];
    frame_list_unlink(&s->order, frame);
    if (frame_list_back(&s->order, anchor(s, b)) != anchor(s, b))
        return;
    struct bucket gone = s->bucket[b];
    s->bucket[gone.lower].higher = gone.higher;
    s->bucket[gone.higher].lower = gone.lower;
    s->bucket[b].higher = s->free;
    s->free = b;
}

static void join(struct lfu *s, uint32_t frame, uint32_t b)
{
    s->in[frame] = b;
    frame_list_push(&s->order, anchor(s, b), frame);
}

static void insert(void *self, const struct policy_access *a)
{
    struct lfu *s = self;
    join(s, a->frame, above(s, 0, 1));
}

static void hit(void *self, const struct policy_access *a)
{
    struct lfu *s = self;
    uint32_t b = s->in[a->frame], up = above(s, b, s->bucket[b].uses + 1);
    leave(s, a->frame);
    join(s, a->frame, up);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    leave(self, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct lfu *s = self;
    uint32_t frame = frame_list_back(&s->order, anchor(s, s->bucket[0].higher));
    leave(s, frame);
    return frame;
}

POLICY(.name = "lfu", .summary = "page cache: least frequently used, then least recently",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = hit,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed);
