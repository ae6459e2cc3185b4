/* import_capture.c - what malv capture wrote (capture/raw.h) as rows, with dependencies recovered.
 *
 * Rows go by in time; each stream remembers what was submitted to it last, each event what was
 * last in its stream when it was recorded.  A synchronization then depends on what its stream,
 * event or context had been given; what a stream begins next depends on the events that it was
 * told to wait for.                                                                         */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "traces/capture_raw.h"
#include "traces/import.h"

enum { EVENTS = 1 << 16, WAITS = 1 << 12, DEPENDS = CAPTURE_LANES };

struct event { /* events are made and forgotten by the million: the latest of each place counts */
    uint32_t tenant, event;
    uint64_t correlation;
};
struct wait { /* launched, not begun: what it waits for beside its stream */
    uint64_t correlation;
    uint32_t lane, n;
    uint64_t on[8];
};

struct capture {
    struct capture_raw raw;
    struct spill *rows; /* items by time */
    uint64_t zero;
    struct event event[EVENTS];
    struct wait wait[WAITS];
    uint32_t waits;
    uint64_t depends[DEPENDS];
    uint32_t n_depends;
};

static bool capture_sniff(const char *head, size_t len)
{
    return len >= sizeof RAW_MAGIC && !memcmp(head, RAW_MAGIC, sizeof RAW_MAGIC);
}

/* flags: the records that CUPTI had no room for. */
static int capture_open(struct importer *im, struct err *e)
{
    struct capture *c = im->own = calloc(1, sizeof *c);
    if (!c)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", input_name(im->in));
    c->raw.in = im->in;
    c->raw.names = im->names;
    int rc = capture_raw_read(&c->raw, e);
    if (!rc)
        rc = spill_new(&c->rows, sizeof(struct capture_item), SPILL_BYTES, e);
    if (!rc)
        rc = capture_join(c->raw.items, c->rows, &c->zero, e);
    spill_free(c->raw.items);
    c->raw.items = NULL;
    im->flags = c->raw.lost < UINT32_MAX ? (unsigned)c->raw.lost : UINT32_MAX;
    return rc;
}

static void capture_done(struct importer *im)
{
    struct capture *c = im->own;
    if (!c)
        return;
    capture_raw_free(&c->raw);
    spill_free(c->rows);
    free(c);
}

/* ---- what has been submitted ---- */

static struct event *event_at(struct capture *c, const struct capture_item *it)
{
    return &c->event[(it->event * 2654435761u + it->tenant) % EVENTS];
}

static uint64_t event_of(struct capture *c, const struct capture_item *it)
{
    const struct event *v = event_at(c, it);
    return v->tenant == it->tenant && v->event == it->event ? v->correlation : 0;
}

static void record_event(struct capture *c, const struct capture_item *it)
{
    *event_at(c, it) = (struct event){it->tenant, it->event, c->raw.lane[it->lane].last};
}

static void stream_waits(struct capture *c, const struct capture_item *it)
{
    struct capture_lane *l = &c->raw.lane[it->lane];
    uint64_t on = event_of(c, it);
    if (on && on != l->last && l->n_pending < sizeof l->pending / sizeof *l->pending)
        l->pending[l->n_pending++] = on;
}

static void submit(struct capture *c, const struct capture_item *it)
{
    struct capture_lane *l = &c->raw.lane[it->lane];
    l->last = it->correlation;
    if (!l->n_pending)
        return;
    struct wait w = {it->correlation, it->lane, l->n_pending, {0}};
    memcpy(w.on, l->pending, l->n_pending * sizeof *w.on);
    l->n_pending = 0;
    if (c->waits == WAITS) /* never begun, it seems */
        memmove(c->wait, c->wait + 1, --c->waits * sizeof *c->wait);
    c->wait[c->waits++] = w;
}

static void depend(struct capture *c, uint64_t on)
{
    for (uint32_t i = 0; i < c->n_depends; i++)
        if (c->depends[i] == on)
            return;
    if (on && c->n_depends < DEPENDS)
        c->depends[c->n_depends++] = on;
}

