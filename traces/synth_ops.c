/* synth_ops.c - one operation after another. */
#include "traces/synth_ops.h"

#include <stdlib.h>

#include "sim/rng.h"

#define NS_PER_US 1000.0

struct pending { /* submitted; not yet given out, or needed to know when the queue has room */
    uint64_t begins, ns, correlation, bytes;
    uint32_t kind, name;
    const struct synth_kernel *kernel; /* NULL: a copy */
    uint32_t n_depends;
    const uint64_t *depends; /* the program's, who keeps them until its next wait */
};

struct lane {             /* a stream */
    struct pending *ring; /* [queue] */
    uint64_t pushed, given;
    uint64_t ends; /* when all that was pushed has ended */
    uint64_t last; /* correlation of the last; 0: none since the last wait */
    uint64_t turn; /* launches false: which of the kernels is next */
};

struct program {
    struct synth_rows rows;
    struct synth_ops p;
    struct synth_kernel *plan;
    uint64_t kernels, queue;
    struct rng jitter;
    struct lane lane[SYNTH_OPS_STREAMS];
    uint64_t host_ns; /* when the thread comes to its next call */
    uint64_t step;    /* of the iteration: copy in, kernels, copy out, wait */
    uint64_t correlation;
    uint64_t launch_ns, latency_ns, host_gap_ns, idle_ns, in_ns, out_ns;
    uint64_t input, input_ends;          /* correlation and end of the copy in; 0: none */
    uint64_t done[SYNTH_OPS_STREAMS];    /* what the copy out waits for */
    uint64_t depends[SYNTH_OPS_STREAMS]; /* what the thread waits for */
};

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t ns_of(double us)
{
    return (uint64_t)(us * NS_PER_US + 0.5);
}

static uint64_t shaken(struct program *s, uint64_t ns)
{
    if (s->p.jitter <= 0)
        return ns;
    double f = 1 + s->p.jitter * (2 * rng_unit(&s->jitter) - 1);
    uint64_t t = (uint64_t)((double)ns * f + 0.5);
    return t ? t : 1;
}

static uint64_t copy_ns(const struct synth_ops *p, uint64_t bytes)
{
    uint64_t ns = bytes ? ns_of(p->copy_us + (double)bytes / (p->copy_gbps * 1e3)) : 0;
    return ns ? ns : 1;
}

static void push_kernel(struct program *s, struct lane *l, uint64_t index, uint64_t begins)
{
    const struct synth_kernel *k = &s->plan[index];
    struct pending *at = &l->ring[l->pushed++ % s->queue];
    *at = (struct pending){.begins = begins,
                           .ns = shaken(s, k->ns),
                           .kind = TRACE_OP_KERNEL,
                           .name = k->cls,
                           .bytes = k->bytes,
                           .kernel = k};
    l->ends = begins + at->ns;
}

static void refill(struct program *s, struct lane *l)
{
    push_kernel(s, l, l->turn, l->ends);
    l->turn = (l->turn + s->p.streams) % s->kernels;
}

static void begin(struct synth_rows *r)
{
    struct program *s = (struct program *)r;
    rng_init(&s->jitter, r->seed, "synth-ops", "jitter");
    s->host_ns = s->step = s->correlation = s->input = 0;
    for (uint32_t i = 0; i < s->p.streams; i++) {
        s->lane[i] = (struct lane){.ring = s->lane[i].ring, .turn = i % s->kernels};
        if (!s->p.launches)
            refill(s, &s->lane[i]);
    }
}

/* The stream whose next row comes first; NULL: none is waiting. */
static struct lane *first_lane(struct program *s)
{
    struct lane *first = NULL;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < s->p.streams; i++) {
        struct lane *l = &s->lane[i];
        if (l->given == l->pushed || l->ring[l->given % s->queue].begins >= least)
            continue;
        first = l;
        least = l->ring[l->given % s->queue].begins;
    }
    return first;
}

static void give(struct program *s, struct lane *l, struct trace_op *out)
{
    const struct pending *at = &l->ring[l->given++ % s->queue];
    *out = (struct trace_op){.time_ns = at->begins,
                             .stream = (uint32_t)(l - s->lane),
                             .kind = at->kind,
                             .name = at->name,
                             .duration_ns = at->ns,
                             .bytes = at->bytes,
                             .correlation = at->correlation,
                             .n_depends = at->n_depends,
                             .depends = at->depends};
    if (!at->kernel)
        return;
    out->grid = at->kernel->grid;
    out->block = at->kernel->block;
    out->registers = at->kernel->registers;
    out->smem = at->kernel->smem;
    out->sms = at->kernel->sms;
    out->bound = at->kernel->bound;
}

/* Steps of an iteration, as numbers that grow by one; copies that are not there are passed over. */
static uint64_t last_step(const struct program *s)
{
    return s->kernels + 2;
}

static void skip_absent(struct program *s)
{
    if (s->step == 0 && !s->p.h2d_bytes)
        s->step++;
    if (s->step == s->kernels + 1 && !s->p.d2h_bytes)
        s->step++;
}

static struct lane *lane_of_step(struct program *s)
{
    bool kernel = s->step >= 1 && s->step <= s->kernels;
    return &s->lane[kernel ? (s->step - 1) % s->p.streams : 0];
}

/* A full queue lets the thread go on when its oldest entry has ended. */
static uint64_t call_time(struct program *s)
{
    if (s->step == last_step(s))
        return s->host_ns;
    const struct lane *l = lane_of_step(s);
    if (l->pushed < s->queue)
        return s->host_ns;
    const struct pending *oldest = &l->ring[l->pushed % s->queue];
    return later(s->host_ns, oldest->begins + oldest->ns);
}

