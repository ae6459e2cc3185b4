/* device_stream.c - the work of a stream, in order: submitted, waiting, next, ended. */
#include <stdlib.h>

#include "models/gpu/device_state.h"

enum { SLOTS = 8 };

struct command *device_first(struct device_stream *s)
{
    return &s->ring[s->ended & s->mask];
}

void device_tell(struct device *d, sim_fn *fn, const struct device_call *call)
{
    if (fn)
        sim_after(d->sim, 0, PRIO_BEGUN, fn, call->ctx, call->arg);
}

/* ---- rings ---- */

static bool ring_grow(struct device_stream *s)
{
    const uint64_t slots = s->ring ? 2 * (s->mask + 1) : SLOTS;
    struct command *ring = malloc(slots * sizeof *ring);
    if (!ring)
        return false;
    for (uint64_t i = s->ended; i < s->submitted; i++)
        ring[i & (slots - 1)] = s->ring[i & s->mask];
    free(s->ring);
    s->ring = ring;
    s->mask = slots - 1;
    return true;
}

static bool wait_grow(struct device_stream *s)
{
    const uint64_t slots = s->wait ? 2 * (s->wait_mask + 1) : SLOTS;
    struct wait *wait = malloc(slots * sizeof *wait);
    if (!wait)
        return false;
    for (uint64_t i = s->wait_head; i < s->wait_tail; i++)
        wait[i & (slots - 1)] = s->wait[i & s->wait_mask];
    free(s->wait);
    s->wait = wait;
    s->wait_mask = slots - 1;
    return true;
}

/* ---- the next command begins ---- */

/* The first may not begin before free_at + gap; what its stream is ahead by is work done. */
static uint32_t start_of(const struct device_stream *s, sim_time now, uint64_t gap, sim_time *start)
{
    *start = now;
    if (!s->any)
        return 0;
    uint64_t after = 0;
    uint32_t ahead = s->ahead;
    if (gap > ahead) {
        after = (gap - ahead + 999) / 1000;
        ahead = (uint32_t)(after * 1000 - (gap - ahead));
    } else {
        ahead -= (uint32_t)gap;
    }
    if (s->free_at + after < now)
        return 0;
    *start = s->free_at + after;
    return ahead;
}

static uint64_t ps_of(const struct device *d, const struct device_work *w)
{
    if (w->alone || !w->bytes)
        return w->alone;
    const device_fine passes = w->kind == DEVICE_D2D ? 2 : 1; /* read and written */
    return (uint64_t)(passes * w->bytes * 1000000000000u / d->bandwidth);
}

/* Bandwidth that a copy or memset within the device draws, where it was not said. */
static uint32_t draw_of(const struct device *d, const struct device_work *w, uint64_t ps)
{
    uint32_t draw = w->bandwidth;
    if (!draw && w->kind != DEVICE_KERNEL && ps) {
        const device_fine passes = w->kind == DEVICE_D2D ? 2 : 1;
        const device_fine full = passes * w->bytes * 1000000000000u / d->bandwidth;
        draw = (uint32_t)(full >= ps ? DEVICE_MILLI : full * DEVICE_MILLI / ps);
    }
    return draw < DEVICE_MILLI ? draw : DEVICE_MILLI;
}

static void kernel_begin(struct device_stream *s, const struct device_work *w, sim_time now)
{
    const struct device *d = s->c->d;
    struct run *r = &s->run;
    const uint64_t gap = w->lead ? w->lead : w->graph ? d->graph_gap : d->gap;
    const uint32_t fill = device_fill(d, w);
    r->ahead = start_of(s, now, gap, &r->start);
    r->total = ps_of(d, w);
    r->left = (device_fine)r->total << SPEED_BITS;
    r->speed = r->full = 0;
    r->release = r->granted = SIM_NEVER;
    r->want = w->sms_limit && w->sms_limit < fill ? w->sms_limit : fill;
    r->target = r->sms = r->step = 0;
    r->full_for = UINT32_MAX;
    r->bandwidth = draw_of(d, w, r->total);
    r->loads = fill ? device_loads(w, fill) : 0;
    r->begun = r->told = r->tail = false;
    device_list(s);
}

