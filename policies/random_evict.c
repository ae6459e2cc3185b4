/* random_evict.c - evicts any page, each as likely as any other: the trivial baseline.
 *
 * A policy that does not beat this one knows nothing; where every page is as
 * likely to come again as any other, none can.                              */
#include <stdlib.h>

#include "policy.h"

struct random_evict {
    const struct policy_host *h; /* outlives the policy */
    uint32_t *held, *place;      /* [frames]: those taken, in any order; where each stands in it */
    uint32_t n;
};

static int create(void **self, const struct policy_host *h)
{
    struct random_evict *s = calloc(1, sizeof *s);
    if (s)
        s->h = h;
    *self = s;
    return s ? 0 : -1;
}

static void destroy(void *self)
{
    struct random_evict *s = self;
    free(s->held);
    free(s->place);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct random_evict *s = self;
    s->held = calloc(m->frames, sizeof *s->held);
    s->place = calloc(m->frames, sizeof *s->place);
    return s->held && s->place ? 0 : -1;
}

static void insert(void *self, const struct policy_access *a)
{
    struct random_evict *s = self;
    s->place[a->frame] = s->n;
    s->held[s->n++] = a->frame;
}

static void leave(struct random_evict *s, uint32_t frame)
{
    uint32_t at = s->place[frame], last = s->held[--s->n];
    s->held[at] = last;
    s->place[last] = at;
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    leave(self, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct random_evict *s = self;
    uint32_t frame = s->held[s->h->random(s->h->host) % s->n];
    leave(s, frame);
    return frame;
}

POLICY(.name = "random-evict", .summary = "page cache: any page (baseline)", .create = create,
       .destroy = destroy, .mem_begin = begin, .mem_insert = insert, .mem_evict = evict,
       .mem_remove = removed);
