/* arc.c - Adaptive Replacement Cache (Megiddo, Modha, FAST'03).
 *
 * Pages seen once (T1) and more than once (T2), and as many remembered ones
 * of each kind (B1, B2).  A page that comes back from B1 says that T1 was too
 * short, one from B2 that T2 was; the target size p of T1 moves accordingly.
 * Not fooled by scans.  p is a real number, as in the paper.                */
#include "policy.h"

#include "page_ghost.h"

enum { ONCE, OFTEN };

struct arc {
    struct frame_list list; /* T1 and T2 */
    struct page_ghost ghost;
    uint64_t *page;
    uint8_t *in;
    uint32_t frames, n[2];
    double p;
    uint32_t from; /* of the incoming page: the ghost's list, or GHOST_NONE */
    int met;       /* `from` is known, of this page: */
    uint64_t page_met;
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    return (*self = calloc(1, sizeof(struct arc))) ? 0 : -1;
}

static void destroy(void *self)
{
    struct arc *s = self;
    free(s->list.at);
    page_ghost_free(&s->ghost);
    free(s->page);
    free(s->in);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct arc *s = self;
    s->frames = m->frames;
    s->page = calloc(m->frames, sizeof *s->page);
    s->in = calloc(m->frames, 1);
    if (page_ghost_init(&s->ghost, m->frames) || !s->page || !s->in)
        return -1;
    return frame_list_init(&s->list, m->frames, 2);
}

static void enter(struct arc *s, uint32_t list, uint32_t frame)
{
    frame_list_push(&s->list, s->frames + list, frame);
    s->in[frame] = (uint8_t)list;
    s->n[list]++;
}

static void leave(struct arc *s, uint32_t frame)
{
    frame_list_unlink(&s->list, frame);
    s->n[s->in[frame]]--;
}

static double ratio(uint32_t other, uint32_t own)
{
    return other > own ? (double)other / own : 1;
}

/* Cases II and III: the incoming page is remembered, and the target moves.  Asked for a victim and
 * told of what came in, but not always the same: blocks of a KV cache are told when they are free.
 */
static void meet(struct arc *s, uint64_t page)
{
    if (s->met && s->page_met == page)
        return;
    s->met = 1;
    s->page_met = page;
    s->from = page_ghost_find(&s->ghost, page);
    if (s->from == GHOST_NONE)
        return;
    const uint32_t *b = s->ghost.n;
    s->p += s->from == ONCE ? ratio(b[OFTEN], b[ONCE]) : -ratio(b[ONCE], b[OFTEN]);
    s->p = s->p < 0 ? 0 : s->p > s->frames ? s->frames : s->p;
    page_ghost_remove(&s->ghost, page);
}

static uint32_t take(struct arc *s, uint32_t list)
{
    uint32_t frame = frame_list_back(&s->list, s->frames + list);
    leave(s, frame);
    return frame;
}

/* REPLACE */
static uint32_t replace(struct arc *s)
{
    double once = s->n[ONCE];
    int full = once > s->p || (s->from == OFTEN && once == s->p);
    uint32_t list = (s->n[ONCE] && full) || !s->n[OFTEN] ? ONCE : OFTEN;
    uint32_t frame = take(s, list);
    page_ghost_add(&s->ghost, list, s->page[frame]);
    return frame;
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    struct arc *s = self;
    meet(s, incoming->page);
    if (s->from == GHOST_NONE) { /* case IV */
        const uint32_t *b = s->ghost.n;
        if (s->n[ONCE] == s->frames)
            return take(s, ONCE);
        if (s->n[ONCE] + b[ONCE] == s->frames)
            page_ghost_drop(&s->ghost, ONCE);
        else if (b[ONCE] + b[OFTEN] == s->frames)
            page_ghost_drop(&s->ghost, OFTEN);
    }
    return replace(s);
}

static void insert(void *self, const struct policy_access *a)
{
    struct arc *s = self;
    meet(s, a->page);
    s->met = 0;
    if (s->from == GHOST_NONE && s->n[ONCE] + s->ghost.n[ONCE] >= s->frames)
        page_ghost_drop(&s->ghost, ONCE); /* a frame was free although others are remembered */
    s->page[a->frame] = a->page;
    enter(s, s->from == GHOST_NONE ? ONCE : OFTEN, a->frame);
}

static void hit(void *self, const struct policy_access *a)
{
    struct arc *s = self;
    leave(s, a->frame);
    enter(s, OFTEN, a->frame);
}

static void removed(void *self, uint32_t frame, uint64_t page)
{
    (void)page;
    leave(self, frame);
}

POLICY(.name = "arc", .summary = "page cache: ARC, recency and frequency in balance",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = hit,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed);
