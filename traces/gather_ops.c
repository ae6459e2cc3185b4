/* gather_ops.c - facts of timelines: what devices did, how long they idled, and whose fault it was.
 *
 * Rows come by their begin, so unions of intervals need no more than their end so far.  A device
 * idles for its host until the call that launches the next operation has returned, and for what
 * lies between a launch and its begin from there on.  Memory: devices, names, different values
 * (tally.h), LAUNCHES.      */
#include <stdlib.h>
#include <string.h>

#include "traces/gather_rows.h"

#define LAUNCHES (1u << 18) /* remembered: one that is so far behind is forgotten */
#define TOP      10
#define MB       UINT64_C(1000000)
#define GB_STEPS 1e12 /* of one GB/s: tallies count whole numbers */

struct cover { /* the union of intervals that begin in order */
    uint64_t busy, until;
};

struct device {
    uint32_t id;
    struct cover kernels, copies, all;
    uint64_t sum, gaps, host, launched, unsaid;
};

struct launch {
    uint64_t id, at_ns, end_ns; /* of the call */
};

struct ops {
    uint64_t count[TRACE_OP_KINDS], ns[TRACE_OP_KINDS], bytes[TRACE_OP_KINDS];
    uint64_t rows, first_ns, last_ns, kernel_first, kernel_last, correlated;
    struct tally kernel, by_device, kernel_streams, streams, threads, latency, gap,
        speed[TRACE_OP_KINDS];
    struct device *device;
    size_t devices, device_cap;
    struct launch *launch;
    struct by_name {
        uint64_t ns, count;
    } * name;
    size_t names;
};

/* What the profilers' users call these, and their unit. */
struct words {
    const char *kernel, *busy, *span, *latency, *top, *bytes, *count, *time;
    double ns;
    const char *kind[TRACE_OP_KINDS];
};

static const struct words micro = {
    "kernel dur us",
    "device %u busy us (union of kernels)",
    "kernel span us",
    "launch->kernel start latency us",
    "top kernels by time us",
    "bytes by kind",
    "operations by kind",
    "us by kind",
    1e3,
    {"kernel", "h2d", "d2h", "d2d", "p2p", "memset", "comm", "launch", "sync", "cpu"}};
static const struct words nano = {
    "kernel ns",
    "device %u busy ns (union of kernels)",
    "span ns",
    "launch->kernel start latency ns",
    "top kernels by time",
    "memcpy bytes by copyKind",
    "memcpy count by copyKind",
    "memcpy ns by copyKind",
    1,
    {"kernel", "1", "2", "8", "10", "memset", "comm", "launch", "sync", "cpu"}};

static uint64_t cover(struct cover *c, uint64_t from, uint64_t to)
{
    uint64_t idle = from > c->until ? from - c->until : 0;
    uint64_t begin = from > c->until ? from : c->until;
    if (to > begin)
        c->busy += to - begin;
    if (to > c->until)
        c->until = to;
    return idle;
}

static struct device *device_of(struct ops *s, uint32_t id)
{
    for (size_t i = 0; i < s->devices; i++)
        if (s->device[i].id == id)
            return &s->device[i];
    if (s->devices == s->device_cap) {
        size_t cap = s->device_cap ? 2 * s->device_cap : 8;
        struct device *more = realloc(s->device, cap * sizeof *more);
        if (!more)
            return NULL;
        s->device = more;
        s->device_cap = cap;
    }
    s->device[s->devices] = (struct device){.id = id};
    return &s->device[s->devices++];
}

static struct by_name *name_of(struct ops *s, uint32_t id)
{
    if (id >= s->names) {
        size_t cap = (size_t)id + id / 2 + 64;
        struct by_name *more = realloc(s->name, cap * sizeof *more);
        if (!more)
            return NULL;
        memset(more + s->names, 0, (cap - s->names) * sizeof *more);
        s->name = more;
        s->names = cap;
    }
    return &s->name[id];
}

static uint64_t launch_id(const struct trace_op *op)
{
    return op->correlation * 4099 + op->tenant;
}

static const struct launch *launch_of(const struct ops *s, const struct trace_op *op)
{
    uint64_t id = launch_id(op);
    const struct launch *l = op->correlation ? &s->launch[id % LAUNCHES] : NULL;
    return l && l->id == id ? l : NULL;
}

static void add_gap(struct ops *s, struct device *d, const struct launch *l, uint64_t at,
                    uint64_t idle)
{
    uint64_t from = at - idle;
    uint64_t host = !l || l->end_ns < from ? 0 : l->end_ns < at ? l->end_ns - from : idle;
    d->gaps++;
    d->host += host;
    *(l ? &d->launched : &d->unsaid) += idle - host;
    tally_add(&s->gap, idle);
}

