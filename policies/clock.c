/* clock.c - second chance: a hand goes round the frames and evicts the first
 * whose page was not used since it last came by.
 *
 * LRU's approximation in every kernel: a hit sets one bit.  A page comes in
 * with its bit clear, so that one use is not a reason to keep it (FIFO with
 * reinsertion, as libCacheSim's Clock with one bit); Corbato's of 1968 sets it. */
#include "policy.h"

#include <stdlib.h>

enum { ABSENT, COLD, USED };

struct clock {
    uint8_t *state; /* [frames] */
    uint32_t frames, hand;
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct clock))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct clock *s = self;
    free(s->state);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct clock *s = self;
    s->frames = m->frames;
    return (s->state = calloc(m->frames, 1)) ? 0 : -1;
}

static void insert(void *self, const struct policy_access *a)
{
    struct clock *s = self;
    s->state[a->frame] = COLD;
}

static void hit(void *self, const struct policy_access *a)
{
    struct clock *s = self;
    s->state[a->frame] = USED;
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    struct clock *s = self;
    s->state[frame] = ABSENT;
}

/* All frames are taken: two rounds find one at the latest. */
static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct clock *s = self;
    for (;;) {
        uint32_t frame = s->hand;
        s->hand = frame + 1 < s->frames ? frame + 1 : 0;
        if (s->state[frame] == COLD) {
            s->state[frame] = ABSENT;
            return frame;
        }
        s->state[frame] = s->state[frame] == USED ? COLD : ABSENT;
    }
}

POLICY(.name = "clock", .summary = "page cache: second chance, one bit per page", .create = create,
       .destroy = destroy, .mem_begin = begin, .mem_hit = hit, .mem_insert = insert,
       .mem_evict = evict, .mem_remove = removed);
