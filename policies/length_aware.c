/* length_aware.c - of the blocks used least often, evicts the one deepest in its prompt.
 *
 * For caches of prefixes: a block helps only those who have all that stands
 * before it, so that the end of a long prompt is worth less than its
 * beginning.  As LFU otherwise: counts are forgotten with the block, and of
 * equals the one used longest ago goes.  After the LengthAwareCache of
 * Mooncake (Qin et al., arXiv 2407.00079, section 4.2), which is described
 * there in half a sentence and not published as code.                       */
#include <stdlib.h>

#include "policy.h"

struct block {
    uint64_t uses, stamp; /* since it came in; when it was last used, by accesses */
    uint32_t depth, place;
};

struct length_aware {
    struct block *block; /* [frames] */
    uint32_t *heap;      /* [frames]: frames, the next victim first */
    uint32_t n;
    uint64_t now;
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct length_aware))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct length_aware *s = self;
    free(s->block);
    free(s->heap);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct length_aware *s = self;
    s->block = calloc(m->frames, sizeof *s->block);
    s->heap = calloc(m->frames, sizeof *s->heap);
    return s->block && s->heap ? 0 : -1;
}

static int sooner(const struct length_aware *s, uint32_t a, uint32_t b)
{
    const struct block *x = &s->block[a], *y = &s->block[b];
    if (x->uses != y->uses)
        return x->uses < y->uses;
    return x->depth != y->depth ? x->depth > y->depth : x->stamp < y->stamp;
}

static void put(struct length_aware *s, uint32_t i, uint32_t frame)
{
    s->heap[i] = frame;
    s->block[frame].place = i;
}

/* Moves the frame from place i to where it belongs. */
static void settle(struct length_aware *s, uint32_t i, uint32_t frame)
{
    for (; i > 0 && sooner(s, frame, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(s, i, s->heap[(i - 1) / 2]);
    for (uint32_t c; (c = 2 * i + 1) < s->n; i = c) {
        c += c + 1 < s->n && sooner(s, s->heap[c + 1], s->heap[c]);
        if (!sooner(s, s->heap[c], frame))
            break;
        put(s, i, s->heap[c]);
    }
    put(s, i, frame);
}

static void used(struct length_aware *s, const struct policy_access *a, uint64_t uses)
{
    struct block *b = &s->block[a->frame];
    b->uses = uses;
    b->depth = a->depth;
    b->stamp = ++s->now;
}

static void insert(void *self, const struct policy_access *a)
{
    struct length_aware *s = self;
    used(s, a, 1);
    s->n++;
    settle(s, s->n - 1, a->frame);
}

static void hit(void *self, const struct policy_access *a)
{
    struct length_aware *s = self;
    used(s, a, s->block[a->frame].uses + 1);
    settle(s, s->block[a->frame].place, a->frame);
}

static void leave(struct length_aware *s, uint32_t frame)
{
    uint32_t at = s->block[frame].place, last = s->heap[--s->n];
    if (last != frame)
        settle(s, at, last);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    leave(self, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct length_aware *s = self;
    uint32_t frame = s->heap[0];
    leave(s, frame);
    return frame;
}

POLICY(.name = "length-aware", .summary = "KV blocks: least often used, then deepest in its prompt",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = hit,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed);
