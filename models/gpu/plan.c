#include "models/gpu/plan.h"

#include <stdlib.h>

#include "models/gpu/beside.h"
#include "models/gpu/held.h"
#include "models/gpu/marks.h"
#include "models/gpu/queues.h"

struct least { /* the smallest lag of a kind seen so far */
    uint64_t ns;
    bool any;
};
struct plan {
    struct row_source *rows;
    struct plan_want want;
    struct marks *marks;
    struct beside beside;
    struct queues queues;
    struct least launch, gap, sync, tail;
    struct plan_seen seen;
    bool any_kernel;
    uint64_t from, number;
    struct held held;    /* syncs, until they end */
    union trace_row row; /* read, and waiting behind them */
    bool ended, has_row, any;
};

int plan_new(struct plan **out, struct row_source *rows, const struct plan_want *w, struct err *e)
{
    struct plan *p = *out = calloc(1, sizeof *p);
    if (!p)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    p->rows = rows;
    p->want = *w;
    p->marks = marks_new(w->reach);
    if (p->marks && beside_begin(&p->beside, w->to->sms))
        return 0;
    plan_free(p);
    *out = NULL;
    return err_set(e, ERR_ENOMEM, "gpu: out of memory");
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    marks_free(p->marks);
    beside_end(&p->beside);
    held_end(&p->held);
    queues_end(&p->queues);
    free(p);
}

const struct plan_queue *plan_queues(const struct plan *p, uint32_t *n)
{
    *n = p->queues.n;
    return p->queues.list;
}

void plan_seen(const struct plan *p, struct plan_seen *out)
{
    *out = p->seen;
}

/* ---- lags ------------------------------------------------------------------------- */

static uint64_t at_most(const struct least *l, uint64_t room)
{
    return !l->any ? 0 : l->ns < room ? l->ns : room;
}

static void seen(struct least *l, uint64_t ns)
{
    if (!l->any || ns < l->ns)
        *l = (struct least){ns, true};
}

/* The last end of what the row depends on, as far as it is remembered. */
static bool last_end(const struct plan *p, const struct trace_op *r, uint64_t *end)
{
    bool any = false;
    *end = 0;
    for (uint32_t i = 0; i < r->n_depends; i++) {
        const struct mark *k = marks_find(p->marks, r->tenant, r->depends[i], false);
        any |= k != NULL;
        if (k && k->end > *end)
            *end = k->end;
    }
    return any;
}

