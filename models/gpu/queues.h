/* queues.h - streams and host threads of a capture, by process, device and number. */
#ifndef MODELS_GPU_QUEUES_H
#define MODELS_GPU_QUEUES_H

#include "models/gpu/plan.h"

enum { QUEUES_BUCKETS = 256 };
struct queue {
    struct plan_queue at;
    uint32_t next; /* 1 + index in its bucket */
    bool any;
    uint64_t begin, end; /* of its last operation, on the plan's clock */
    uint64_t place;      /* of that operation in the ring */
};
struct queues {
    struct queue *at;
    struct plan_queue *list; /* the same, for others to look at */
    uint32_t n, cap, bucket[QUEUES_BUCKETS], last;
};
void queues_end(struct queues *s);
/* Index of the row's queue, new or known; UINT32_MAX: out of memory. */
uint32_t queues_find(struct queues *s, const struct trace_op *r);

#endif
