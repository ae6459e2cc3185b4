/* flight.c - operations that leave the thread: a path leg by leg, to the disk and back. */
#include <stdlib.h>

#include "models/host/host_state.h"

static void fly(struct thread *th);

static bool on_seat(const struct thread *th)
{
    return th->seat && th->seat->cur == th;
}

static void leg_over(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_io);
    fly(th);
}

/* The thread's side goes on without it. */
static void leave(struct thread *th)
{
    if (on_seat(th))
        seat_leave(th);
}

static void to_worker(struct thread *th, const struct leg *leg)
{
    for (int c = 0; c < LEDGER_N; c++)
        th->job.bill.ns[c] = carry_ns(&th->carry[c], leg->ps[c]);
    th->job.done = leg_over;
    th->job.ctx = th;
    thread_book(th);
    th->doing = DOING_WORKER;
    hand_submit(&th->vm->hand, &th->job);
    leave(th);
}

static void over_wire(struct thread *th, const struct leg *leg)
{
    thread_waits(th, leg->ps[LEDGER_gpu] ? LEDGER_gpu : LEDGER_io);
    th->timer = sim_after(th->host->sim, leg_total(leg) / 1000, 0, leg_over, th, 0);
    leave(th);
}

/* Back on a vCPU: the interrupt that brings it there is what it begins with. */
static void own_leg(struct thread *th, const struct leg *leg)
{
    for (int c = 0; c < LEDGER_N; c++)
        th->owed[c] += leg->ps[c];
    if (on_seat(th)) {
        seat_run(th, fly);
        return;
    }
    thread_waits(th, LEDGER_wake);
    seat_ready(th, fly);
}

static void take_path(struct thread *th, enum tenant_path p, thread_fn *landed)
{
    th->legs = thread_path(th, p);
    th->vm->exits[p] += legs_exits(th->legs);
    th->leg = 0;
    th->landed = landed;
    fly(th);
}

/* If it left and no leg brought it back, it is ready now. */
static void back(struct thread *th)
{
    thread_fn *next = th->flown ? th->flown : thread_step;
    th->flown = NULL;
    if (on_seat(th)) {
        next(th);
        return;
    }
    thread_waits(th, LEDGER_wake);
    seat_ready(th, next);
}

void flight_back(struct thread *th, enum tenant_path p)
{
    thread_signal(th);
    take_path(th, p, back);
}

static void disk_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_io);
    flight_back(th, PATH_io_done);
}

static void at_disk(struct thread *th)
{
    const struct op *op = &th->crew->program.op[th->pc - 1];
    thread_waits(th, LEDGER_io);
    disk_submit(th->host->disk, &th->io, op->bytes, op->kind == OP_write, &th->draws, disk_done,
                th);
    leave(th);
}

static void fly(struct thread *th)
{
    if (th->leg == th->legs->n) {
        th->landed(th);
        return;
    }
    const struct leg *leg = &th->legs->leg[th->leg++];
    if (leg->who == LEG_SELF)
        own_leg(th, leg);
    else if (leg->who == LEG_WORKER)
        to_worker(th, leg);
    else
        over_wire(th, leg);
}

void flight_disk(struct thread *th, enum tenant_path p)
{
    take_path(th, p, at_disk);
}

/* ---- without waiting ---------------------------------------------------------------- */

static void posted(struct thread *th)
{
    const struct legs *l = th->legs;
    struct hand_job *job = NULL;
    for (size_t i = 0; i < l->n; i++) {
        if (l->leg[i].who != LEG_WORKER)
            continue;
        if (!job && !(job = calloc(1, sizeof *job))) {
            host_fail(th->host);
            return;
        }
        for (int c = 0; c < LEDGER_N; c++)
            job->bill.ns[c] += l->leg[i].ps[c] * th->round / 1000;
    }
    if (job)
        hand_submit(&th->vm->hand, job);
    thread_step(th);
}

void flight_post(struct thread *th, enum tenant_path p, uint64_t times)
{
    th->legs = thread_path(th, p);
    th->round = times;
    thread_owe(th, p, times);
    seat_run(th, posted);
}
