/* thread.c - one thread of a tenant: its program, op by op, and its account. */
#include <assert.h>
#include <stdlib.h>

#include "models/host/host_state.h"

bool thread_begin(struct thread *th, struct tenant *vm, const struct crew *crew, uint32_t index,
                  uint32_t in_crew)
{
    *th = (struct thread){.host = vm->host, .vm = vm, .crew = crew, .index = index};
    th->in_crew = in_crew;
    th->account.since = sim_now(vm->host->sim);
    th->waits_for = LEDGER_queue;
    th->walks = vm->walks[crew - vm->work->crew];
    rng_init_indexed(&th->draws, vm->host->env->seed, "host", vm->name, index);
    th->seen = calloc(vm->n_threads, sizeof *th->seen);
    return th->seen != NULL;
}

void thread_end(struct thread *th)
{
    free(th->seen);
    th->seen = NULL;
}

/* ---- the account ------------------------------------------------------------------- */

static void book_stretch(struct thread *th)
{
    struct cpu_task_times t;
    cpu_task_times(th->seat->task, &t);
    const struct cpu_task_times *then = &th->then_times;
    const uint64_t cold = t.cold - then->cold, entered = t.entered - then->entered;
    const struct stretch s = {t.waited - then->waited - cold - entered, cold, entered, th->woke};
    account_stretch(&th->account, sim_now(th->host->sim), &th->bill, &s);
    th->then_times = t;
}

/* What all others of the tenant had done until now. */
static void look_round(struct thread *th)
{
    if (th->cutting) /* two that wait for each other: nobody to blame */
        return;
    th->cutting = true;
    for (uint32_t i = 0; i < th->vm->n_threads; i++) {
        struct thread *other = &th->vm->thread[i];
        if (other != th && other->doing != DOING_ENDED)
            thread_book(other);
        th->seen[i] = other->account;
    }
    th->cutting = false;
}

void thread_book(struct thread *th)
{
    const sim_time now = sim_now(th->host->sim);
    struct stretch s;
    if (th->account.since == now && th->doing != DOING_STRETCH)
        return;
    switch (th->doing) {
    case DOING_STRETCH:
        book_stretch(th);
        break;
    case DOING_WORKER:
        s = hand_stretch(&th->vm->hand, &th->job);
        account_stretch(&th->account, now, &th->job.bill, &s);
        cpu_task_times(th->vm->hand.task, &th->job.then);
        break;
    case DOING_GPU:
        gpu_queue_book(th->gpu, &th->account, now);
        break;
    case DOING_MEETS:
        account_to(&th->account, now, LEDGER_queue);
        look_round(th);
        break;
    case DOING_WAITS:
    case DOING_ENDED:
        account_to(&th->account, now, th->waits_for);
    }
}

void thread_waits(struct thread *th, enum ledger_category c)
{
    thread_book(th);
    th->doing = DOING_WAITS;
    th->waits_for = c;
}

void thread_meets(struct thread *th)
{
    thread_book(th);
    look_round(th);
    th->doing = DOING_MEETS;
}

/* What it waited for, `other` has just done: the time went where other's went. */
void thread_met(struct thread *th, struct thread *other)
{
    const sim_time now = sim_now(th->host->sim);
    thread_book(other);
    if (th->account.since < now)
        account_as(&th->account, now, &other->account, &th->seen[other->index], LEDGER_queue);
    th->doing = DOING_WAITS;
    th->waits_for = LEDGER_wake;
}

/* ---- CPU work ---------------------------------------------------------------------- */

const struct legs *thread_path(const struct thread *th, enum tenant_path p)
{
    return th->vm->set->disk_passed ? &th->host->passed[p] : &th->host->path[p];
}

void thread_owe(struct thread *th, enum tenant_path p, uint64_t times)
{
    const struct legs *l = thread_path(th, p);
    legs_self(l, th->owed, times);
    th->vm->exits[p] += legs_exits(l) * times;
}

void thread_signal(struct thread *th)
{
    assert(!th->signalled);
    th->signalled = true;
    th->vm->raised++;
}

sim_time thread_draw(struct thread *th, sim_time ns)
{
    const double j = th->vm->work->jitter;
    if (j == 0)
        return ns;
    return (sim_time)((double)ns * (1 + j * (2 * rng_unit(&th->draws) - 1)) + 0.5);
}

static void compute_more(struct thread *th);

static void compute_piece(struct thread *th)
{
    const bool shared = th->host->vm && th->vm->n_threads > th->vm->n_seats;
    const uint64_t ns =
        shared && th->work_left > th->host->guest_slice ? th->host->guest_slice : th->work_left;
    th->work_left -= ns;
    th->owed[LEDGER_compute] += ns * 1000;
    th->owed[LEDGER_walk] += (sim_cost)((double)ns * 1000 * th->walks[th->pc - 1]);
    seat_run(th, compute_more);
}