/* The other streams' first kernels wait for the input. */
static void submit_kernel(struct program *s, struct lane *l, uint64_t from)
{
    bool waits = s->input && l != s->lane && !l->last;
    push_kernel(s, l, s->step - 1, later(later(from, l->ends), waits ? s->input_ends : 0));
    if (!waits)
        return;
    struct pending *at = &l->ring[(l->pushed - 1) % s->queue];
    at->n_depends = 1;
    at->depends = &s->input;
}

/* The result is there when all streams are done. */
static void submit_copy(struct program *s, uint64_t from)
{
    struct lane *l = s->lane;
    bool in = s->step == 0;
    uint64_t begins = later(from, l->ends);
    uint32_t n = 0;
    for (uint32_t i = 1; !in && i < s->p.streams; i++) {
        if (!s->lane[i].last)
            continue;
        s->done[n++] = s->lane[i].last;
        begins = later(begins, s->lane[i].ends);
    }
    struct pending *at = &l->ring[l->pushed++ % s->queue];
    *at =
        (struct pending){.begins = begins,
                         .ns = shaken(s, in ? s->in_ns : s->out_ns),
                         .kind = in ? TRACE_OP_H2D : TRACE_OP_D2H,
                         .name = synth_ops_first_name(&s->p) + (in ? SYNTH_OPS_IN : SYNTH_OPS_OUT),
                         .bytes = in ? s->p.h2d_bytes : s->p.d2h_bytes,
                         .n_depends = n,
                         .depends = s->done};
    l->ends = begins + at->ns;
    if (in) {
        s->input = s->correlation + 1;
        s->input_ends = l->ends;
    }
}

static void submit(struct program *s, uint64_t from)
{
    struct lane *l = lane_of_step(s);
    if (s->step >= 1 && s->step <= s->kernels)
        submit_kernel(s, l, from);
    else
        submit_copy(s, from);
    l->ring[(l->pushed - 1) % s->queue].correlation = l->last = ++s->correlation;
}

static void wait_for_all(struct program *s, uint64_t now, struct trace_op *out)
{
    uint64_t ends = now;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->p.streams; i++) {
        struct lane *l = &s->lane[i];
        if (l->last)
            s->depends[n++] = l->last;
        l->last = 0;
        ends = later(ends, l->ends);
    }
    *out = (struct trace_op){.time_ns = now,
                             .device = TRACE_NAME_NONE,
                             .kind = TRACE_OP_SYNC,
                             .name = synth_ops_first_name(&s->p) + SYNTH_OPS_WAIT,
                             .duration_ns = ends - now,
                             .n_depends = n,
                             .depends = s->depends};
    s->host_ns = ends + s->idle_ns;
    s->step = 0;
}

static void call(struct program *s, uint64_t now, struct trace_op *out)
{
    if (s->step == last_step(s)) {
        wait_for_all(s, now, out);
        return;
    }
    submit(s, now + s->launch_ns + s->latency_ns);
    *out = (struct trace_op){.time_ns = now,
                             .device = TRACE_NAME_NONE,
                             .kind = TRACE_OP_LAUNCH,
                             .name = synth_ops_first_name(&s->p) + SYNTH_OPS_LAUNCH,
                             .duration_ns = s->launch_ns,
                             .correlation = s->correlation};
    s->host_ns = now + s->launch_ns + s->host_gap_ns;
    s->step++;
}

static void make(struct synth_rows *r, union trace_row *out)
{
    struct program *s = (struct program *)r;
    struct lane *l = first_lane(s);
    if (!s->p.launches) {
        give(s, l, &out->op);
        refill(s, l);
        return;
    }
    skip_absent(s);
    uint64_t now = call_time(s);
    if (l && l->ring[l->given % s->queue].begins <= now)
        give(s, l, &out->op);
    else
        call(s, now, &out->op);
}

static void end(struct synth_rows *r)
{
    struct program *s = (struct program *)r;
    free(s->lane[0].ring);
    free(s->plan);
    free(s);
}

static void set_times(struct program *s)
{
    s->launch_ns = ns_of(s->p.launch_us);
    s->latency_ns = ns_of(s->p.latency_us);
    s->host_gap_ns = ns_of(s->p.host_us);
    s->idle_ns = ns_of(s->p.idle_us);
    s->in_ns = copy_ns(&s->p, s->p.h2d_bytes);
    s->out_ns = copy_ns(&s->p, s->p.d2h_bytes);
}

int synth_ops_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    const struct synth_ops *p = params;
    struct program *s = calloc(1, sizeof *s);
    struct pending *rings = NULL;
    *out = NULL;
    if (!s || !(rings = calloc((size_t)p->streams * p->queue, sizeof *rings))) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->p = *p;
    s->kernels = synth_ops_kernels(p);
    s->queue = p->launches ? p->queue : 1;
    for (uint32_t i = 0; i < p->streams; i++)
        s->lane[i].ring = rings + (size_t)i * p->queue;
    set_times(s);
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    int rc = synth_ops_plan(&s->plan, p, p->head.seeded ? p->head.seed : seed, e);
    if (rc) {
        end(&s->rows);
        return rc;
    }
    synth_rows_open(&s->rows, TRACE_OPS, &p->head, seed);
    *out = &s->rows.base;
    return 0;
}
