/* serve_queue.h - who waits, in groups whose keys mean something beside each other.
 *
 * A group is what one version of a policy has ranked.  Between groups the
 * order is that of arrival: the places that a group's requests have by their
 * arrival stay its own, and who of the group takes the next is for its keys to
 * say.  So no policy can put its tenants before those of another.            */
#ifndef MODELS_SERVE_SERVE_QUEUE_H
#define MODELS_SERVE_SERVE_QUEUE_H

#include "models/policy_life.h"
#include "models/serve/slot_heap.h"

#define QUEUE_GROUPS (POLICY_VERSIONS + 1) /* the last: ranked by the default */

struct serve_queue {
    uint32_t groups; /* 1: keys alone */
    size_t n;
    struct slot_heap key[QUEUE_GROUPS], age[QUEUE_GROUPS]; /* by key and id; by id */
};

void serve_queue_free(struct serve_queue *q);
bool serve_queue_reserve(struct serve_queue *q, size_t slots); /* false: no memory */
void serve_queue_push(struct serve_queue *q, uint32_t group, int64_t key, uint64_t id,
                      uint32_t slot);
const struct slot_node *serve_queue_top(const struct serve_queue *q); /* NULL when empty */
uint32_t serve_queue_pop(struct serve_queue *q);
bool serve_queue_has(const struct serve_queue *q, uint32_t slot);
void serve_queue_remove(struct serve_queue *q, uint32_t slot);
/* Another key, maybe in another group. */
void serve_queue_rekey(struct serve_queue *q, uint32_t slot, uint32_t group, int64_t key);
/* All that wait, in no order: out[n]. */
void serve_queue_list(const struct serve_queue *q, uint32_t *out);

#endif