static void depend_on_stream(struct capture *c, struct capture_lane *l)
{
    if (l->last != l->waited)
        depend(c, l->last);
    l->waited = l->last;
}

/* ---- rows ---- */

static void begin_op(struct capture *c, const struct capture_item *it)
{
    if (!it->launched && it->correlation)
        c->raw.lane[it->lane].last = it->correlation;
    for (uint32_t i = 0; i < c->waits; i++) {
        struct wait *w = &c->wait[i];
        if (w->correlation != it->correlation || w->lane != it->lane)
            continue;
        for (uint32_t k = 0; k < w->n; k++)
            depend(c, w->on[k]);
        memmove(w, w + 1, (--c->waits - i) * sizeof *w);
        return;
    }
}

static void begin_sync(struct capture *c, const struct capture_item *it)
{
    if (it->kind == RAW_SYNC_EVENT)
        depend(c, event_of(c, it));
    else if (it->kind == RAW_SYNC_STREAM)
        depend_on_stream(c, &c->raw.lane[it->lane]);
    else if (it->kind == CAPTURE_SYNC_OP)
        depend(c, it->correlation);
    for (uint32_t i = 0; it->kind == RAW_SYNC_CONTEXT && i < c->raw.lanes; i++)
        if (c->raw.lane[i].tenant == it->tenant && c->raw.lane[i].context == it->context)
            depend_on_stream(c, &c->raw.lane[i]);
}

/* What the item does to the state; is there a row? */
static bool apply(struct capture *c, const struct capture_item *it)
{
    c->n_depends = 0;
    if (it->what == CAPTURE_DEVICE) {
        begin_op(c, it);
    } else if (it->what == CAPTURE_LAUNCH || it->what == CAPTURE_SUBMIT) {
        submit(c, it);
        return it->what == CAPTURE_LAUNCH;
    } else if (it->what == CAPTURE_EVENT) {
        record_event(c, it);
        return false;
    } else if (it->kind == RAW_SYNC_WAIT_EVENT) {
        stream_waits(c, it);
        return false;
    } else {
        begin_sync(c, it);
    }
    return true;
}

static void fill_row(const struct capture *c, const struct capture_item *it, struct trace_op *op)
{
    bool device = it->what == CAPTURE_DEVICE;
    *op =
        (struct trace_op){.time_ns = it->begin - c->zero,
                          .tenant = it->tenant,
                          .device = device ? it->device : TRACE_NAME_NONE,
                          .stream = device ? c->raw.lane[it->lane].number : it->thread,
                          .kind = device                       ? it->kind
                                  : it->what == CAPTURE_LAUNCH ? TRACE_OP_LAUNCH
                                                               : TRACE_OP_SYNC,
                          .name = it->name,
                          .duration_ns = it->end - it->begin,
                          .correlation = device || it->what == CAPTURE_LAUNCH ? it->correlation : 0,
                          .n_depends = c->n_depends,
                          .depends = c->depends};
    if (!device)
        return;
    op->bytes = it->bytes;
    op->grid = it->grid;
    op->block = it->block;
    op->registers = it->registers;
    op->smem = it->smem;
}

static int capture_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct capture *c = im->own;
    struct capture_item it;
    int rc;
    memset(&it, 0, sizeof it);
    while ((rc = spill_next(c->rows, &it, e)) == 1)
        if (apply(c, &it)) {
            fill_row(c, &it, &out->op);
            return 1;
        }
    return rc;
}

const struct import_format import_malv_raw = {
    .name = "malv-raw",
    .title = "What malv capture recorded of a CUDA program",
    .source = "captured by malv capture",
    .licence = "its owner's",
    .table = TRACE_OPS,
    .whole = true,
    .sniff = capture_sniff,
    .open = capture_open,
    .done = capture_done,
    .row = capture_row,
};
