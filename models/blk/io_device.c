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

static uint32_t pages_of(const struct io_req *q)
{
    return (uint32_t)((q->drive.bytes + IO_PAGE - 1) / IO_PAGE);
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
    s->n.read_bytes += q->drive.bytes;
    s->n.away += q->device != q->home;
    s->n.infer_ns += q->infer_ns;
    s->n.total_ns += now - q->started;
    for (int i = 0; i < SSD_PARTS_N; i++)
        s->n.part[i] += q->drive.part[i];
    sketch_add(s->read_us, (double)(now - q->started) / 1e3);
    sketch_add(s->dev[q->home].home, (double)(now - q->started) / 1e3);
}

static void finished(void *ctx, uint64_t arg)
{
    struct io_req *q = ctx;
    struct io *s = (struct io *)(uintptr_t)arg;
    const sim_time now = sim_now(s->sim);
    if (q->drive.write) {
        s->n.done_writes++;
        s->n.write_bytes += q->drive.bytes;
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
    struct io *s = (struct io *)(uintptr_t)arg;
    sim_after(s->sim, carry_ns(&s->carry, s->back.wire_before), 0, finished, ctx, arg);
}

/* ---- in and out ------------------------------------------------------------------------- */

static void learn(struct io *s, const struct io_req *q, uint64_t ns)
{
    struct io_device *d = &s->dev[q->device];
    const bool slow = (double)ns / 1e3 >= io_slow_us(s, q->device);
    remember(&d->seen, ns / 1000, q->then_pages);
    sketch_add(d->latency, (double)ns / 1e3);
    if (sketch_count(d->latency) % LOOK_EVERY == 0)
        d->slow_us = sketch_quantile(d->latency, IO_SLOW_RANK);
    s->n.passed += q->judged;
    s->n.passed_slow += q->judged && slow;
}

static void completed(void *ctx, uint64_t arg)
{
    struct io *s = ctx;
    struct io_req *q = (struct io_req *)(uintptr_t)arg;
    struct io_device *d = &s->dev[q->device];
    const sim_time now = sim_now(s->sim), ns = now - q->entered;
    d->seen.pending--;
    d->seen.pending_pages -= pages_of(q);
    series_level(d->s_pending, now, (double)d->seen.pending);
    if (!q->drive.write)
        learn(s, q, ns);
    const struct policy_io_done done = {.now_ns = now,
                                        .id = q->id,
                                        .latency_ns = ns,
                                        .bytes = q->drive.bytes,
                                        .device = q->device,
                                        .write = q->drive.write};
    policy_slot_io_done(s->policy, &done);
    s->n.crossings += s->back.crossings;
    if (!cores_submit(s->cpu, carry_ns(&s->carry, s->back.cpu_before), off_wire, q,
                      (uint64_t)(uintptr_t)s))
        io_fail(s, err_set(s->e, ERR_ENOMEM, "io: out of memory"));
}

void io_enter(struct io *s, struct io_req *q)
{
    struct io_device *d = &s->dev[q->device];
    q->entered = sim_now(s->sim);
    d->seen.pending++;
    d->seen.pending_pages += pages_of(q);
    q->then_pages = d->seen.pending_pages;
    series_level(d->s_pending, q->entered, (double)d->seen.pending);
    q->drive.done = completed;
    q->drive.ctx = s;
    q->drive.arg = (uint64_t)(uintptr_t)q;
    ssd_submit(d->ssd, &q->drive);
}
