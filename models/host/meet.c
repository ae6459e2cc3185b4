/* meet.c - where threads of a tenant wait for each other: locks, queues, barriers. */
#include <assert.h>

#include "models/host/host_state.h"

/* ---- lists: each thread is in one at most ------------------------------------------ */

void list_begin(struct thread_list *l)
{
    l->first = NULL;
    l->last = &l->first;
}

void list_push(struct thread_list *l, struct thread *th)
{
    th->next = NULL;
    *l->last = th;
    l->last = &th->next;
}

struct thread *list_pop(struct thread_list *l)
{
    struct thread *th = l->first;
    if (th && !(l->first = th->next))
        l->last = &l->first;
    return th;
}

void meet_begin(struct tenant *vm)
{
    for (int i = 0; i < PROGRAM_IDS; i++) {
        list_begin(&vm->lock[i].waiters);
        list_begin(&vm->queue[i].takers);
        list_begin(&vm->queue[i].putters);
        list_begin(&vm->barrier[i].takers);
    }
    list_begin(&vm->receivers);
}

/* `waker` sends an interrupt if `other` will run on a CPU that sleeps, and pays for it. */
static void wake(struct thread *waker, struct thread *other)
{
    if (seat_idle_for(other)) {
        thread_owe(waker, PATH_ipi, 1);
        thread_owe(other, PATH_ipi_taken, 1);
        thread_signal(other);
    }
    seat_ready(other, thread_step);
}

/* ---- locks ---------------------------------------------------------------------------- */

static void park(struct thread *th)
{
    th->parked = true;
    th->timer = 0;
    seat_leave(th);
}

static void spun_enough(void *ctx, uint64_t unused)
{
    (void)unused;
    park(ctx);
}

/* With the hint a waiter gives its CPU away: at once if the holder has none, else after a while. */
static void lock_take(struct thread *th, struct guest_lock *l)
{
    if (!l->holder) {
        l->holder = th;
        thread_step(th);
        return;
    }
    thread_waits(th, LEDGER_lock);
    list_push(&l->waiters, th);
    th->parked = false;
    th->timer = 0;
    if (th->vm->set->pv_lock && !cpu_task_on_cpu(l->holder->seat->task)) {
        park(th);
        return;
    }
    if (th->vm->set->pv_lock)
        th->timer = sim_after(th->host->sim, th->host->lock_spin, 0, spun_enough, th, 0);
    seat_spin(th);
}

static void lock_release(struct thread *th, struct guest_lock *l)
{
    assert(l->holder == th);
    struct thread *next = list_pop(&l->waiters);
    l->holder = next;
    if (next && next->parked) {
        thread_waits(next, LEDGER_wake);
        wake(th, next);
    } else if (next) {
        sim_cancel(th->host->sim, next->timer);
        thread_waits(next, LEDGER_host);
        seat_run(next, thread_step);
    }
    seat_run(th, thread_step);
}

/* ---- queues and barriers ----------------------------------------------------------------- */

static void wait_in(struct thread *th, struct thread_list *l)
{
    thread_meets(th);
    list_push(l, th);
    seat_leave(th);
}

static void let_go(struct thread *waker, struct thread *other)
{
    thread_met(other, waker);
    wake(waker, other);
}

/* A futex: the system call is paid by who wakes and by who sleeps. */
static void futex(struct thread *th, thread_fn *next)
{
    thread_owe(th, PATH_syscall, 1);
    seat_run(th, next);
}

static const struct op *op_of(const struct thread *th)
{
    return &th->crew->program.op[th->pc - 1];
}

static void put(struct thread *th)
{
    struct meeting *m = &th->vm->queue[op_of(th)->id];
    struct thread *taker = list_pop(&m->takers);
    if (taker) {
        let_go(th, taker);
        seat_run(th, thread_step);
    } else if (m->items < op_of(th)->count) {
        m->items++;
        thread_step(th);
    } else {
        wait_in(th, &m->putters);
    }
}

static void take(struct thread *th)
{
    struct meeting *m = &th->vm->queue[op_of(th)->id];
    struct thread *putter = m->items ? list_pop(&m->putters) : NULL;
    if (!m->items) {
        wait_in(th, &m->takers);
        return;
    }
    if (putter) /* its item takes the place */
        let_go(th, putter);
    else
        m->items--;
    seat_run(th, thread_step);
}

static void barrier(struct thread *th)
{
    struct meeting *m = &th->vm->barrier[op_of(th)->id];
    if (m->items + 1 < op_of(th)->count) {
        m->items++;
        wait_in(th, &m->takers);
        return;
    }
    m->items = 0;
    for (struct thread *other; (other = list_pop(&m->takers));)
        let_go(th, other);
    seat_run(th, thread_step);
}

void meet_start(struct thread *th, const struct op *op)
{
    switch (op->kind) {
    case OP_lock:
        lock_take(th, &th->vm->lock[op->id]);
        break;
    case OP_unlock:
        lock_release(th, &th->vm->lock[op->id]);
        break;
    case OP_put:
        futex(th, put);
        break;
    case OP_take:
        futex(th, take);
        break;
    case OP_barrier:
        futex(th, barrier);
        break;
    default:
        assert(op->kind == OP_receive);
        request_receive(th);
    }
}
