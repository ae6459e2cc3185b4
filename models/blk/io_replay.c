/* io_replay.c - rows of the trace become requests of their home's clients. */
#include <inttypes.h>

#include "models/blk/io_state.h"

static void arrive(void *ctx, uint64_t arg);

int io_pull(struct io *s)
{
    const int rc = s->env->rows->next(s->env->rows, &s->row, s->e);
    if (rc <= 0)
        return rc;
    if (s->row.io.time_ns < sim_now(s->sim))
        return err_set(s->e, ERR_EPARSE, "trace: I/O %" PRIu64 " comes before the one ahead of it",
                       s->n.reads + s->n.writes);
    sim_at(s->sim, s->row.io.time_ns, 0, arrive, s, 0);
    return 1;
}

/* ---- across the stack to the device ---------------------------------------------- */

static void at_device(void *ctx, uint64_t arg)
{
    (void)arg;
    struct io_req *q = ctx;
    io_issue(q->s, q);
}

static void on_wire(void *ctx, uint64_t arg)
{
    struct io_req *q = ctx;
    struct io *s = q->s;
    const struct stack_cost *k = q->write ? &s->write_in : &s->read_in;
    sim_after(s->sim, carry_ns(&s->carry, k->wire_before), 0, at_device, q, arg);
}

void io_cross(struct io *s, struct io_req *q)
{
    const struct stack_cost *k = q->write ? &s->write_in : &s->read_in;
    q->at = 0;
    q->refused = q->complete = false;
    q->tried_at = sim_now(s->sim);
    q->infer_before = q->infer_ns;
    s->n.crossings += k->crossings;
    if (!cores_submit(s->cpu, carry_ns(&s->carry, k->cpu_before), on_wire, q, 0))
        io_fail(s, err_set(s->e, ERR_ENOMEM, "io: out of memory"));
}

/* ---- clients ----------------------------------------------------------------------- */

/* The clock of a request's latency starts here, as the replayer's does: when a thread takes it up.
 */
static void start(struct io *s, struct io_req *q)
{
    s->dev[q->home].clients++;
    q->started = sim_now(s->sim);
    io_cross(s, q);
}

void io_client_free(struct io *s, uint32_t home)
{
    struct io_device *d = &s->dev[home];
    struct io_req *q = d->queue;
    d->clients--;
    if (!q)
        return;
    if (!(d->queue = q->next))
        d->queue_last = &d->queue;
    start(s, q);
}

static void take_up(struct io *s, struct io_req *q)
{
    struct io_device *d = &s->dev[q->home];
    if (!s->c.clients || d->clients < s->c.clients) {
        start(s, q);
        return;
    }
    s->n.queued++;
    q->next = NULL;
    *d->queue_last = q;
    d->queue_last = &q->next;
}

static void arrive(void *ctx, uint64_t arg)
{
    (void)arg;
    struct io *s = ctx;
    const struct trace_io *t = &s->row.io;
    struct io_req *q = io_take(s);
    if (!q)
        return;
    *q = (struct io_req){.s = s, .tenant = t->tenant, .offset = t->offset, .write = t->write != 0};
    q->home = q->device = t->device % s->c.replicas;
    q->bytes = t->bytes ? t->bytes : 512; /* a request without data still takes a sector */
    s->n.reads += !q->write;
    s->n.writes += q->write;
    take_up(s, q);
    const int rc = io_pull(s);
    if (rc < 0)
        io_fail(s, rc);
}