static bool blocked(struct device_stream *s)
{
    while (s->wait_head < s->wait_tail) {
        const struct wait *w = &s->wait[s->wait_head & s->wait_mask];
        if (w->before > s->ended + 1)
            return false;
        struct device_stream *o = w->other;
        if (o->ended < w->n) {
            s->state = STREAM_BLOCKED;
            s->next_waiter = NULL;
            *(o->waiters ? &o->waiters_end->next_waiter : &o->waiters) = s;
            o->waiters_end = s;
            return true;
        }
        s->wait_head++;
    }
    return false;
}

void device_next(struct device_stream *s)
{
    s->state = STREAM_EMPTY;
    if (s->ended == s->submitted)
        return;
    if (s->c->held || s->c->stopped) {
        s->state = STREAM_HELD;
        return;
    }
    if (s->wait_head < s->wait_tail && blocked(s))
        return;
    const struct device_work *w = &device_first(s)->w;
    if (w->kind == DEVICE_H2D || w->kind == DEVICE_D2H || w->kind == DEVICE_P2P)
        device_copy_begin(s);
    else
        kernel_begin(s, w, sim_now(s->c->d->sim));
}

/* ---- ends ---- */

/* Those that waited for what has just ended; each in its own partition. */
static void wake(struct device_stream *of, sim_time now)
{
    struct device_stream *s = of->waiters, *next;
    of->waiters = NULL;
    for (; s; s = next) {
        next = s->next_waiter;
        const struct wait *w = &s->wait[s->wait_head & s->wait_mask];
        if (of->ended >= w->n) {
            s->free_at = now;
            s->ahead = of->ahead;
            s->any = true;
        }
        device_advance(s->c->p);
        device_next(s);
        if (s->c->p != of->c->p)
            device_settle(s->c->p);
    }
}

void device_tell_drained(struct device_context *c)
{
    if (!c->drained.done)
        return;
    for (const struct device_stream *s = c->streams; s; s = s->of_context)
        if (s->state == STREAM_LISTED || s->state == STREAM_COPY)
            return;
    device_tell(c->d, c->drained.done, &c->drained);
    c->drained.done = NULL;
}

void device_finish(struct device_stream *s, struct device_call *done)
{
    const sim_time now = sim_now(s->c->d->sim);
    const bool copy = s->state == STREAM_COPY;
    *done = device_first(s)->call;
    if (!copy) {
        s->began = s->run.granted;
        device_unlist(s);
    }
    *(copy ? &s->c->use.copies : &s->c->use.kernels) += 1;
    s->ended++;
    s->free_at = now;
    s->any = true;
    device_next(s);
    if (s->waiters)
        wake(s, now);
    if (s->c->held)
        device_tell_drained(s->c);
}

/* ---- from outside ---- */

uint64_t device_submit(struct device_stream *s, const struct device_work *w,
                       const struct device_call *call)
{
    if ((!s->ring || s->submitted - s->ended > s->mask) && !ring_grow(s)) {
        sim_fail(s->c->d->sim);
        return s->submitted;
    }
    struct command *c = &s->ring[s->submitted & s->mask];
    c->w = *w;
    c->call = call ? *call : (struct device_call){0};
    s->submitted++;
    if (s->state == STREAM_EMPTY) {
        device_advance(s->c->p);
        device_next(s);
        device_settle(s->c->p);
    }
    return s->submitted;
}

void device_wait(struct device_stream *s, struct device_stream *other, uint64_t n)
{
    if (other->ended >= n)
        return;
    if ((!s->wait || s->wait_tail - s->wait_head > s->wait_mask) && !wait_grow(s)) {
        sim_fail(s->c->d->sim);
        return;
    }
    s->wait[s->wait_tail++ & s->wait_mask] = (struct wait){s->submitted + 1, n, other};
}

uint64_t device_ended(const struct device_stream *s)
{
    return s->ended;
}

sim_time device_began(const struct device_stream *s)
{
    return s->began;
}

uint32_t device_queued(const struct device_stream *s)
{
    return (uint32_t)(s->submitted - s->ended);
}