static uint64_t stream_key(const struct trace_op *op)
{
    return (uint64_t)op->device << 32 | op->stream;
}

static bool add_kernel(struct ops *s, struct device *d, const struct trace_op *op,
                       const struct launch *l)
{
    uint64_t end = op->time_ns + op->duration_ns;
    if (!s->kernel.n || op->time_ns < s->kernel_first)
        s->kernel_first = op->time_ns;
    if (end > s->kernel_last)
        s->kernel_last = end;
    cover(&d->kernels, op->time_ns, end);
    tally_add(&s->kernel, op->duration_ns);
    tally_add(&s->by_device, op->device);
    tally_add(&s->kernel_streams, stream_key(op));
    s->correlated += l != NULL;
    if (l)
        tally_add(&s->latency, op->time_ns > l->at_ns ? op->time_ns - l->at_ns : 0);
    struct by_name *n = op->name == TRACE_NAME_NONE ? NULL : name_of(s, op->name);
    if (n) {
        n->ns += op->duration_ns;
        n->count++;
    }
    return n || op->name == TRACE_NAME_NONE;
}

static void add_copy(struct ops *s, struct device *d, const struct trace_op *op)
{
    cover(&d->copies, op->time_ns, op->time_ns + op->duration_ns);
    if (op->bytes > MB && op->duration_ns)
        tally_add(&s->speed[op->kind],
                  (uint64_t)((double)op->bytes / (double)op->duration_ns * GB_STEPS + 0.5));
}

static bool add_device_op(struct ops *s, const struct trace_op *op)
{
    struct device *d = device_of(s, op->device);
    if (!d)
        return false;
    const struct launch *l = launch_of(s, op);
    bool fresh = d->all.until == 0;
    uint64_t idle = cover(&d->all, op->time_ns, op->time_ns + op->duration_ns);
    if (idle && !fresh)
        add_gap(s, d, l, op->time_ns, idle);
    d->sum += op->duration_ns;
    tally_add(&s->streams, stream_key(op));
    if (op->kind == TRACE_OP_KERNEL || op->kind == TRACE_OP_COMM)
        return add_kernel(s, d, op, l);
    if (op->kind != TRACE_OP_MEMSET)
        add_copy(s, d, op);
    return true;
}

static void add_host_op(struct ops *s, const struct trace_op *op)
{
    tally_add(&s->threads, (uint64_t)op->tenant << 32 | op->stream);
    if (op->kind == TRACE_OP_LAUNCH && op->correlation)
        s->launch[launch_id(op) % LAUNCHES] =
            (struct launch){launch_id(op), op->time_ns, op->time_ns + op->duration_ns};
}

