/* belady.c - the oracle of page replacement: evicts the page whose next use
 * is farthest away (Belady 1966, MIN).
 *
 * No policy that fetches on demand misses less.  Frames lie in a heap by the
 * time of their next use; of pages never used again, the lowest frame goes.  */
#include "policy.h"

#include <stdlib.h>

struct belady {
    uint64_t *next;         /* [frames]: number of the access that uses it next */
    uint32_t *heap, *place; /* [frames]: frames, farthest first; where each is */
    uint32_t n;
    uint64_t now; /* accesses seen */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct belady))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct belady *s = self;
    free(s->next);
    free(s->heap);
    free(s->place);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct belady *s = self;
    s->next = calloc(m->frames, sizeof *s->next);
    s->heap = calloc(m->frames, sizeof *s->heap);
    s->place = calloc(m->frames, sizeof *s->place);
    return s->next && s->heap && s->place ? 0 : -1;
}

static int farther(const struct belady *s, uint32_t a, uint32_t b)
{
    return s->next[a] != s->next[b] ? s->next[a] > s->next[b] : a < b;
}

static void put(struct belady *s, uint32_t i, uint32_t frame)
{
    s->heap[i] = frame;
    s->place[frame] = i;
}

/* Moves the frame from place i to where it belongs. */
static void settle(struct belady *s, uint32_t i, uint32_t frame)
{
    for (; i > 0 && farther(s, frame, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(s, i, s->heap[(i - 1) / 2]);
    for (uint32_t c; (c = 2 * i + 1) < s->n; i = c) {
        c += c + 1 < s->n && farther(s, s->heap[c + 1], s->heap[c]);
        if (!farther(s, s->heap[c], frame))
            break;
        put(s, i, s->heap[c]);
    }
    put(s, i, frame);
}

static void stamp(struct belady *s, const struct policy_access *a)
{
    s->now++;
    s->next[a->frame] = a->next > UINT64_MAX - s->now ? UINT64_MAX : s->now + a->next;
}

static void insert(void *self, const struct policy_access *a)
{
    struct belady *s = self;
    stamp(s, a);
    s->n++;
    settle(s, s->n - 1, a->frame);
}

static void hit(void *self, const struct policy_access *a)
{
    struct belady *s = self;
    stamp(s, a);
    settle(s, s->place[a->frame], a->frame);
}

static void take_out(struct belady *s, uint32_t frame)
{
    uint32_t i = s->place[frame], last = s->heap[--s->n];
    if (last != frame)
        settle(s, i, last);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    take_out(self, frame);
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    (void)incoming;
    struct belady *s = self;
    uint32_t frame = s->heap[0];
    take_out(s, frame);
    return frame;
}

POLICY(.name = "belady", .summary = "page cache: farthest next use, the optimum (oracle)",
       .oracle = 1, .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = hit,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed);
