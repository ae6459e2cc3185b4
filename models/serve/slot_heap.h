/* slot_heap.h - a binary min-heap of slots ordered by (key, id).
 *
 * A slot is a small integer naming a record of the owner; the heap knows where
 * each slot sits, so any slot can be removed or given another key in O(log n).
 * Ids are unique, so the order is total.                                     */
#ifndef MODELS_SLOT_HEAP_H
#define MODELS_SLOT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot_node {
    int64_t key;
    uint64_t id;
    uint32_t slot;
};

struct slot_heap {
    struct slot_node *node;
    size_t n, cap;
    uint32_t *at; /* [slots]: index in node + 1; 0: not in this heap */
    size_t slots;
};

void slot_heap_free(struct slot_heap *h);
bool slot_heap_reserve(struct slot_heap *h,
                       size_t slots); /* room for slots 0..slots-1; false: no memory */
void slot_heap_push(struct slot_heap *h, int64_t key, uint64_t id,
                    uint32_t slot); /* room was reserved */
static inline const struct slot_node *slot_heap_top(const struct slot_heap *h) /* NULL when empty */
{
    return h->n ? h->node : NULL;
}
uint32_t slot_heap_pop(struct slot_heap *h);
bool slot_heap_has(const struct slot_heap *h, uint32_t slot);
void slot_heap_remove(struct slot_heap *h, uint32_t slot);
void slot_heap_rekey(struct slot_heap *h, uint32_t slot, int64_t key);

#endif