static int ops_row(void *state, const union trace_row *row, struct err *e)
{
    struct ops *s = state;
    const struct trace_op *op = &row->op;
    uint64_t end = op->time_ns + op->duration_ns;
    bool ok = s->launch || (s->launch = calloc(LAUNCHES, sizeof *s->launch));
    if (!s->rows++)
        s->first_ns = op->time_ns;
    if (end > s->last_ns)
        s->last_ns = end;
    s->count[op->kind]++;
    s->ns[op->kind] += op->duration_ns;
    s->bytes[op->kind] += op->bytes;
    if (ok && trace_op_on_device(op))
        ok = add_device_op(s, op);
    else if (ok)
        add_host_op(s, op);
    return ok ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

static void put_kinds(struct facts *f, const struct ops *s, const struct words *w)
{
    for (int i = 0; i < TRACE_OP_KINDS; i++)
        if (s->count[i])
            facts_integer(f, w->count, w->kind[i], s->count[i]);
    for (int i = 0; i < TRACE_OP_KINDS; i++)
        if (s->count[i])
            facts_number(f, w->time, w->kind[i], (double)s->ns[i] / w->ns);
    for (int i = 0; i < TRACE_OP_KINDS; i++)
        if (s->bytes[i])
            facts_integer(f, w->bytes, w->kind[i], s->bytes[i]);
}

/* Names of templates differ at their ends: those are kept, and the middle goes. */
static void label(char to[128], const char *name)
{
    size_t n = strlen(name);
    if (n > 5 && !memcmp(name, "void ", 5)) {
        name += 5;
        n -= 5;
    }
    if (n < 124)
        snprintf(to, 128, "%s", name);
    else
        snprintf(to, 128, "%.80s..%s", name, name + n - 40);
}

static void put_top(struct facts *f, struct ops *s, const struct words *w,
                    const struct trace_names *names)
{
    char text[128];
    for (int shown = 0; shown < TOP; shown++) {
        size_t most = 0;
        for (size_t i = 1; i < s->names; i++)
            if (s->name[i].ns > s->name[most].ns)
                most = i;
        if (!s->names || !s->name[most].ns)
            return;
        const char *name = names ? names_text(names, (uint32_t)most) : NULL;
        if (name) {
            label(text, name);
            facts_number(f, w->top, text, (double)s->name[most].ns / w->ns);
            facts_number(f, "top kernels, pct of kernel time", text,
                         100 * (double)s->name[most].ns /
                             (double)(s->ns[TRACE_OP_KERNEL] + s->ns[TRACE_OP_COMM]));
        }
        s->name[most].ns = 0;
    }
}

static void put_device(struct facts *f, const struct device *d, const struct words *w)
{
    char group[64];
    snprintf(group, sizeof group, w->busy, d->id);
    facts_number(f, "", group, (double)d->kernels.busy / w->ns);
    snprintf(group, sizeof group, "device %u us", d->id);
    facts_number(f, group, "sum of operations", (double)d->sum / 1e3);
    facts_number(f, group, "busy (union)", (double)d->all.busy / 1e3);
    facts_number(f, group, "overlapped", (double)(d->sum - d->all.busy) / 1e3);
    facts_number(f, group, "copies (union)", (double)d->copies.busy / 1e3);
    facts_integer(f, group, "gaps", d->gaps);
    facts_number(f, group, "idle: nothing launched", (double)d->host / 1e3);
    facts_number(f, group, "idle: launched, not begun", (double)d->launched / 1e3);
    if (d->unsaid)
        facts_number(f, group, "idle: launch not said", (double)d->unsaid / 1e3);
}

static void put_speeds(struct facts *f, struct ops *s)
{
    static const char *const way[] = {[TRACE_OP_H2D] = "HtoD",
                                      [TRACE_OP_D2H] = "DtoH",
                                      [TRACE_OP_D2D] = "DtoD",
                                      [TRACE_OP_P2P] = "PtoP"};
    char group[64];
    for (int i = TRACE_OP_H2D; i <= TRACE_OP_P2P; i++) {
        snprintf(group, sizeof group, "%s GB/s per copy (bytes/ns), copies >1MB", way[i]);
        if (s->speed[i].n)
            facts_summary(f, group, &s->speed[i], GB_STEPS, false);
    }
}

static void put_totals(struct facts *f, struct ops *s, const struct words *w)
{
    uint64_t copies = 0;
    for (int i = TRACE_OP_H2D; i <= TRACE_OP_P2P; i++)
        copies += s->count[i];
    tally_settle(&s->kernel_streams);
    tally_settle(&s->streams);
    tally_settle(&s->threads);
    facts_number(f, "", "span_s", (double)(s->last_ns - s->first_ns) / 1e9);
    facts_integer(f, "", "kernels", s->kernel.n);
    facts_integer(f, "", "memcpy", copies);
    facts_integer(f, "", "correlated launches", s->correlated);
    facts_integer(f, "", "streams", s->kernel_streams.pairs);
    facts_integer(f, "", "streams, copies' too", s->streams.pairs);
    facts_integer(f, "", "host threads", s->threads.pairs);
    if (s->kernel.n)
        facts_number(f, "", w->span, (double)(s->kernel_last - s->kernel_first) / w->ns);
}

static void ops_end(void *state, const struct import_format *format,
                    const struct trace_names *names, struct facts *f)
{
    struct ops *s = state;
    const struct words *w = format && !strcmp(format->name, "nsys") ? &nano : &micro;
    put_totals(f, s, w);
    for (size_t i = 0; i < s->devices; i++)
        put_device(f, &s->device[i], w);
    facts_counts(f, "kernels by device", &s->by_device, NULL);
    put_kinds(f, s, w);
    facts_summary(f, w->kernel, &s->kernel, w->ns, false);
    if (s->latency.n)
        facts_summary(f, w->latency, &s->latency, w->ns, false);
    if (s->gap.n)
        facts_summary(f, "idle gaps us", &s->gap, 1e3, false);
    put_speeds(f, s);
    put_top(f, s, w, names);
}

static void ops_done(void *state)
{
    struct ops *s = state;
    struct tally *t[] = {&s->kernel,  &s->by_device, &s->kernel_streams, &s->streams, &s->threads,
                         &s->latency, &s->gap};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        tally_free(t[i]);
    for (int i = 0; i < TRACE_OP_KINDS; i++)
        tally_free(&s->speed[i]);
    free(s->device);
    free(s->launch);
    free(s->name);
}

const struct gather_ops gather_timeline = {sizeof(struct ops), ops_row, ops_end, ops_done};
