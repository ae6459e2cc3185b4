#include "models/serve/serve_queue.h"

#include <assert.h>

void serve_queue_free(struct serve_queue *q)
{
    for (uint32_t g = 0; g < QUEUE_GROUPS; g++) {
        slot_heap_free(&q->key[g]);
        slot_heap_free(&q->age[g]);
    }
}

bool serve_queue_reserve(struct serve_queue *q, size_t slots)
{
    for (uint32_t g = 0; g < q->groups; g++)
        if (!slot_heap_reserve(&q->key[g], slots) ||
            (q->groups > 1 && !slot_heap_reserve(&q->age[g], slots)))
            return false;
    return true;
}

/* The group of a slot that waits; `groups` of one that does not. */
static uint32_t group_of(const struct serve_queue *q, uint32_t slot)
{
    uint32_t g = 0;
    while (g < q->groups && !slot_heap_has(&q->key[g], slot))
        g++;
    return g;
}

static uint32_t known(const struct serve_queue *q, uint32_t group)
{
    return group < q->groups ? group : q->groups - 1;
}

void serve_queue_push(struct serve_queue *q, uint32_t group, int64_t key, uint64_t id,
                      uint32_t slot)
{
    const uint32_t g = known(q, group);
    slot_heap_push(&q->key[g], key, id, slot);
    if (q->groups > 1)
        slot_heap_push(&q->age[g], 0, id, slot);
    q->n++;
}

/* The group of the one that came first. */
static uint32_t first_group(const struct serve_queue *q)
{
    uint32_t best = 0;
    const struct slot_node *first = NULL;
    for (uint32_t g = 0; g < q->groups && q->groups > 1; g++) {
        const struct slot_node *t = slot_heap_top(&q->age[g]);
        if (t && (!first || t->id < first->id)) {
            first = t;
            best = g;
        }
    }
    return best;
}

const struct slot_node *serve_queue_top(const struct serve_queue *q)
{
    return slot_heap_top(&q->key[first_group(q)]);
}

uint32_t serve_queue_pop(struct serve_queue *q)
{
    const uint32_t slot = serve_queue_top(q)->slot;
    serve_queue_remove(q, slot);
    return slot;
}

bool serve_queue_has(const struct serve_queue *q, uint32_t slot)
{
    return group_of(q, slot) < q->groups;
}

void serve_queue_remove(struct serve_queue *q, uint32_t slot)
{
    const uint32_t g = group_of(q, slot);
    assert(g < q->groups);
    slot_heap_remove(&q->key[g], slot);
    if (q->groups > 1)
        slot_heap_remove(&q->age[g], slot);
    q->n--;
}

void serve_queue_rekey(struct serve_queue *q, uint32_t slot, uint32_t group, int64_t key)
{
    const uint32_t from = group_of(q, slot), to = known(q, group);
    assert(from < q->groups);
    if (from == to) {
        slot_heap_rekey(&q->key[from], slot, key);
        return;
    }
    const uint64_t id = q->key[from].node[q->key[from].at[slot] - 1].id;
    serve_queue_remove(q, slot);
    serve_queue_push(q, to, key, id, slot);
}

void serve_queue_list(const struct serve_queue *q, uint32_t *out)
{
    for (uint32_t g = 0; g < q->groups; g++)
        for (size_t i = 0; i < q->key[g].n; i++)
            *out++ = q->key[g].node[i].slot;
}
