#include "models/gpu/timeline.h"

#include <stdlib.h>

#define NONE UINT32_MAX

enum state { WAITING, READY, SUBMITTED, DONE };
struct slot {
    struct plan_op op;
    sim_time ready; /* not before; of what is known */
    sim_time begin, end;
    uint32_t waits;    /* for so many */
    uint32_t edges;    /* who waits for it: 1 + index of the first */
    uint32_t follower; /* 1 + place of the next of its queue, if that waits for it; 0 */
    uint32_t work;     /* in the list of those that wait for nothing any more */
    bool on_end;       /* it waits for its queue's previous to end, else to be submitted */
    uint8_t state;
};
struct edge {
    uint32_t to, next;
    bool begun;
    uint64_t lag;
};
struct lane_state {
    uint64_t last; /* number of its last operation that was pulled */
    bool any;
    struct lane *lane;
};
struct timeline {
    struct sim *sim;
    struct timeline_host h;
    struct slot *slot;
    struct edge *edge;
    struct lane_state *queue;
    uint32_t window, edges, free_edge, queues, work, work_end;
    uint64_t base, next; /* the oldest that has not ended, and the next to be pulled */
    uint64_t stalls;
    sim_time from; /* this pass began */
    sim_event timer;
    bool source_ended, running;
    int rc;
};

static struct slot *at(const struct timeline *t, uint64_t number)
{
    return &t->slot[number & (t->window - 1)];
}

struct timeline *timeline_new(struct sim *s, const struct timeline_host *h, uint32_t window)
{
    struct timeline *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    for (t->window = 16; t->window < window; t->window *= 2)
        ;
    t->sim = s;
    t->h = *h;
    t->slot = calloc(t->window, sizeof *t->slot);
    if (t->slot)
        return t;
    timeline_free(t);
    return NULL;
}

void timeline_free(struct timeline *t)
{
    if (!t)
        return;
    free(t->slot);
    free(t->edge);
    free(t->queue);
    free(t);
}

uint64_t timeline_done(const struct timeline *t)
{
    return t->base;
}

uint64_t timeline_stalls(const struct timeline *t)
{
    return t->stalls;
}

/* ---- waiting ------------------------------------------------------------------------ */

static void fail(struct timeline *t, int rc)
{
    t->rc = t->rc ? t->rc : rc;
}

static void no_memory(struct timeline *t)
{
    fail(t, err_set(t->h.e, ERR_ENOMEM, "gpu: out of memory"));
}

static uint32_t edge_new(struct timeline *t)
{
    if (!t->free_edge) {
        uint32_t more = t->edges ? t->edges : 64;
        struct edge *grown = realloc(t->edge, (t->edges + more) * sizeof *grown);
        if (!grown)
            return 0;
        t->edge = grown;
        for (uint32_t i = t->edges + more; i-- > t->edges;) {
            t->edge[i].next = t->free_edge;
            t->free_edge = i + 1;
        }
        t->edges += more;
    }
    uint32_t i = t->free_edge;
    t->free_edge = t->edge[i - 1].next;
    return i;
}

static void not_before(struct slot *s, sim_time when)
{
    if (when > s->ready)
        s->ready = when;
}

static void one_less(struct timeline *t, struct slot *s)
{
    if (--s->waits)
        return;
    s->work = NONE;
    uint32_t place = (uint32_t)(s - t->slot);
    if (t->work == NONE)
        t->work = place;
    else
        t->slot[t->work_end].work = place;
    t->work_end = place;
}

/* What a queue's next operation has after this one ended. */
static sim_time follows(const struct slot *next, sim_time end)
{
    return end + next->op.after + (next->op.kind == TRACE_OP_SYNC ? next->op.duration : 0);
}

static void follow(struct timeline *t, struct slot *s)
{
    struct slot *next = s->follower ? &t->slot[s->follower - 1] : NULL;
    if (!next || (next->on_end && s->state != DONE))
        return;
    s->follower = 0;
    if (next->on_end)
        not_before(next, follows(next, s->end));
    one_less(t, next);
}

