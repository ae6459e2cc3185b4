/* device_copy.c - copies: an engine, the latency, then a share of the link. */
#include <stdlib.h>

#include "models/gpu/device_state.h"

#define GIGA UINT64_C(1000000000)

static uint32_t channel_of(enum device_kind k)
{
    return k == DEVICE_H2D ? CHANNEL_H2D : k == DEVICE_D2H ? CHANNEL_D2H : CHANNEL_PEER;
}

/* What a copy flows with at most: what its memory gives, and what it needs to take `alone`. */
static uint64_t most(struct device_stream *s)
{
    const struct device *d = s->c->d;
    const struct device_work *w = &device_first(s)->w;
    const uint64_t gives = s->copy.channel == CHANNEL_PEER ? d->peer
                           : w->pageable                   ? d->pageable
                                                           : d->link;
    if (!w->alone)
        return gives;
    const device_fine needs = ((device_fine)w->bytes * GIGA * 1000 + w->alone - 1) / w->alone;
    return needs < gives ? (uint64_t)needs : gives;
}

/* ---- the link ---- */

static void link_advance(struct device *d)
{
    const sim_time now = sim_now(d->sim), dt = now - d->link_since;
    d->link_since = now;
    for (uint32_t k = 0; dt && k < CHANNELS; k++)
        for (uint32_t i = 0; i < d->flows[k].n; i++) {
            struct copy *c = &d->flows[k].at[i]->copy;
            const device_fine done = (device_fine)c->rate * dt;
            c->left = done < c->left ? c->left - done : 0;
        }
}

/* What a direction would draw, had it the link to itself. */
static uint64_t asks(const struct device *d, uint32_t k)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < d->flows[k].n && sum < d->link; i++)
        sum += most(d->flows[k].at[i]);
    return sum < d->link ? sum : d->link;
}

/* Evenly; what some can not take goes to the others. */
static void share(struct device *d, uint32_t k, uint64_t capacity)
{
    struct flows *f = &d->flows[k];
    uint32_t n = f->n, slow = 1;
    for (uint32_t i = 0; i < n; i++)
        f->at[i]->copy.rate = 0;
    while (n && slow) {
        const uint64_t even = capacity / n;
        slow = 0;
        for (uint32_t i = 0; i < f->n; i++) {
            struct copy *c = &f->at[i]->copy;
            const uint64_t takes = c->rate ? 0 : most(f->at[i]);
            if (!takes || takes > even)
                continue;
            c->rate = takes;
            capacity -= takes;
            slow++;
        }
        n -= slow;
    }
    for (uint32_t i = 0; i < f->n; i++)
        if (!f->at[i]->copy.rate)
            f->at[i]->copy.rate = capacity / n ? capacity / n : 1;
}

static void share_all(struct device *d)
{
    uint64_t up = asks(d, CHANNEL_H2D), down = asks(d, CHANNEL_D2H);
    if (up + down > d->duplex) {
        const uint64_t half = d->duplex / 2;
        if (up < half)
            down = d->duplex - up;
        else if (down < half)
            up = d->duplex - down;
        else
            up = down = half;
    }
    share(d, CHANNEL_H2D, up);
    share(d, CHANNEL_D2H, down);
    share(d, CHANNEL_PEER, d->peer);
}

static void link_event(void *ctx, uint64_t unused);

static void link_plan(struct device *d)
{
    sim_cancel(d->sim, d->link_event);
    d->link_event = 0;
    share_all(d);
    sim_time next = SIM_NEVER;
    for (uint32_t k = 0; k < CHANNELS; k++)
        for (uint32_t i = 0; i < d->flows[k].n; i++) {
            const struct copy *c = &d->flows[k].at[i]->copy;
            const sim_time ns = (sim_time)((c->left + c->rate - 1) / c->rate);
            next = ns < next ? ns : next;
        }
    if (next != SIM_NEVER)
        d->link_event = sim_after(d->sim, next, 0, link_event, d, 0);
}

/* ---- the engines ---- */

static void flow(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_stream *s = ctx;
    struct device *d = s->c->d;
    struct flows *f = &d->flows[s->copy.channel];
    if (f->n == f->cap) {
        const uint32_t cap = f->cap ? 2 * f->cap : 4;
        struct device_stream **at = realloc(f->at, cap * sizeof(struct device_stream *));
        if (!at) {
            sim_fail(d->sim);
            return;
        }
        f->at = at;
        f->cap = cap;
    }
    link_advance(d);
    f->at[f->n++] = s;
    s->copy.phase = COPY_FLOWS;
    link_plan(d);
}

static void engines_run(struct device_partition *p)
{
    while (p->copy_queue && p->copying < p->engines) {
        struct device_stream *s = p->copy_queue;
        p->copy_queue = s->copy.next;
        if (!p->copy_queue)
            p->copy_queue_end = &p->copy_queue;
        p->copying++;
        s->copy.phase = COPY_LATENCY;
        s->run.granted = sim_now(p->d->sim);
        device_tell(p->d, device_first(s)->call.begun, &device_first(s)->call);
        const struct device_work *w = &device_first(s)->w;
        const sim_time latency = !w->alone ? p->d->latency_ns : w->bytes ? 0 : w->alone / 1000;
        if (latency)
            sim_after(p->d->sim, latency, 0, flow, s, 0);
        else
            flow(s, 0);
    }
}

void device_copy_begin(struct device_stream *s)
{
    struct device_partition *p = s->c->p;
    const struct device_work *w = &device_first(s)->w;
    s->state = STREAM_COPY;
    s->ahead = 0;
    s->copy = (struct copy){.left = (device_fine)w->bytes * GIGA, .channel = channel_of(w->kind)};
    *p->copy_queue_end = s;
    p->copy_queue_end = &s->copy.next;
    engines_run(p);
}

bool device_copy_withdraw(struct device_stream *s)
{
    struct device_partition *p = s->c->p;
    if (s->copy.phase != COPY_QUEUED)
        return false;
    struct device_stream **at = &p->copy_queue;
    while (*at != s)
        at = &(*at)->copy.next;
    *at = s->copy.next;
    if (!*at)
        p->copy_queue_end = at;
    return true;
}

static void count(struct device_stream *s)
{
    const uint64_t bytes = device_first(s)->w.bytes;
    if (s->copy.channel == CHANNEL_H2D)
        s->c->use.h2d += bytes;
    if (s->copy.channel == CHANNEL_D2H)
        s->c->use.d2h += bytes;
}

static struct device_stream *take_ended(struct device *d)
{
    for (uint32_t k = 0; k < CHANNELS; k++)
        for (uint32_t i = 0; i < d->flows[k].n; i++) {
            struct flows *f = &d->flows[k];
            struct device_stream *s = f->at[i];
            if (s->copy.left)
                continue;
            for (f->n--; i < f->n; i++)
                f->at[i] = f->at[i + 1];
            return s;
        }
    return NULL;
}

static void link_event(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device *d = ctx;
    struct device_call done = {0};
    d->link_event = 0;
    link_advance(d);
    struct device_stream *s = take_ended(d);
    if (s) {
        struct device_partition *p = s->c->p;
        count(s);
        p->copying--;
        device_advance(p);
        s->began = s->run.granted;
        device_finish(s, &done);
        engines_run(p);
        device_settle(p);
    }
    link_plan(d);
    if (done.done)
        done.done(done.ctx, done.arg);
}
