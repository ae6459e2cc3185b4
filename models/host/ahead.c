/* ahead.c - batches of input that the OS reads before a thread asks for them.
 *
 * The OS knows what the program will read and in which order, and keeps up to
 * `window` batches in memory, ready or on their way.  All reads of a batch
 * are with the drive at once; what that takes of a CPU (path os_read) is work
 * of the tenant's task on the host.  A thread that wants a batch crosses
 * once: where the OS can map memory for it (path stage), each page is mapped
 * and later taken away; else it is a system call that copies.              */
#include <stdlib.h>

#include "models/host/host_state.h"

static void next(struct tenant *vm);

static void hand_over(struct tenant *vm, struct thread *th)
{
    vm->ahead.ready--;
    thread_waits(th, LEDGER_wake);
    if (seat_idle_for(th)) {
        thread_owe(th, PATH_ipi_taken, 1);
        thread_signal(th);
    }
    seat_ready(th, thread_step);
}

static void batch_there(struct tenant *vm)
{
    struct ahead *a = &vm->ahead;
    a->reading = false;
    a->ready++;
    a->batches++;
    struct thread *th = list_pop(&a->takers);
    if (th)
        hand_over(vm, th);
    next(vm);
}

static void read_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct tenant *vm = ctx;
    if (--vm->ahead.left == 0)
        batch_there(vm);
}

static void at_disk(void *ctx, uint64_t unused)
{
    (void)unused;
    struct tenant *vm = ctx;
    struct ahead *a = &vm->ahead;
    a->left = a->op->count;
    for (uint64_t i = 0; i < a->op->count; i++)
        disk_submit(vm->host->disk, &a->io[i], a->op->bytes, false, &a->draws, read_done, vm);
}

static void submitted(void *ctx, uint64_t unused)
{
    (void)unused;
    struct tenant *vm = ctx;
    sim_after(vm->host->sim, vm->host->os_read_wire / 1000, 0, at_disk, vm, 0);
}

static void next(struct tenant *vm)
{
    struct ahead *a = &vm->ahead;
    if (a->reading || a->ready >= vm->set->window || !vm->main_left)
        return;
    a->reading = true;
    a->most = a->ready + 1 > a->most ? a->ready + 1 : a->most;
    a->job.bill = (struct bill){0};
    a->job.bill.ns[LEDGER_host] = carry_ns(&a->carry, vm->host->os_read * a->op->count);
    vm->exits[PATH_read] += vm->host->os_read_exits * a->op->count;
    a->job.done = submitted;
    a->job.ctx = vm;
    hand_submit(&vm->hand, &a->job);
}

bool ahead_begin(struct tenant *vm)
{
    bool several;
    struct ahead *a = &vm->ahead;
    if (!vm->set->window)
        return true;
    a->op = workload_batch(vm->work, &several);
    a->io = calloc(a->op->count, sizeof *a->io);
    list_begin(&a->takers);
    rng_init_indexed(&a->draws, vm->host->env->seed, "host", "ahead", vm->number);
    return a->io;
}

void ahead_end(struct tenant *vm)
{
    free(vm->ahead.io);
}

void ahead_start(void *ctx, uint64_t unused)
{
    (void)unused;
    next(ctx);
}

static void taken(struct thread *th)
{
    struct tenant *vm = th->vm;
    if (!vm->ahead.ready) {
        vm->ahead.waited++;
        thread_waits(th, LEDGER_io);
        list_push(&vm->ahead.takers, th);
        seat_leave(th);
        return;
    }
    vm->ahead.ready--;
    next(vm);
    thread_step(th);
}

static void take(struct thread *th, uint64_t bytes)
{
    const struct host *h = th->host;
    const uint64_t page = th->vm->set->large_pages ? 2 << 20 : 4096;
    thread_owe(th, PATH_ahead, 1);
    if (h->maps) {
        th->vm->mapped += bytes;
        th->owed[LEDGER_exit] += h->pin * ((bytes + page - 1) / page);
    } else {
        th->vm->gathered += bytes;
        th->owed[LEDGER_copy] += (sim_cost)(h->memory.copy_ps_per_byte * (double)bytes + 0.5);
    }
    seat_run(th, taken);
}

/* ---- or the process reads --------------------------------------------------------- */

static void one_more(struct thread *th)
{
    const struct op *op = &th->crew->program.op[th->pc - 1];
    if (th->round < op->count) {
        th->round++;
        th->flown = one_more;
        flight_disk(th, PATH_read);
        return;
    }
    if (op->count == 1) { /* it lies where it was read to */
        thread_step(th);
        return;
    }
    const uint64_t bytes = op->bytes * op->count;
    th->vm->gathered += bytes;
    th->owed[LEDGER_copy] += (sim_cost)(th->host->memory.copy_ps_per_byte * (double)bytes + 0.5);
    seat_run(th, thread_step);
}

void fetch(struct thread *th, const struct op *op)
{
    th->round = 0;
    if (th->vm->set->window)
        take(th, op->bytes * op->count);
    else
        one_more(th);
}
