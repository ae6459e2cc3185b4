#include "models/gpu/held.h"

#include <stdlib.h>
#include <string.h>

void held_end(struct held *h)
{
    for (uint32_t i = 0; i < h->cap; i++)
        free(h->at[i].depends);
    free(h->at);
}

static bool grow(struct held *h)
{
    uint32_t cap = h->cap ? 2 * h->cap : 8;
    struct held_op *at = realloc(h->at, cap * sizeof *at);
    if (!at)
        return false;
    memset(at + h->cap, 0, (cap - h->cap) * sizeof *at);
    h->at = at;
    h->cap = cap;
    return true;
}

static bool copy(struct held_op *k, const struct trace_op *op)
{
    if (k->cap < op->n_depends) {
        uint64_t *more = realloc(k->depends, op->n_depends * sizeof *more);
        if (!more)
            return false;
        k->depends = more;
        k->cap = op->n_depends;
    }
    if (op->n_depends)
        memcpy(k->depends, op->depends, op->n_depends * sizeof *op->depends);
    k->op = *op;
    k->op.depends = k->depends;
    return true;
}

static uint64_t end_of(const struct held_op *k)
{
    return k->op.time_ns + k->op.duration_ns;
}

bool held_add(struct held *h, const struct trace_op *op)
{
    if ((h->n == h->cap && !grow(h)) || !copy(&h->at[h->n], op))
        return false;
    struct held_op k = h->at[h->n];
    uint32_t i = h->n++;
    for (; i && end_of(&h->at[i - 1]) > end_of(&k); i--)
        h->at[i] = h->at[i - 1];
    h->at[i] = k;
    return true;
}

const struct trace_op *held_take(struct held *h, uint64_t now)
{
    if (!h->n || (end_of(&h->at[0]) > now && h->n <= HELD_MOST))
        return NULL;
    struct held_op k = h->at[0];
    memmove(h->at, h->at + 1, --h->n * sizeof *h->at);
    h->at[h->n] = k;
    return &h->at[h->n].op;
}
