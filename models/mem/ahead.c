#include "models/mem/ahead.h"

#include <assert.h>
#include <stdlib.h>

#include "models/mem/page_table.h"

struct mem_ahead {
    struct mem_touch *ring; /* [window] */
    uint32_t window;
    uint64_t first, end;    /* numbers of the touches held: [first, end) */
    uint32_t place;         /* of the first */
    struct page_table last; /* page -> place of its latest touch in the ring */
    mem_ahead_from *from;
    void *ctx;
    bool over; /* nothing more to read */
};

struct mem_ahead *mem_ahead_new(uint64_t window, mem_ahead_from *from, void *ctx)
{
    assert(window >= 1 && window < PAGE_TABLE_NONE);
    struct mem_ahead *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct mem_ahead){.window = (uint32_t)window, .from = from, .ctx = ctx};
    a->ring = malloc(window * sizeof *a->ring);
    if (!a->ring || !page_table_init(&a->last, a->window)) {
        mem_ahead_free(a);
        return NULL;
    }
    return a;
}

void mem_ahead_free(struct mem_ahead *a)
{
    if (!a)
        return;
    page_table_free(&a->last);
    free(a->ring);
    free(a);
}

/* The new touch at `end`: the one before it of the same page now knows how far it is. */
static void link_up(struct mem_ahead *a, const struct mem_touch *t)
{
    uint32_t place = (uint32_t)(a->end % a->window);
    uint32_t before = page_table_find(&a->last, t->page);
    a->ring[place] = *t;
    if (before != PAGE_TABLE_NONE) {
        uint64_t number = a->end - (place + a->window - before) % a->window;
        a->ring[before].next = a->end - number;
        page_table_remove(&a->last, t->page);
    }
    page_table_put(&a->last, t->page, place);
    a->end++;
}

static int fill(struct mem_ahead *a, struct err *e)
{
    struct mem_touch t;
    int got = 1;
    while (!a->over && a->end - a->first < a->window && (got = a->from(a->ctx, &t, e)) > 0)
        link_up(a, &t);
    a->over |= got == 0;
    return got < 0 ? got : 0;
}

const struct mem_touch *mem_ahead_peek(const struct mem_ahead *a, uint64_t i)
{
    if (i >= a->end - a->first)
        return NULL;
    const uint64_t place = a->place + i; /* both below window: no division here */
    return &a->ring[place < a->window ? place : place - a->window];
}

int mem_ahead_next(struct mem_ahead *a, struct mem_touch *t, struct err *e)
{
    int rc = fill(a, e);
    if (rc)
        return rc;
    if (a->first == a->end)
        return 0;
    const uint32_t place = a->place;
    *t = a->ring[place];
    if (page_table_find(&a->last, t->page) == place)
        page_table_remove(&a->last, t->page);
    a->first++;
    a->place = place + 1 == a->window ? 0 : place + 1;
    return 1;
}
