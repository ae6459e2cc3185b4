/* op_waits.c - streams with their last launches, threads with their last stream. */
#include "traces/op_waits.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS     65536u /* event records remembered, by correlation */
#define LIST_MAX    65536u /* what a row may depend on (schema.c) */
#define NO_STREAM   UINT32_MAX
#define HOST_DEVICE UINT64_C(0xfffff)

struct launch {
    uint64_t launched_ns, ended_ns, correlation;
};

struct stream {
    uint32_t tenant, device;
    struct launch *ring; /* the newest is at n - 1; a power of two of them */
    uint64_t n, cap;
    struct wait { /* of events, by operations yet to be launched */
        uint64_t from_ns, correlation;
        uint64_t ended_ns; /* 0: sure; else only if it had ended when the operation began */
    } * wait;
    uint32_t waits, waits_cap;
};

struct op_waits {
    struct stream *stream;
    uint32_t streams, streams_cap;
    struct slot {       /* open addressing: streams by device, and the last stream of threads */
        uint64_t key_1; /* key + 1; 0: free */
        uint32_t stream;
    } * slot;
    uint32_t slots, slots_cap;
    struct record {
        uint64_t id, at_ns;
    } * record;
    uint64_t *list;
    uint32_t listed, list_cap;
};

struct op_waits *op_waits_new(void)
{
    struct op_waits *w = calloc(1, sizeof *w);
    if (w && !(w->record = calloc(RECORDS, sizeof *w->record))) {
        free(w);
        return NULL;
    }
    return w;
}

void op_waits_free(struct op_waits *w)
{
    if (!w)
        return;
    for (uint32_t i = 0; i < w->streams; i++) {
        free(w->stream[i].ring);
        free(w->stream[i].wait);
    }
    free(w->stream);
    free(w->slot);
    free(w->record);
    free(w->list);
    free(w);
}

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

/* Room for one more of `size` in a list of n; false: out of memory. */
static bool room(void *list, uint32_t n, uint32_t *cap, size_t size)
{
    void **at = list;
    if (n < *cap)
        return true;
    uint32_t more = *cap ? 2 * *cap : 8;
    void *v = realloc(*at, more * size);
    if (!v)
        return false;
    *at = v;
    *cap = more;
    return true;
}

static struct slot *probe(const struct slot *table, uint32_t cap, uint64_t key)
{
    for (uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32);; i++) {
        const struct slot *s = &table[i & (cap - 1)];
        if (!s->key_1 || s->key_1 == key + 1)
            return (struct slot *)s;
    }
}

static struct slot *slot_of(struct op_waits *w, uint64_t key)
{
    if (2 * (w->slots + 1) > w->slots_cap) {
        uint32_t cap = w->slots_cap ? 2 * w->slots_cap : 64;
        struct slot *more = calloc(cap, sizeof *more);
        if (!more)
            return NULL;
        for (uint32_t i = 0; i < w->slots_cap; i++)
            if (w->slot[i].key_1)
                *probe(more, cap, w->slot[i].key_1 - 1) = w->slot[i];
        free(w->slot);
        w->slot = more;
        w->slots_cap = cap;
    }
    struct slot *s = probe(w->slot, w->slots_cap, key);
    if (!s->key_1) {
        *s = (struct slot){key + 1, NO_STREAM};
        w->slots++;
    }
    return s;
}

static uint64_t key_of(uint32_t tenant, uint64_t device, uint32_t stream)
{
    return (uint64_t)tenant << 52 | device << 32 | stream;
}

static struct stream *stream_of(struct op_waits *w, uint32_t tenant, uint32_t device,
                                uint32_t stream)
{
    struct slot *s = slot_of(w, key_of(tenant, device, stream));
    if (!s)
        return NULL;
    if (s->stream == NO_STREAM) {
        if (!room(&w->stream, w->streams, &w->streams_cap, sizeof *w->stream))
            return NULL;
        w->stream[w->streams] = (struct stream){.tenant = tenant, .device = device};
        s->stream = w->streams++;
    }
    return &w->stream[s->stream];
}

