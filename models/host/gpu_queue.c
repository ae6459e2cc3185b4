#include "models/host/gpu_queue.h"

#include <stdlib.h>

sim_time gpu_queue_add(struct gpu_queue *q, sim_time arrives, sim_time ns, bool copy)
{
    if (!q->end && !(q->end = calloc(q->depth, sizeof *q->end)))
        return 0;
    const sim_time start = arrives > q->free ? arrives : q->free;
    q->free = start + ns;
    q->busy += ns;
    q->end[q->submitted++ % q->depth] = q->free;
    if (copy)
        q->copy[q->copies++ % GPU_COPIES] = (struct gpu_copy){start, q->free};
    return q->free;
}

sim_time gpu_queue_room(const struct gpu_queue *q, uint64_t n)
{
    return q->end ? q->end[(q->submitted + n - 1) % q->depth] : 0;
}

void gpu_queue_book(const struct gpu_queue *q, struct account *a, sim_time now)
{
    const uint64_t n = q->copies < GPU_COPIES ? q->copies : GPU_COPIES;
    for (uint64_t i = q->copies - n; i < q->copies; i++) { /* in order of time */
        const struct gpu_copy *c = &q->copy[i % GPU_COPIES];
        if (c->end <= a->since || c->start >= now)
            continue;
        if (c->start > a->since)
            account_to(a, c->start, LEDGER_gpu);
        account_to(a, c->end < now ? c->end : now, LEDGER_copy);
    }
    account_to(a, now, LEDGER_gpu);
}

void gpu_queue_free(struct gpu_queue *q)
{
    free(q->end);
    free(q->on_way);
    q->end = NULL;
    q->on_way = NULL;
}