static void compute_more(struct thread *th)
{
    if (!th->work_left)
        thread_step(th);
    else if (!seat_yield(th, compute_piece))
        compute_piece(th);
}

static void per_byte(struct thread *th, enum ledger_category c, double ps_per_byte, uint64_t bytes)
{
    th->owed[c] += (sim_cost)(ps_per_byte * (double)bytes + 0.5);
}

static void touch(struct thread *th, uint64_t bytes)
{
    const uint64_t page = th->vm->set->large_pages ? UINT64_C(2) << 20 : 4096;
    thread_owe(th, PATH_page_fault, (bytes + page - 1) / page);
    per_byte(th, LEDGER_kernel, th->host->memory.clear_ps_per_byte, bytes);
    seat_run(th, thread_step);
}

/* ---- sleeping, operations, loops ------------------------------------------------------ */

static void slept(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    thread_waits(th, LEDGER_queue);
    flight_back(th, PATH_ipi_taken);
}

static void sleeps(struct thread *th)
{
    const struct op *op = &th->crew->program.op[th->pc - 1];
    thread_waits(th, LEDGER_queue);
    th->timer = sim_after(th->host->sim, thread_draw(th, op->ns), 0, slept, th, 0);
    seat_leave(th);
}

static void begin(struct thread *th)
{
    thread_book(th);
    th->began = th->account;
    th->began_at = sim_now(th->host->sim);
}

static void done(struct thread *th)
{
    struct tenant *vm = th->vm;
    thread_book(th);
    if (vm->work->requests) {
        requests_done(th);
        return;
    }
    vm->steps++;
    if (!host_warm(th->host) || th->began_at < th->host->set->warmup)
        return;
    const uint64_t latency = sim_now(th->host->sim) - th->began_at;
    vm->warm_steps++;
    ledger_add(&vm->ledger, &th->began, &th->account, NULL, latency);
    sketch_add(vm->latency, (double)latency / 1e6);
}

static void loop_enter(struct thread *th, const struct op *op)
{
    assert(th->depth < PROGRAM_DEPTH_MAX);
    th->at[th->depth] = (uint32_t)th->pc;
    th->left[th->depth++] = op->count;
}

static void loop_again(struct thread *th)
{
    uint64_t *left = &th->left[th->depth - 1];
    if (*left == 1)
        th->depth--;
    else
        th->pc = th->at[th->depth - 1];
    if (*left > 1)
        --*left;
}

/* ---- one op: true if it took no time --------------------------------------------------- */

static bool instant(struct thread *th, const struct op *op)
{
    switch (op->kind) {
    case OP_begin:
        begin(th);
        return true;
    case OP_done:
        done(th);
        return true;
    case OP_loop:
        loop_enter(th, op);
        return true;
    case OP_end:
        loop_again(th);
        return true;
    default:
        return false;
    }
}

static void start(struct thread *th, const struct op *op)
{
    switch (op->kind) {
    case OP_compute:
        th->work_left = thread_draw(th, op->ns);
        compute_piece(th);
        break;
    case OP_syscall:
        thread_owe(th, PATH_syscall, 1);
        seat_run(th, thread_step);
        break;
    case OP_touch:
        touch(th, op->bytes);
        break;
    case OP_stage:
        gpu_stage(th, op->bytes);
        break;
    case OP_launch:
    case OP_copy:
        gpu_submit(th);
        break;
    case OP_sync:
        gpu_sync(th, op);
        break;
    case OP_sleep:
        thread_owe(th, PATH_timer, 1);
        seat_run(th, sleeps);
        break;
    case OP_read:
    case OP_write:
        flight_disk(th, op->kind == OP_read ? PATH_read : PATH_write);
        break;
    case OP_fetch:
        fetch(th, op);
        break;
    case OP_send:
        flight_post(th, PATH_send, th->vm->work->requests ? th->batched : op->count);
        break;
    default:
        meet_start(th, op);
    }
}

void thread_step(struct thread *th)
{
    const struct program *p = &th->crew->program;
    while (th->pc < p->n) {
        const struct op *op = &p->op[th->pc++];
        if (instant(th, op))
            continue;
        start(th, op);
        return;
    }
    thread_waits(th, LEDGER_queue);
    th->doing = DOING_ENDED;
    if (!th->crew->daemon && !--th->vm->main_left)
        tenant_over(th->vm);
    seat_leave(th);
}
