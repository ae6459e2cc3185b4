#include "models/gpu/beside.h"

#include <stdlib.h>

bool beside_begin(struct beside *b, uint32_t all_sms)
{
    *b = (struct beside){.all_sms = all_sms};
    b->ring = calloc(BESIDE_MOST, sizeof *b->ring);
    return b->ring != NULL;
}

void beside_end(struct beside *b)
{
    for (uint32_t i = 0; b->ring && i < BESIDE_MOST; i++)
        free(b->ring[i].edge);
    free(b->ring);
}

bool beside_full(const struct beside *b)
{
    return b->n - b->out == BESIDE_MOST;
}

struct beside_slot *beside_slot(struct beside *b)
{
    struct beside_slot *s = &b->ring[b->n % BESIDE_MOST];
    s->op = (struct plan_op){0};
    return s;
}

bool beside_edge(struct beside_slot *s, const struct plan_edge *edge)
{
    if (s->op.n_edges == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 4;
        struct plan_edge *more = realloc(s->edge, cap * sizeof *more);
        if (!more)
            return false;
        s->edge = more;
        s->cap = cap;
    }
    s->edge[s->op.n_edges++] = *edge;
    return true;
}

struct beside_slot *beside_at(struct beside *b, uint64_t place)
{
    return place >= b->out && place < b->n ? &b->ring[place % BESIDE_MOST] : NULL;
}

static uint64_t sms_of(const struct beside *b, const struct beside_slot *s)
{
    return s->op.sms ? s->op.sms : b->all_sms;
}

/* Those that ended by now are settled. */
static void settle(struct beside *b, uint64_t now)
{
    uint32_t keep = 0;
    for (uint32_t i = 0; i < b->n_open; i++) {
        struct beside_slot *s = beside_at(b, b->open[i]);
        if (!s)
            continue;
        s->open = s->end > now;
        if (s->open)
            b->open[keep++] = b->open[i];
    }
    b->n_open = keep;
}

static bool together(const struct beside_slot *a, const struct beside_slot *s)
{
    return a->kernel && s->kernel && a->tenant == s->tenant && a->device == s->device;
}

/* s begins: what now runs beside it, and it beside them. */
static void accompany(struct beside *b, struct beside_slot *s)
{
    uint64_t sms = sms_of(b, s), bandwidth = s->op.bandwidth;
    bool any = false;
    for (uint32_t i = 0; i < b->n_open; i++) {
        struct beside_slot *a = beside_at(b, b->open[i]);
        if (!together(a, s))
            continue;
        any = true;
        sms += sms_of(b, a);
        bandwidth += a->op.bandwidth;
    }
    s->accompanied = any;
    s->sms = sms;
    s->bandwidth = bandwidth;
    for (uint32_t i = 0; any && i < b->n_open; i++) {
        struct beside_slot *a = beside_at(b, b->open[i]);
        if (!together(a, s))
            continue;
        a->accompanied = true;
        a->sms = a->sms > sms ? a->sms : sms;
        a->bandwidth = a->bandwidth > bandwidth ? a->bandwidth : bandwidth;
    }
}

void beside_put(struct beside *b)
{
    struct beside_slot *s = &b->ring[b->n % BESIDE_MOST];
    if (b->n_open)
        settle(b, s->begin);
    if (s->kernel)
        accompany(b, s);
    s->open = s->end > s->begin &&
              (s->kernel || s->op.kind > TRACE_OP_SYNC || s->op.kind == TRACE_OP_LAUNCH);
    if (s->open)
        b->open[b->n_open++] = b->n;
    b->n++;
}

static void fit(const struct beside *b, struct beside_slot *s)
{
    if (s->sms > b->all_sms) {
        s->op.sms = (uint32_t)(sms_of(b, s) * b->all_sms / s->sms);
        s->op.sms += !s->op.sms;
    }
    if (s->bandwidth > DEVICE_MILLI)
        s->op.bandwidth = (uint32_t)(s->op.bandwidth * (uint64_t)DEVICE_MILLI / s->bandwidth);
}

struct beside_slot *beside_take(struct beside *b, bool now)
{
    struct beside_slot *s = &b->ring[b->out % BESIDE_MOST];
    if (b->out == b->n || (s->open && !now))
        return NULL;
    if (s->kernel && s->accompanied)
        fit(b, s);
    s->op.edge = s->edge;
    b->out++;
    return s;
}
