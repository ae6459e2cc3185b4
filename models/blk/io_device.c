/* io_device.c - one replica: what is pending on it, and what the last reads took. */
#include <string.h>

#include "models/blk/io_state.h"

#define LOOK_EVERY 256 /* reads of a device between looks at its 90th percentile */

double io_slow_us(struct io *s, uint32_t device)
{
    struct io_device *d = &s->dev[device];
    if (s->c.slow_us > 0)
        return s->c.slow_us;
    return d->slow_us > 0 ? d->slow_us : sketch_quantile(d->latency, IO_SLOW_RANK);
}

static uint32_t pages_of(const struct io_bio *b)
{
    return (uint32_t)((b->drive.bytes + IO_PAGE - 1) / IO_PAGE);
}

static uint32_t at_most_u32(uint64_t v)
{
    return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* The newest read comes first. */
static void remember(struct policy_device *seen, uint64_t latency_us, uint64_t pages)
{
    const size_t rest = (POLICY_IO_HISTORY - 1) * sizeof seen->latency_us[0];
    memmove(seen->latency_us + 1, seen->latency_us, rest);
    memmove(seen->then_pending_pages + 1, seen->then_pending_pages, rest);
    seen->latency_us[0] = at_most_u32(latency_us);
    seen->then_pending_pages[0] = at_most_u32(pages);
}

/* ---- back to the client ------------------------------------------------------------- */

static void count_read(struct io *s, const struct io_req *q, sim_time now)
{
    s->n.done_reads++;
    s->n.read_bytes += q->bytes;
    s->n.away += q->device != q->home;
    s->n.infer_ns += q->infer_seen;
    s->n.retry_ns += q->tried_at - q->started - q->infer_before;
    s->n.total_ns += now - q->started;
    for (int i = 0; i < SSD_PARTS_N; i++)
        s->n.part[i] += q->part[i];
    if (q->ticket.state == TICKET_DONE)
        policy_life_done(s->steer, q->tenant, &q->ticket, now - q->started);
    sketch_add(s->read_us, (double)(now - q->started) / 1e3);
    sketch_add(s->dev[q->home].home, (double)(now - q->started) / 1e3);
}

static void finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct io_req *q = ctx;
    struct io *s = q->s;
    const sim_time now = sim_now(s->sim);
    if (q->write) {
        s->n.done_writes++;
        s->n.write_bytes += q->bytes;
        sketch_add(s->write_us, (double)(now - q->started) / 1e3);
    } else {
        count_read(s, q, now);
    }
    s->n.last_done = now;
    const uint32_t home = q->home;
    io_give(s, q);
    io_client_free(s, home);
}

static void off_wire(void *ctx, uint64_t arg)
{
    struct io *s = ((struct io_req *)ctx)->s;
    sim_after(s->sim, carry_ns(&s->carry, s->back.wire_before), 0, finished, ctx, arg);
}

void io_return(struct io *s, struct io_req *q)
{
    s->n.crossings += s->back.crossings;
    if (!cores_submit(s->cpu, carry_ns(&s->carry, s->back.cpu_before), off_wire, q, 0))
        io_fail(s, err_set(s->e, ERR_ENOMEM, "io: out of memory"));
}

/* ---- in and out ------------------------------------------------------------------------- */

static void learn(struct io *s, const struct io_bio *b, uint64_t ns)
{
    const uint32_t device = b->q->device;
    struct io_device *d = &s->dev[device];
    const bool slow = (double)ns / 1e3 >= io_slow_us(s, device);
    remember(&d->seen, ns / 1000, b->then_pages);
    sketch_add(d->latency, (double)ns / 1e3);
    if (sketch_count(d->latency) % LOOK_EVERY == 0)
        d->slow_us = sketch_quantile(d->latency, IO_SLOW_RANK);
    s->n.passed += b->judged;
    s->n.passed_slow += b->judged && slow;
}

static void completed(void *ctx, uint64_t arg)
{
    (void)arg;
    struct io_bio *b = ctx;
    struct io_req *q = b->q;
    struct io *s = q->s;
    struct io_device *d = &s->dev[q->device];
    const sim_time now = sim_now(s->sim), ns = now - b->entered;
    d->seen.pending--;
    d->seen.pending_pages -= pages_of(b);
    series_level(d->s_pending, now, (double)d->seen.pending);
    if (!q->write)
        learn(s, b, ns);
    const struct policy_io_done done = {.now_ns = now,
                                        .id = b->id,
                                        .latency_ns = ns,
                                        .bytes = b->drive.bytes,
                                        .device = q->device,
                                        .write = q->write,
                                        .then_pending_pages = at_most_u32(b->then_pages)};
    struct policy_slot *now_asked = policy_life_slot(s->steer, q->tenant);
    struct policy_slot *was_asked = policy_life_of(s->steer, q->ticket.version);
    policy_slot_io_done(now_asked, &done);
    if (!q->write && was_asked != now_asked)
        policy_slot_io_done(was_asked, &done);
    policy_life_watch(s->steer, q->tenant);
    q->infer_seen = b->infer_ns;
    memcpy(q->part, b->drive.part, sizeof q->part);
    io_give_bio(s, b);
    if (!--q->out && q->complete)
        io_try_over(s, q);
}

bool io_enter(struct io *s, struct io_req *q, uint64_t at, uint64_t bytes, uint64_t id, bool judged)
{
    struct io_device *d = &s->dev[q->device];
    struct io_bio *b = io_take_bio(s);
    if (!b)
        return false;
    *b = (struct io_bio){
        .q = q, .id = id, .judged = judged, .infer_ns = q->infer_ns, .entered = sim_now(s->sim)};
    b->drive = (struct ssd_io){
        .offset = q->offset + at, .bytes = bytes, .write = q->write, .done = completed, .ctx = b};
    d->seen.pending++;
    d->seen.pending_pages += pages_of(b);
    b->then_pages = d->seen.pending_pages;
    series_level(d->s_pending, b->entered, (double)d->seen.pending);
    q->out++;
    ssd_submit(d->ssd, &b->drive);
    return true;
}