/* One edge from each of them; those that ended at `end` get the lag. */
static bool add_depends(const struct plan *p, const struct trace_op *r, struct beside_slot *s,
                        uint64_t end, uint64_t lag)
{
    for (uint32_t i = 0; i < r->n_depends; i++) {
        const struct mark *k = marks_find(p->marks, r->tenant, r->depends[i], false);
        const struct plan_edge edge = {k ? k->number : 0, k && k->end == end ? lag : 0, false};
        if (k && !beside_edge(s, &edge))
            return false;
    }
    return true;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool over_link(const struct trace_op *r)
{
    return r->kind == TRACE_OP_H2D || r->kind == TRACE_OP_D2H;
}

/* ---- a device operation --------------------------------------------------------------- */

static void shape(const struct plan *p, const struct trace_op *r, struct plan_op *op)
{
    const struct device_shape k = {r->grid, r->block, r->registers, r->smem};
    struct device_work w = {0};
    op->compute = r->bound == TRACE_OP_BOUND_MEMORY ? p->want.to->draw_sms : 0;
    if (r->sms) {
        op->sms = r->sms < p->want.to->sms ? r->sms : 0;
        op->loads = r->sms; /* blocks, in SMs filled once */
    } else if (r->grid && r->block && device_fit(p->want.to, &k, &w)) {
        op->sms = w.sms;
        op->waves = w.waves;
        op->loads = w.loads;
    }
}

static void draw(const struct plan *p, const struct trace_op *r, struct plan_op *op)
{
    const uint32_t said[] = {p->want.to->draw_unknown, p->want.to->draw_compute,
                             p->want.to->draw_memory};
    double peak = p->want.to->bandwidth * (double)op->duration / 1e9;
    double part = r->bytes && peak > 0 ? (double)r->bytes / peak * DEVICE_MILLI : 0;
    op->bandwidth = r->bytes && peak > 0 ? (part < DEVICE_MILLI ? (uint32_t)part : DEVICE_MILLI)
                                         : said[r->bound <= TRACE_OP_BOUND_MEMORY ? r->bound : 0];
}

/* What a device operation waited for in the capture. */
struct limits {
    const struct mark *launch; /* NULL: none */
    uint64_t stream, depends;  /* ended */
    bool has_stream, has_depends;
    bool by_stream, by_launch,
        by_depends; /* which of them was last, with the smallest lags added */
};

static struct limits limits_of(const struct plan *p, const struct trace_op *r,
                               const struct queue *q)
{
    struct limits k = {.has_stream = q->any, .stream = q->any ? q->end : 0};
    k.has_depends = last_end(p, r, &k.depends);
    if (r->correlation)
        k.launch = marks_find(p->marks, r->tenant, r->correlation, true);
    const uint64_t stream = k.has_stream ? q->end + at_most(&p->gap, UINT64_MAX) : 0;
    const uint64_t launch = k.launch ? k.launch->begin + at_most(&p->launch, UINT64_MAX) : 0;
    k.by_stream = k.has_stream && stream >= launch && stream >= k.depends;
    k.by_launch = k.launch && !k.by_stream && launch >= k.depends;
    k.by_depends = k.has_depends && !k.by_stream && !k.by_launch;
    return k;
}

static uint64_t earliest(const struct limits *k)
{
    return most(most(k->stream, k->depends), k->launch ? k->launch->begin : 0);
}

static bool launched(const struct plan *p, const struct trace_op *r, const struct limits *k,
                     struct beside_slot *s)
{
    const uint64_t room = s->begin - k->launch->begin;
    const bool all = k->by_launch && !p->want.smallest;
    struct plan_edge edge = {k->launch->number, all ? room : at_most(&p->launch, room), true};
    const struct gpu_crossings *x = &p->want.crossings;
    edge.lag = gpu_crossings_add(edge.lag + p->want.launch_ns, over_link(r) ? x->copy : x->launch);
    return beside_edge(s, &edge);
}

static int device_op(struct plan *p, const struct trace_op *r, struct queue *q,
                     struct beside_slot *s)
{
    const struct limits k = limits_of(p, r, q);
    const uint64_t at = s->begin = most(s->begin, earliest(&k));
    const uint64_t gap = at - k.stream, room = k.launch ? at - k.launch->begin : 0;
    const uint64_t wait = at - k.depends;
    if (k.by_stream)
        seen(&p->gap, gap);
    if (k.by_launch)
        seen(&p->launch, room);
    s->op.first = !q->any;
    if (q->any && !p->want.no_gaps)
        s->op.after = k.by_stream && !p->want.smallest ? gap : at_most(&p->gap, gap);
    if (!q->any && !k.launch && !k.has_depends)
        s->op.after = at;
    if ((k.launch && !launched(p, r, &k, s)) ||
        !add_depends(p, r, s, k.depends, k.by_depends && !p->want.smallest ? wait : 0))
        return -1;
    p->seen.lag += k.by_stream ? gap : k.by_launch ? room : k.by_depends ? wait : 0;

    s->op.duration = rescale_ns(&p->want.rescale, r);
    if (over_link(r))
        s->op.duration += (uint64_t)((double)r->bytes * p->want.crossings.payload / 1000 + 0.5);
    s->kernel = r->kind == TRACE_OP_KERNEL || r->kind == TRACE_OP_COMM;
    if (s->kernel) {
        shape(p, r, &s->op);
        draw(p, r, &s->op);
    }
    s->end = at + r->duration_ns;
    return 0;
}

/* ---- a host row ------------------------------------------------------------------------- */

static uint64_t cpu_ns(const struct plan *p, uint64_t ns)
{
    const double scaled = (double)ns * p->want.host + 0.5;
    return p->want.host == 1 ? ns : scaled < PLAN_LONGEST ? (uint64_t)scaled : PLAN_LONGEST;
}

/* A row within the one before it cuts that one short; what is left of it comes after this one. */
static void cut(struct plan *p, struct queue *q, uint64_t at)
{
    struct beside_slot *outer = beside_at(&p->beside, q->place);
    if (!q->any || at >= q->end || at < q->begin || !outer || outer->op.kind == TRACE_OP_SYNC)
        return;
    uint64_t cut_ns = cpu_ns(p, q->end - q->begin) - cpu_ns(p, at - q->begin);
    outer->op.duration -= cut_ns < outer->op.duration ? cut_ns : outer->op.duration;
    outer->end = q->end = at;
}

static int sync_op(struct plan *p, const struct trace_op *r, struct beside_slot *s)
{
    uint64_t ended, returned = s->begin + r->duration_ns;
    const struct gpu_crossings *x = &p->want.crossings;
    s->end = returned;
    s->op.duration = gpu_crossings_add(s->op.duration, x->look);
    if (!last_end(p, r, &ended))
        return 0;
    uint64_t tail = returned > ended ? returned - ended : 0;
    if (ended > s->begin) { /* it waited */
        s->op.duration = gpu_crossings_add(cpu_ns(p, at_most(&p->sync, most(tail, 1))), x->look);
        s->end = most(returned, ended);
        seen(&p->tail, tail);
    } else {
        seen(&p->sync, r->duration_ns);
        tail = at_most(&p->tail, tail);
    }
    return add_depends(p, r, s, ended, gpu_crossings_add(cpu_ns(p, tail), x->answer)) ? 0 : -1;
}

static int host_op(struct plan *p, const struct trace_op *r, struct queue *q, struct beside_slot *s)
{
    const struct gpu_crossings *x = &p->want.crossings;
    cut(p, q, s->begin);
    uint64_t from = q->any ? q->end : 0;
    s->begin = most(s->begin, from);
    s->op.first = !q->any;
    s->op.after = cpu_ns(p, s->begin - from);
    s->op.duration = cpu_ns(p, r->duration_ns);
    s->end = s->begin + r->duration_ns;
    if (r->kind == TRACE_OP_LAUNCH)
        s->op.duration = gpu_crossings_add(s->op.duration + p->want.launch_ns, x->launch);
    return r->kind == TRACE_OP_SYNC ? sync_op(p, r, s) : 0;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* What no capture has, and no replay can do. */
static int sane(const struct plan *p, const struct trace_op *r, struct err *e)
{
    const unsigned long long n = p->number;
    if (r->kind >= TRACE_OP_KINDS)
        return err_set(e, ERR_EPARSE, "trace: operation %llu: got kind %u, want one below %d", n,
                       r->kind, TRACE_OP_KINDS);
    if (r->time_ns < p->from)
        return err_set(e, ERR_EPARSE, "trace: operation %llu comes before the first one", n);
    if (r->time_ns - p->from > PLAN_LONGEST || r->duration_ns > PLAN_LONGEST)
        return err_set(
            e, ERR_ERANGE, "trace: operation %llu: got %llu ns from %llu ns on, want at most %llu",
            n, (unsigned long long)r->duration_ns, (unsigned long long)(r->time_ns - p->from),
            (unsigned long long)PLAN_LONGEST);
    if (trace_op_on_device(r) && r->device == TRACE_NAME_NONE)
        return err_set(e, ERR_EPARSE, "trace: operation %llu: got no device, want one for its kind",
                       n);
    return 0;
}

static void look(struct plan *p, const struct trace_op *r, const struct beside_slot *s)
{
    const uint64_t at = r->time_ns - p->from, end = at + r->duration_ns;
    p->seen.span = most(p->seen.span, end);
    if (!s->kernel)
        return;
    if (!p->any_kernel || at < p->seen.kernels)
        p->seen.kernels = at;
    p->seen.kernels_end = most(p->seen.kernels_end, end);
    p->any_kernel = true;
}

/* 1, or < 0. */
static int put(struct plan *p, const struct trace_op *row, struct err *e)
{
    struct trace_op op = *row;
    const struct trace_op *r = &op;
    const bool device = trace_op_on_device(r);
    int rc = sane(p, r, e);
    if (rc)
        return rc;
    if (!device)
        op.device = TRACE_NAME_NONE;
    const uint32_t i = queues_find(&p->queues, r);
    if (i == UINT32_MAX)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    struct queue *q = &p->queues.at[i];
    struct beside_slot *s = beside_slot(&p->beside);
    s->begin = s->op.at = r->time_ns - p->from;
    s->op.queue = i;
    s->op.kind = (uint8_t)r->kind;
    s->op.bound = (uint8_t)r->bound;
    s->op.bytes = r->bytes;
    s->tenant = r->tenant;
    s->device = r->device;
    s->kernel = s->accompanied = false;
    s->sms = s->bandwidth = 0;
    if (device ? device_op(p, r, q, s) : host_op(p, r, q, s))
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    struct mark k = {r->correlation, p->number, s->begin, s->end, 0, r->tenant, !device};
    if (r->correlation && (device || r->kind == TRACE_OP_LAUNCH))
        marks_add(p->marks, &k);
    q->any = true;
    q->begin = s->begin;
    q->end = s->end;
    q->place = p->number++;
    look(p, r, s);
    beside_put(&p->beside);
    return 1;
}

/* The next row in order of begin, but syncs in order of end: 1, 0 the end, < 0. */
static int pull(struct plan *p, struct err *e)
{
    if (!p->has_row && !p->ended) {
        int rc = p->rows->next(p->rows, &p->row, e);
        if (rc < 0)
            return rc;
        p->ended = rc == 0;
        p->has_row = rc > 0;
        if (p->has_row && !p->any) {
            p->any = true;
            p->from = p->row.op.time_ns;
        }
    }
    const struct trace_op *sync = held_take(&p->held, p->ended ? UINT64_MAX : p->row.op.time_ns);
    if (sync)
        return put(p, sync, e);
    if (!p->has_row)
        return 0;
    p->has_row = false;
    const struct trace_op *op = &p->row.op;
    if (op->kind != TRACE_OP_SYNC || !op->n_depends)
        return put(p, op, e);
    return held_add(&p->held, op) ? 1 : err_set(e, ERR_ENOMEM, "gpu: out of memory");
}

int plan_next(struct plan *p, struct plan_op *out, struct err *e)
{
    const struct beside_slot *s;
    bool all = false;
    while (!(s = beside_take(&p->beside, all || beside_full(&p->beside)))) {
        if (all)
            return 0;
        int rc = pull(p, e);
        if (rc < 0)
            return rc;
        all = rc == 0;
    }
    *out = s->op;
    return 1;
}