static void complete(struct timeline *t, struct slot *s, sim_time begin, sim_time end)
{
    s->state = DONE;
    s->begin = begin;
    s->end = end;
    follow(t, s);
    for (uint32_t i = s->edges, next; i; i = next) {
        struct edge *e = &t->edge[i - 1];
        next = e->next;
        not_before(&t->slot[e->to], (e->begun ? begin : end) + e->lag);
        one_less(t, &t->slot[e->to]);
        e->next = t->free_edge;
        t->free_edge = i;
    }
    s->edges = 0;
}

static void begun(void *ctx, uint64_t number)
{
    struct timeline *t = ctx;
    at(t, number)->begin = sim_now(t->sim);
}

/* ---- operations ----------------------------------------------------------------------- */

static void run(struct timeline *t);

static void ended(void *ctx, uint64_t number)
{
    struct timeline *t = ctx;
    struct slot *s = at(t, number);
    sim_time now = sim_now(t->sim);
    const struct lane *l = t->queue[s->op.queue].lane;
    sim_time begin = l->stream ? device_began(l->stream) : s->begin;
    if (t->h.ran)
        t->h.ran(t->h.ctx, &s->op, begin - t->from, now - t->from);
    complete(t, s, begin, now);
    run(t);
}

static void submit(struct timeline *t, struct slot *s)
{
    const uint32_t place = (uint32_t)(s - t->slot);
    const uint64_t number = t->base + ((place - (uint32_t)t->base) & (t->window - 1));
    const struct lane *l = t->queue[s->op.queue].lane;
    const struct device_call call = {
        .begun = l->stream ? NULL : begun, .done = ended, .ctx = t, .arg = number};
    lane_submit(l, &s->op, s->on_end ? 0 : s->op.after, &call);
    s->state = SUBMITTED;
    follow(t, s);
}

static void due(void *ctx, uint64_t number)
{
    struct timeline *t = ctx;
    submit(t, at(t, number));
    run(t);
}

/* It waits for nothing any more. */
static void begin(struct timeline *t, uint32_t place)
{
    struct slot *s = &t->slot[place];
    sim_time now = sim_now(t->sim);
    if (s->op.kind == TRACE_OP_SYNC)
        complete(t, s, s->ready, s->ready);
    else if (s->op.kind > TRACE_OP_COMM)
        complete(t, s, s->ready, s->ready + s->op.duration);
    else if (s->ready <= now)
        submit(t, s);
    else {
        s->state = READY;
        sim_at(t->sim, s->ready, 0, due, t, place);
    }
}

/* ---- pulling ---------------------------------------------------------------------------- */

static struct lane_state *queue_of(struct timeline *t, const struct plan_op *op)
{
    uint32_t i = op->queue;
    if (i >= t->queues) {
        uint32_t n = i + 8;
        struct lane_state *q = realloc(t->queue, n * sizeof *q);
        if (!q)
            return NULL;
        for (uint32_t k = t->queues; k < n; k++)
            q[k] = (struct lane_state){0};
        t->queue = q;
        t->queues = n;
    }
    struct lane_state *q = &t->queue[i];
    if (op->kind <= TRACE_OP_COMM && !q->lane)
        q->lane = t->h.lane(t->h.ctx, i);
    return op->kind <= TRACE_OP_COMM && !q->lane ? NULL : q;
}

/* Whether the slot of this number still has its times. */
static bool known(const struct timeline *t, uint64_t number)
{
    return number + t->window > t->next;
}

