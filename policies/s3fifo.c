/* s3fifo.c - three FIFO queues: a small one on probation, a main one, and a
 * memory of pages that failed probation (S3-FIFO, Yang et al., SOSP'23).
 *
 * New pages enter the small queue, a tenth of the cache; those used twice
 * there move to the main one, the others are evicted and remembered.  A
 * remembered page that comes back enters the main queue.  The main queue
 * gives as many more rounds as a page's two-bit count says.  As libCacheSim's
 * S3FIFOv0: threshold 2, as many memories as 0.9 of the cache.              */
#include "policy.h"

#include "page_ghost.h"

enum { SMALL, MAIN };

struct s3fifo {
    struct frame_list queue;
    struct page_ghost ghost;
    uint64_t *page;
    uint8_t *uses, *in; /* [frames]: 0..3; the queue */
    uint32_t n[2], main_size;
    int remembered; /* the incoming page was found in the ghost */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct s3fifo))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct s3fifo *s = self;
    free(s->queue.at);
    page_ghost_free(&s->ghost);
    free(s->page);
    free(s->uses);
    free(s->in);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct s3fifo *s = self;
    uint32_t small = m->frames / 10;
    s->main_size = m->frames - (small ? small : 1);
    s->page = calloc(m->frames, sizeof *s->page);
    s->uses = calloc(m->frames, 1);
    s->in = calloc(m->frames, 1);
    if (page_ghost_init(&s->ghost, (uint32_t)((uint64_t)m->frames * 9 / 10)))
        return -1;
    return s->page && s->uses && s->in ? frame_list_init(&s->queue, m->frames, 2) : -1;
}

static void enter(struct s3fifo *s, uint32_t queue, uint32_t frame)
{
    frame_list_push(&s->queue, s->queue.frames + queue, frame);
    s->in[frame] = (uint8_t)queue;
    s->n[queue]++;
}

static uint32_t take(struct s3fifo *s, uint32_t queue)
{
    uint32_t frame = frame_list_back(&s->queue, s->queue.frames + queue);
    frame_list_unlink(&s->queue, frame);
    s->n[queue]--;
    return frame;
}

static void recall(struct s3fifo *s, uint64_t page)
{
    s->remembered |= page_ghost_find(&s->ghost, page) != GHOST_NONE;
    page_ghost_remove(&s->ghost, page);
}

static void insert(void *self, const struct policy_access *a)
{
    struct s3fifo *s = self;
    recall(s, a->page);
    s->page[a->frame] = a->page;
    s->uses[a->frame] = 0;
    enter(s, s->remembered ? MAIN : SMALL, a->frame);
    s->remembered = 0;
}

static void hit(void *self, const struct policy_access *a)
{
    struct s3fifo *s = self;
    s->uses[a->frame] = (uint8_t)(s->uses[a->frame] + (s->uses[a->frame] < 3));
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    struct s3fifo *s = self;
    frame_list_unlink(&s->queue, frame);
    s->n[s->in[frame]]--;
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    struct s3fifo *s = self;
    recall(s, incoming->page);
    while (s->n[MAIN] <= s->main_size && s->n[SMALL]) {
        while (s->n[SMALL]) {
            uint32_t frame = take(s, SMALL);
            if (s->uses[frame] < 2) {
                page_ghost_add(&s->ghost, 0, s->page[frame]);
                return frame;
            }
            s->uses[frame] = 0;
            enter(s, MAIN, frame);
        }
    }
    for (;;) {
        uint32_t frame = take(s, MAIN);
        if (!s->uses[frame])
            return frame;
        s->uses[frame]--;
        enter(s, MAIN, frame);
    }
}

POLICY(.name = "s3fifo", .summary = "page cache: S3-FIFO, probation, main queue and ghost",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = hit,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed);