static struct stream *known_stream(const struct op_waits *w, uint32_t tenant, uint64_t device,
                                   uint32_t stream)
{
    if (!w->slots_cap)
        return NULL;
    const struct slot *s = probe(w->slot, w->slots_cap, key_of(tenant, device, stream));
    return s->key_1 && s->stream != NO_STREAM ? &w->stream[s->stream] : NULL;
}

static struct stream *last_stream(const struct op_waits *w, const struct op_raw *call)
{
    return known_stream(w, call->op.tenant, HOST_DEVICE, call->op.stream);
}

static struct launch *launch_at(const struct stream *s, uint64_t i)
{
    return &s->ring[i & (s->cap - 1)];
}

/* Unrolls the ring into one of twice its length. */
static bool widen(struct stream *s)
{
    uint64_t cap = s->cap ? 2 * s->cap : 16;
    struct launch *more = malloc(cap * sizeof *more);
    if (!more)
        return false;
    for (uint64_t i = s->n - s->cap; i < s->n; i++)
        more[i & (cap - 1)] = *launch_at(s, i);
    free(s->ring);
    s->ring = more;
    s->cap = cap;
    return true;
}

int op_waits_launch(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    struct stream *s = stream_of(w, call->op.tenant, call->device, call->stream);
    struct slot *thread = slot_of(w, key_of(call->op.tenant, HOST_DEVICE, call->op.stream));
    if (!s || !thread || (s->n >= s->cap && s->cap < OP_WAITS_KEPT && !widen(s)))
        return no_memory(e);
    *launch_at(s, s->n++) = (struct launch){call->op.time_ns, call->ended_ns, call->op.correlation};
    thread->stream = (uint32_t)(s - w->stream);
    return 0;
}

static uint64_t record_id(const struct op_raw *call, uint64_t correlation)
{
    return (uint64_t)call->op.tenant << 50 | correlation;
}

int op_waits_record(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    uint64_t id = record_id(call, call->op.correlation);
    (void)e;
    w->record[id % RECORDS] = (struct record){id, call->op.time_ns};
    return 0;
}

static int depend(struct op_waits *w, uint64_t correlation, struct err *e)
{
    for (uint32_t i = w->listed; i-- > 0 && w->listed - i < 16;)
        if (w->list[i] == correlation)
            return 0;
    if (w->listed == LIST_MAX)
        return 0;
    if (!room(&w->list, w->listed, &w->list_cap, sizeof *w->list))
        return no_memory(e);
    w->list[w->listed++] = correlation;
    return 0;
}

static uint64_t kept(const struct stream *s)
{
    return s->n < s->cap ? s->n : s->cap;
}

/* The last launched before t; NULL: none is remembered. */
static const struct launch *before(const struct stream *s, uint64_t t)
{
    uint64_t low = s->n - kept(s), high = s->n;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (launch_at(s, mid)->launched_ns < t)
            low = mid + 1;
        else
            high = mid;
    }
    return low > s->n - kept(s) ? launch_at(s, low - 1) : NULL;
}

static const struct stream *event_stream(const struct op_waits *w, const struct op_raw *call)
{
    return call->device == TRACE_NAME_NONE || call->event_stream == TRACE_NAME_NONE
               ? NULL
               : known_stream(w, call->op.tenant, call->device, call->event_stream);
}

/* What was in the event's stream when it was recorded. */
static const struct launch *recorded(const struct op_waits *w, const struct op_raw *call)
{
    uint64_t id = record_id(call, call->record);
    const struct record *r = &w->record[id % RECORDS];
    const struct stream *s = event_stream(w, call);
    return call->record && s && r->id == id ? before(s, r->at_ns) : NULL;
}

int op_waits_in_stream(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    const struct launch *l = recorded(w, call);
    const struct stream *from = event_stream(w, call);
    bool sure = call->record;
    if (!sure && from)
        l = before(from, call->op.time_ns);
    if (!l || call->stream == TRACE_NAME_NONE)
        return 0;
    struct wait wait = {call->op.time_ns, l->correlation, sure ? 0 : l->ended_ns};
    struct stream *s = stream_of(w, call->op.tenant, call->device, call->stream);
    if (!s || !room(&s->wait, s->waits, &s->waits_cap, sizeof *s->wait))
        return no_memory(e);
    s->wait[s->waits++] = wait;
    return 0;
}

