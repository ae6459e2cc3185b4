/* dispatch_stream.c - commands from their submission until they are the device's, and their ends.
 */
#include <assert.h>
#include <stdlib.h>

#include "models/gpu/dispatch_state.h"

struct dispatch_queue *dispatch_queue(struct dispatch *x, const struct gpu_tenant *t, struct err *e)
{
    assert(t->id < POLICY_GPU_TENANTS_MAX);
    assert(!x->last_queue || x->last_queue->tenant->id < t->id);
    struct dispatch_queue *q = calloc(1, sizeof *q);
    if (!q) {
        err_set(e, ERR_ENOMEM, "out of memory");
        return NULL;
    }
    q->x = x;
    q->tenant = t;
    if (x->last_queue)
        x->last_queue->next = q;
    else
        x->queue = q;
    x->last_queue = q;
    return q;
}

struct dispatch_stream *dispatch_stream(struct dispatch_queue *q, int32_t prio, struct err *e)
{
    struct dispatch_stream *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(e, ERR_ENOMEM, "out of memory");
        return NULL;
    }
    s->device = device_stream(q->tenant->context, prio, e);
    if (!s->device) {
        free(s);
        return NULL;
    }
    s->q = q;
    if (q->last_stream)
        q->last_stream->next = s;
    else
        q->stream = s;
    q->last_stream = s;
    return s;
}

struct dispatch_stream *dispatch_oldest(const struct dispatch_queue *q)
{
    struct dispatch_stream *best = NULL;
    for (struct dispatch_stream *s = q->stream; s; s = s->next)
        if (s->ready && (!best || s->head->ready < best->head->ready))
            best = s;
    return best;
}

/* ---- the waiting part of a stream ------------------------------------------------------------ */

static void give(struct dispatch *x, struct dispatch_command *c)
{
    c->next = x->spare;
    x->spare = c;
}

static struct dispatch_command *new_command(struct dispatch *x)
{
    if (!x->spare) {
        struct dispatch_slab *more = malloc(sizeof *more);
        if (!more) {
            sim_fail(x->sim);
            return NULL;
        }
        more->next = x->slab;
        x->slab = more;
        for (size_t i = DISPATCH_SLAB; i-- > 0;)
            give(x, &more->command[i]);
    }
    struct dispatch_command *c = x->spare;
    x->spare = c->next;
    return c;
}

static void append(struct dispatch_stream *s, struct dispatch_command *c)
{
    c->next = NULL;
    if (s->head)
        s->last->next = c;
    else
        s->head = c;
    s->last = c;
}

static bool is_copy(const struct device_work *w)
{
    return w->kind == DEVICE_H2D || w->kind == DEVICE_D2H || w->kind == DEVICE_P2P;
}

/* Kernels up to the next stop are ready from now on. */
static void count_ready(struct dispatch_stream *s)
{
    sim_time now = sim_now(s->q->x->sim);
    assert(!s->ready);
    for (struct dispatch_command *c = s->head; c && !c->after; c = c->next) {
        c->ready = now;
        s->ready += !is_copy(&c->work);
    }
}

static void stop_for(struct dispatch_stream *s, struct dispatch_stream *other)
{
    if (s->stopped)
        return;
    s->stopped = true;
    s->next_waiter = other->waiters;
    other->waiters = s;
}

/* ---- on the device --------------------------------------------------------------------------- */

static void settle(struct dispatch_stream *s);

static void begun(void *ctx, uint64_t arg)
{
    struct dispatch_command *c = ctx;
    (void)arg;
    if (!is_copy(&c->work))
        c->stream->q->bound = c->bound;
    if (c->call.begun)
        c->call.begun(c->call.ctx, c->call.arg);
}

static void let_waiters_on(struct dispatch_stream *s)
{
    struct dispatch_stream *w = s->waiters, *next;
    s->waiters = NULL;
    for (; w; w = next) {
        next = w->next_waiter;
        w->stopped = false;
        settle(w);
    }
}

static void piece_done(void *ctx, uint64_t arg)
{
    struct dispatch_command *c = ctx;
    struct dispatch_stream *s = c->stream;
    struct dispatch_queue *q = s->q;
    (void)arg;
    assert(c->pieces);
    q->running -= !is_copy(&c->work);
    if (!q->running)
        q->bound = POLICY_BOUND_UNKNOWN;
    dispatch_wake(q->x);
    if (--c->pieces || !c->whole)
        return;
    struct device_call call = c->call;
    s->ended++;
    q->done++;
    give(q->x, c);
    let_waiters_on(s);
    if (call.done)
        call.done(call.ctx, call.arg);
}

