/* slot_heap.c - see slot_heap.h. */
#include "models/serve/slot_heap.h"

#include <assert.h>
#include <stdlib.h>

void slot_heap_free(struct slot_heap *h)
{
    free(h->node);
    free(h->at);
    *h = (struct slot_heap){0};
}

bool slot_heap_reserve(struct slot_heap *h, size_t slots)
{
    struct slot_node *node = realloc(h->node, slots * sizeof *node);
    if (!node)
        return false;
    h->node = node;
    h->cap = slots;
    uint32_t *at = realloc(h->at, slots * sizeof *at);
    if (!at)
        return false;
    h->at = at;
    while (h->slots < slots)
        at[h->slots++] = 0;
    return true;
}

static bool before(const struct slot_node *a, const struct slot_node *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void put(struct slot_heap *h, size_t i, struct slot_node n)
{
    h->node[i] = n;
    h->at[n.slot] = (uint32_t)i + 1;
}

static void up(struct slot_heap *h, size_t i, struct slot_node n)
{
    while (i && before(&n, &h->node[(i - 1) / 2])) {
        put(h, i, h->node[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, n);
}

static void down(struct slot_heap *h, size_t i, struct slot_node n)
{
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && before(&h->node[child + 1], &h->node[child]))
            child++;
        if (!before(&h->node[child], &n))
            break;
        put(h, i, h->node[child]);
    }
    put(h, i, n);
}

void slot_heap_push(struct slot_heap *h, int64_t key, uint64_t id, uint32_t slot)
{
    assert(slot < h->slots && h->n < h->cap && !h->at[slot]);
    h->n++;
    up(h, h->n - 1, (struct slot_node){key, id, slot});
}

bool slot_heap_has(const struct slot_heap *h, uint32_t slot)
{
    return slot < h->slots && h->at[slot];
}

void slot_heap_remove(struct slot_heap *h, uint32_t slot)
{
    assert(slot_heap_has(h, slot));
    size_t i = h->at[slot] - 1;
    h->at[slot] = 0;
    struct slot_node last = h->node[--h->n];
    if (i == h->n)
        return;
    if (i && before(&last, &h->node[(i - 1) / 2]))
        up(h, i, last);
    else
        down(h, i, last);
}

uint32_t slot_heap_pop(struct slot_heap *h)
{
    assert(h->n);
    uint32_t slot = h->node[0].slot;
    slot_heap_remove(h, slot);
    return slot;
}

void slot_heap_rekey(struct slot_heap *h, uint32_t slot, int64_t key)
{
    assert(slot_heap_has(h, slot));
    struct slot_node n = h->node[h->at[slot] - 1];
    slot_heap_remove(h, slot);
    slot_heap_push(h, key, n.id, slot);
}
