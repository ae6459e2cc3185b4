#include "sim/heap.h"

#include <stdlib.h>

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    if (a->prio != b->prio)
        return a->prio > b->prio;
    return a->key < b->key;
}

static void sift_up(struct heap *h, size_t i, struct heap_entry e)
{
    for (; i > 0 && before(&e, &h->at[(i - 1) / 4]); i = (i - 1) / 4)
        h->at[i] = h->at[(i - 1) / 4];
    h->at[i] = e;
}

static void sift_down(struct heap *h, size_t i, struct heap_entry e)
{
    for (size_t child; (child = 4 * i + 1) < h->n; i = child) {
        size_t end = child + 4 < h->n ? child + 4 : h->n;
        for (size_t c = child + 1; c < end; c++)
            if (before(&h->at[c], &h->at[child]))
                child = c;
        if (!before(&h->at[child], &e))
            break;
        h->at[i] = h->at[child];
    }
    h->at[i] = e;
}

void heap_free(struct heap *h)
{
    free(h->at);
}

void heap_push(struct heap *h, struct heap_entry e)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? 2 * h->cap : 64;
        struct heap_entry *at = realloc(h->at, cap * sizeof *at);
        if (!at) {
            h->failed = true;
            return;
        }
        h->at = at;
        h->cap = cap;
    }
    sift_up(h, h->n++, e);
}

sim_event heap_pop(struct heap *h, sim_time until)
{
    if (!h->n || h->at[0].when > until)
        return 0;
    sim_event ev = h->at[0].ev;
    if (--h->n)
        sift_down(h, 0, h->at[h->n]);
    return ev;
}

void heap_stale(struct heap *h, const struct pool *pool, size_t live)
{
    if (++h->stale <= live + 64)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++)
        if (pool_live(pool, h->at[i].ev))
            h->at[kept++] = h->at[i];
    h->n = kept;
    for (size_t i = kept / 4 + 1; i-- > 0 && kept;)
        sift_down(h, i, h->at[i]);
    h->stale = 0;
}
