/* thread_gpu.c - what a thread does with its GPU: launches, copies, waiting for them. */
#include <stdio.h>

#include "models/host/host_state.h"
#include "sim/spans.h"

static struct gpu_queue *gpu_of(struct thread *th, const struct op *op)
{
    return &th->vm->gpu[op->id + (th->crew->own_stream ? th->in_crew : 0)];
}

static void launch_next(struct thread *th);

static void show(struct thread *th, struct gpu_queue *q, const struct op *op, sim_time start,
                 sim_time end)
{
    struct spans *sp = sim_spans(th->host->sim);
    char name[24];
    if (!sp)
        return;
    if (!q->tracked) {
        snprintf(name, sizeof name, "gpu %u", (unsigned)(q - th->vm->gpu));
        q->track = spans_track(sp, th->vm->name, name);
        q->tracked = true;
    }
    spans_slice(sp, q->track, op->kind == OP_copy ? "copy" : "kernel", start, end);
}

/* How many commands go with the next crossing. */
static uint64_t batch_of(const struct thread *th, const struct op *op, const struct gpu_queue *q)
{
    const uint64_t left = op->kind == OP_copy ? 1 : op->count - th->round;
    uint64_t most = op->kind == OP_copy ? 1 : th->vm->set->batched;
    most = most > q->depth ? q->depth : most;
    return left < most ? left : most;
}

static void add_to_part(struct thread *th, const struct op *op, sim_time arrives, sim_time ns)
{
    const bool copy = op->kind == OP_copy;
    const struct device_work w = {.kind = copy ? DEVICE_H2D : DEVICE_KERNEL,
                                  .alone = ns * 1000,
                                  .bytes = copy ? op->bytes : 0,
                                  .sms = op->sms};
    if (!gpu_part_add(gpu_of(th, op), th->host->sim, arrives, &w))
        host_fail(th->host);
}

/* Until so many of a part's commands have ended. */
static void wait_for_part(struct thread *th, uint64_t until, sim_time after, sim_fn *then)
{
    th->gpu_until = until;
    th->gpu_after = after;
    th->gpu_then = then;
    th->gpu_next = th->gpu->waits;
    th->gpu->waits = th;
}

void gpu_queue_wake(struct gpu_queue *q)
{
    struct thread **at = &q->waits, *th;
    while ((th = *at))
        if (th->gpu_until <= q->ended) {
            *at = th->gpu_next;
            th->timer = sim_after(q->sim, th->gpu_after, 0, th->gpu_then, th, 0);
        } else {
            at = &th->gpu_next;
        }
}

static void add_one(struct thread *th, const struct op *op, sim_time arrives)
{
    struct host *h = th->host;
    sim_time ns = thread_draw(th, op->ns);
    if (op->kind == OP_copy)
        ns = (sim_time)(h->pcie_ps_per_byte * (double)op->bytes / 1000) + 1;
    if (gpu_of(th, op)->context) {
        add_to_part(th, op, arrives, ns);
        return;
    }
    const sim_time end = gpu_queue_add(gpu_of(th, op), arrives, ns, op->kind == OP_copy);
    if (!end)
        host_fail(h);
    show(th, gpu_of(th, op), op, end - ns, end);
}

static void launched(struct thread *th)
{
    const struct op *op = &th->crew->program.op[th->pc - 1];
    struct host *h = th->host;
    const sim_time arrives =
        sim_now(h->sim) + legs_wire(&h->path[op->kind == OP_copy ? PATH_copy : PATH_launch]) / 1000;
    const uint64_t n = batch_of(th, op, gpu_of(th, op));
    for (uint64_t i = 0; i < n; i++)
        add_one(th, op, arrives);
    th->round += n;
    launch_next(th);
}

static void room_again(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_host);
    seat_run(th, launch_next);
}

static void launch_next(struct thread *th)
{
    const struct op *op = &th->crew->program.op[th->pc - 1];
    struct gpu_queue *q = gpu_of(th, op);
    const enum tenant_path p = op->kind == OP_copy ? PATH_copy : PATH_launch;
    if (th->round == (op->kind == OP_copy ? 1 : op->count)) {
        thread_step(th);
        return;
    }
    const uint64_t n = batch_of(th, op, q);
    const sim_time room = gpu_queue_room(q, n);
    const uint64_t until = q->submitted + n > q->depth ? q->submitted + n - q->depth : 0;
    const bool full = q->context ? until > q->ended : room > sim_now(th->host->sim);
    if (full) { /* the driver spins on the ring */
        thread_book(th);
        th->gpu = q;
        th->doing = DOING_GPU;
        if (q->context)
            wait_for_part(th, until, 0, room_again);
        else
            th->timer = sim_at(th->host->sim, room, 0, room_again, th, 0);
        seat_spin(th);
        return;
    }
    thread_owe(th, p, 1);
    thread_owe(th, PATH_joined, n - 1);
    seat_run(th, launched);
}

/* The process copies into a pinned buffer; or the OS pins what the process has, and lets it go. */
void gpu_stage(struct thread *th, uint64_t bytes)
{
    const struct host *h = th->host;
    const uint64_t page = th->vm->set->large_pages ? 2 << 20 : 4096;
    if (!th->vm->set->pins) {
        th->vm->copied += bytes;
        th->owed[LEDGER_copy] += (sim_cost)(h->memory.copy_ps_per_byte * (double)bytes + 0.5);
    } else {
        th->vm->pinned += bytes;
        thread_owe(th, PATH_stage, 1);
        th->owed[LEDGER_exit] += h->pin * ((bytes + page - 1) / page);
    }
    seat_run(th, thread_step);
}

void gpu_submit(struct thread *th)
{
    th->round = 0;
    launch_next(th);
}

/* Polling: the fence is there, and the thread sees it. */
static void gpu_polled(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_host);
    thread_owe(th, PATH_polled, 1);
    seat_run(th, thread_step);
}

static void gpu_interrupts(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_gpu);
    flight_back(th, PATH_sync_done);
}

/* When all has ended `free` says when; on a GPU of its own also before. */
static bool part_works(const struct gpu_queue *q)
{
    return q->context && q->ended < q->submitted;
}

static void gpu_poll(struct thread *th)
{
    struct host *h = th->host;
    const sim_time wire = legs_wire(&h->path[PATH_polled]) / 1000, end = th->gpu->free + wire;
    if (!part_works(th->gpu) && end <= sim_now(h->sim)) { /* the fence is there already */
        gpu_polled(th, 0);
        return;
    }
    thread_book(th);
    th->doing = DOING_GPU;
    if (part_works(th->gpu))
        wait_for_part(th, th->gpu->submitted, wire, gpu_polled);
    else
        th->timer = sim_at(h->sim, end, 0, gpu_polled, th, 0);
    seat_spin(th);
}

static void gpu_block(struct thread *th)
{
    struct sim *sim = th->host->sim;
    if (!part_works(th->gpu) && th->gpu->free <= sim_now(sim)) {
        gpu_polled(th, 0);
        return;
    }
    thread_book(th);
    th->doing = DOING_GPU;
    if (part_works(th->gpu))
        wait_for_part(th, th->gpu->submitted, 0, gpu_interrupts);
    else
        th->timer = sim_at(sim, th->gpu->free, 0, gpu_interrupts, th, 0);
    seat_leave(th);
}

void gpu_sync(struct thread *th, const struct op *op)
{
    th->gpu = gpu_of(th, op);
    if (op->poll) {
        gpu_poll(th);
        return;
    }
    thread_owe(th, PATH_sync, 1);
    seat_run(th, gpu_block);
}