static uint64_t waves_left(const struct dispatch *x, const struct device_work *w)
{
    uint32_t sms = w->sms && w->sms < x->p.sms ? w->sms : x->p.sms;
    return w->loads ? (w->loads + sms - 1) / sms : w->waves;
}

/* So many of `waves` waves go; the rest stays. */
static void split(const struct dispatch *x, struct device_work *rest, uint64_t waves,
                  uint64_t taken, struct device_work *out)
{
    uint32_t sms = rest->sms && rest->sms < x->p.sms ? rest->sms : x->p.sms;
    *out = *rest;
    out->alone = rest->alone / waves * taken;
    out->waves = rest->waves ? (uint32_t)taken : 0;
    out->loads = rest->loads ? (uint32_t)taken * sms : 0;
    out->bytes = 0; /* told with the last piece */
    rest->alone -= out->alone;
    rest->waves -= out->waves;
    rest->loads -= out->loads;
    rest->lead = 0;
}

/* Cuts about `piece` ns off what is left of the command; false: the rest is no longer than that.
 * A block is not cut, so that a piece is a whole number of waves, where these are known. */
static bool cut(const struct dispatch *x, struct dispatch_command *c, sim_time piece,
                struct device_work *out)
{
    sim_cost left = c->work.alone, want = piece * 1000;
    uint64_t parts = piece ? (left + want - 1) / want : 1, waves = waves_left(x, &c->work);
    *out = c->work;
    if (waves && parts > waves)
        parts = waves;
    if (parts <= 1)
        return false;
    if (waves)
        split(x, &c->work, waves, (waves + parts - 1) / parts, out);
    else
        split(x, &c->work, parts, 1, out);
    return true;
}

static void submit(struct dispatch_stream *s, const struct policy_dispatch *how)
{
    struct dispatch_command *c = s->head;
    struct dispatch *x = s->q->x;
    struct device_work work;
    struct device_call call = {c->begun ? NULL : begun, piece_done, c, 0};
    assert(!c->after);
    if (!cut(x, c, how ? how->piece_ns : 0, &work)) {
        c->whole = true;
        s->head = c->next;
        s->ready -= !is_copy(&c->work);
    }
    c->begun = true;
    c->pieces++;
    if (how) {
        work.sms_limit = how->sms;
        s->q->running++;
        x->n.commands += c->whole;
        x->n.pieces++;
    }
    device_submit(s->device, &work, &call);
}

/* Passes the stops that are over, and copies; ends at a kernel, a stop, or with nothing. */
static void settle(struct dispatch_stream *s)
{
    for (struct dispatch_command *c = s->head; c; c = s->head) {
        if (c->after && c->after->ended < c->number) {
            stop_for(s, c->after);
            return;
        }
        if (c->after) {
            s->head = c->next;
            s->waits--;
            give(s->q->x, c);
            count_ready(s);
        } else if (is_copy(&c->work)) {
            submit(s, NULL);
        } else {
            return;
        }
    }
}

void dispatch_hand_over(struct dispatch_stream *s, const struct policy_dispatch *how)
{
    submit(s, how);
    settle(s);
}

/* ---- what a tenant does ---------------------------------------------------------------------- */

uint64_t dispatch_submit(struct dispatch_stream *s, const struct device_work *w,
                         const struct dispatch_profile *p, const struct device_call *call)
{
    struct dispatch *x = s->q->x;
    struct dispatch_command *c = new_command(x);
    s->submitted++;
    if (!c)
        return s->submitted;
    *c = (struct dispatch_command){.stream = s, .number = s->submitted, .work = *w};
    c->call = call ? *call : (struct device_call){0};
    c->bound = p ? p->bound : POLICY_BOUND_UNKNOWN;
    c->unseen = p && p->unseen;
    c->ready = sim_now(x->sim);
    append(s, c);
    if (s->waits)
        return c->number;
    uint64_t number = c->number;
    s->ready += !is_copy(w);
    settle(s);
    dispatch_wake(x);
    return number;
}

void dispatch_wait(struct dispatch_stream *s, struct dispatch_stream *other, uint64_t n)
{
    struct dispatch_command *c;
    if (other->ended >= n || !(c = new_command(s->q->x)))
        return;
    assert(other != s && n <= other->submitted);
    *c = (struct dispatch_command){.stream = s, .after = other, .number = n};
    append(s, c);
    s->waits++;
    settle(s);
}

uint64_t dispatch_ended(const struct dispatch_stream *s)
{
    return s->ended;
}

uint32_t dispatch_queued(const struct dispatch_stream *s)
{
    return (uint32_t)(s->submitted - s->ended);
}