static void after_queue(struct timeline *t, struct slot *s, const struct lane_state *q)
{
    bool device = s->op.kind <= TRACE_OP_COMM;
    s->on_end = !device || lane_copies(&s->op) || s->op.after > TIMELINE_LEAD;
    if (!q->any) {
        s->on_end = true; /* no lead */
        not_before(s, follows(s, t->from));
        return;
    }
    struct slot *p = known(t, q->last) ? at(t, q->last) : NULL;
    if (!p || p->state == DONE) {
        if (p && s->on_end)
            not_before(s, follows(s, p->end));
    } else if (s->on_end || p->state != SUBMITTED) {
        p->follower = (uint32_t)(s - t->slot) + 1;
        s->waits++;
    }
}

static bool after_edge(struct timeline *t, struct slot *s, const struct plan_edge *k)
{
    struct slot *p = known(t, k->from) ? at(t, k->from) : NULL;
    if (!p)
        return true;
    if (p->state == DONE) {
        not_before(s, (k->begun ? p->begin : p->end) + k->lag);
        return true;
    }
    uint32_t i = edge_new(t);
    if (!i)
        return false;
    t->edge[i - 1] = (struct edge){(uint32_t)(s - t->slot), p->edges, k->begun, k->lag};
    p->edges = i;
    s->waits++;
    return true;
}

static bool pull(struct timeline *t)
{
    struct slot *s = at(t, t->next);
    struct plan_op op;
    int rc = t->h.next(t->h.ctx, t->next, &op, t->h.e);
    if (rc <= 0) {
        t->source_ended = true;
        if (rc < 0)
            fail(t, rc);
        return false;
    }
    struct lane_state *q = queue_of(t, &op);
    *s = (struct slot){.op = op, .ready = t->from, .waits = 1};
    if (!q) {
        no_memory(t);
        return false;
    }
    after_queue(t, s, q);
    q->any = true;
    q->last = t->next;
    for (uint32_t i = 0; i < op.n_edges; i++)
        if (!after_edge(t, s, &op.edge[i])) {
            no_memory(t);
            return false;
        }
    t->next++;
    if (s->waits == 1 && s->op.kind <= TRACE_OP_COMM && s->ready > t->from)
        t->stalls += s->ready < sim_now(t->sim);
    one_less(t, s);
    return true;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void drain(struct timeline *t)
{
    while (t->work != NONE) {
        uint32_t place = t->work;
        t->work = t->slot[place].work;
        begin(t, place);
    }
}

static void retire(struct timeline *t)
{
    sim_time now = sim_now(t->sim);
    while (t->base < t->next && at(t, t->base)->state == DONE && at(t, t->base)->end <= now)
        t->base++;
}

static void wake(void *ctx, uint64_t unused)
{
    (void)unused;
    struct timeline *t = ctx;
    t->timer = 0;
    run(t);
}

static void stop(struct timeline *t)
{
    t->running = false;
    sim_cancel(t->sim, t->timer);
    t->timer = 0;
    t->h.ended(t->h.ctx, t->rc);
}

/* The oldest ones end by themselves, at times that are known: when the first of them have. */
static sim_time some_later(const struct timeline *t)
{
    uint64_t to = t->base + (t->source_ended ? t->window : t->window / 8);
    sim_time last = 0;
    for (uint64_t n = t->base; n < to && n < t->next && at(t, n)->state == DONE; n++)
        last = at(t, n)->end > last ? at(t, n)->end : last;
    return last;
}

static void run(struct timeline *t)
{
    do {
        drain(t);
        retire(t);
    } while (!t->rc && !t->source_ended && t->next - t->base < t->window && pull(t));
    drain(t);
    retire(t);
    bool all = t->source_ended && t->base == t->next;
    if (t->running && (t->rc || all)) {
        stop(t);
        return;
    }
    if (t->running && !t->timer && at(t, t->base)->state == DONE)
        t->timer = sim_at(t->sim, some_later(t), 0, wake, t, 0);
}

void timeline_start(struct timeline *t)
{
    t->base = t->next = 0;
    t->from = sim_now(t->sim);
    t->source_ended = false;
    t->running = true;
    t->work = NONE;
    t->rc = 0;
    for (uint32_t i = 0; i < t->queues; i++)
        t->queue[i].any = false;
    run(t);
}
