#include "models/gpu/queues.h"

#include <stdlib.h>

void queues_end(struct queues *s)
{
    free(s->at);
    free(s->list);
}

static bool same(const struct plan_queue *a, const struct trace_op *r)
{
    return a->tenant == r->tenant && a->device == r->device && a->stream == r->stream;
}

static bool grow(struct queues *s)
{
    const uint32_t cap = s->cap ? 2 * s->cap : 16;
    struct queue *q = realloc(s->at, cap * sizeof *q);
    s->at = q ? q : s->at;
    struct plan_queue *l = q ? realloc(s->list, cap * sizeof *l) : NULL;
    s->list = l ? l : s->list;
    s->cap = l ? cap : s->cap;
    return l != NULL;
}

uint32_t queues_find(struct queues *s, const struct trace_op *r)
{
    if (s->last < s->n && same(&s->at[s->last].at, r))
        return s->last;
    uint32_t *b = &s->bucket[(r->tenant * 31 + r->device * 7 + r->stream) % QUEUES_BUCKETS];
    uint32_t i = *b;
    while (i && !same(&s->at[i - 1].at, r))
        i = s->at[i - 1].next;
    if (i)
        return s->last = i - 1;
    if (s->n == s->cap && !grow(s))
        return UINT32_MAX;
    s->at[s->n] = (struct queue){.at = {r->tenant, r->device, r->stream}, .next = *b};
    s->list[s->n] = s->at[s->n].at;
    *b = s->n + 1;
    return s->last = s->n++;
}