int op_waits_device(struct op_waits *w, struct op_raw *op, struct err *e)
{
    struct stream *s = known_stream(w, op->op.tenant, op->op.device, op->op.stream);
    int rc = 0;
    w->listed = 0;
    if (s && s->waits && op->launched_ns != TRACE_TIME_NONE) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < s->waits; i++)
            if (s->wait[i].from_ns > op->launched_ns)
                s->wait[left++] = s->wait[i];
            else if (!rc && s->wait[i].correlation != op->op.correlation &&
                     s->wait[i].ended_ns <= op->op.time_ns + OP_JOIN_CLOCK_NS)
                rc = depend(w, s->wait[i].correlation, e);
        s->waits = left;
    }
    op->op.n_depends = w->listed;
    op->op.depends = w->list;
    return rc;
}

static uint64_t until(const struct op_raw *call)
{
    return call->op.time_ns + call->op.duration_ns + OP_JOIN_CLOCK_NS;
}

/* The last launched that had ended when the call did; whole: only if nothing came behind it. */
static const struct launch *ended(const struct stream *s, uint64_t by, bool whole)
{
    uint64_t most = whole ? 1 : 256;
    for (uint64_t i = 1; i <= kept(s) && i <= most; i++)
        if (launch_at(s, s->n - i)->ended_ns <= by)
            return launch_at(s, s->n - i);
    return NULL;
}

static int guess(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    bool whole = call->wait == OP_WAIT_STREAM;
    const struct stream *named = event_stream(w, call), *own = named ? named : last_stream(w, call);
    const struct launch *best = own ? ended(own, until(call), whole) : NULL;
    for (uint32_t i = 0; !(own && best) && i < w->streams; i++) {
        const struct stream *s = &w->stream[i];
        const struct launch *l = s->tenant == call->op.tenant ? ended(s, until(call), whole) : NULL;
        if (l && (!best || l->ended_ns > best->ended_ns))
            best = l;
    }
    return best ? depend(w, best->correlation, e) : 0;
}

/* On every stream of the device, or of all where it is not known. */
static int whole_device(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    const struct stream *own = last_stream(w, call);
    uint32_t device = call->device != TRACE_NAME_NONE ? call->device
                      : own                           ? own->device
                                                      : TRACE_NAME_NONE;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < w->streams; i++) {
        const struct stream *s = &w->stream[i];
        if (s->tenant != call->op.tenant || !s->n ||
            (device != TRACE_NAME_NONE && s->device != device))
            continue;
        const struct launch *l = launch_at(s, s->n - 1);
        if (device != TRACE_NAME_NONE || l->ended_ns <= until(call))
            rc = depend(w, l->correlation, e);
    }
    return rc;
}

static int one_stream(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    if (call->stream == TRACE_NAME_NONE || call->device == TRACE_NAME_NONE)
        return guess(w, call, e);
    const struct stream *s = known_stream(w, call->op.tenant, call->device, call->stream);
    return s && s->n ? depend(w, launch_at(s, s->n - 1)->correlation, e) : 0;
}

static int event(struct op_waits *w, const struct op_raw *call, struct err *e)
{
    const struct launch *l = recorded(w, call);
    if (l)
        return depend(w, l->correlation, e);
    return call->record ? 0 : guess(w, call, e);
}

int op_waits_sync(struct op_waits *w, struct op_raw *call, struct err *e)
{
    w->listed = 0;
    int rc = call->op.n_depends             ? depend(w, call->record, e)
             : call->wait == OP_WAIT_DEVICE ? whole_device(w, call, e)
             : call->wait == OP_WAIT_STREAM ? one_stream(w, call, e)
                                            : event(w, call, e);
    call->op.n_depends = w->listed;
    call->op.depends = w->list;
    return rc;
}
