/* seat.c - vCPUs, or on the metal tasks of their own, and which thread has which.
 *
 * A vCPU without a thread executes HLT: an exit (half its cost on the way out,
 * half when the guest is entered again); meanwhile its task of the host
 * polls for a while (as KVM does, window grown and shrunk as KVM does) and
 * sleeps.  A thread that gets ready takes the vCPU it had if that is idle,
 * else any idle one, else waits in the tenant's own run queue.               */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>

#include "models/host/host_state.h"
#include "sim/spans.h"

static void take(struct seat *s, struct thread *th);

/* ---- beginning ------------------------------------------------------------------ */

static void poll_over(void *ctx, uint64_t unused)
{
    (void)unused;
    struct seat *s = ctx;
    if (s->state != SEAT_POLLS)
        return;
    sim_cancel(s->vm->host->sim, s->poll_end);
    s->polled = sim_now(s->vm->host->sim) - s->halted_at;
    s->state = SEAT_HALTED;
    cpu_task_stop(s->task);
}

/* Gets or loses a CPU.  Who polls gives way to others. */
static void moved(void *ctx, uint64_t on)
{
    struct seat *s = ctx;
    struct sim *sim = s->vm->host->sim;
    if (on) {
        s->on_since = sim_now(sim);
        return;
    }
    const char *what = s->cur ? s->cur->crew->name : s->state == SEAT_POLLS ? "poll" : "halt";
    if (sim_now(sim) > s->on_since)
        spans_slice(sim_spans(sim), s->track, what, s->on_since, sim_now(sim));
    if (s->state == SEAT_POLLS)
        sim_after(sim, 0, 0, poll_over, s, 0);
}

static bool seat_begin(struct seat *s, struct tenant *vm, uint32_t i)
{
    struct host *h = vm->host;
    char name[24];
    const struct cpu_task_spec spec = {.name = vm->name,
                                       .vm = vm->number,
                                       .weight = vm->set->weight,
                                       .gang = vm->number,
                                       .budget_ns = vm->set->budget,
                                       .period_ns = vm->set->period,
                                       .home_node = vm->home_node,
                                       .memory_bound = vm->memory_bound,
                                       .footprint = vm->set->footprint};
    snprintf(name, sizeof name, "%s %u", h->vm ? "vcpu" : "thread", i);
    *s = (struct seat){.vm = vm, .number = i, .state = SEAT_HALTED};
    s->track = spans_track(sim_spans(h->sim), vm->name, name);
    s->poll.rule = &vm->poll;
    s->task = cpu_task_new(h->cpus, &spec);
    if (s->task)
        cpu_task_watch(s->task, moved, s);
    return s->task != NULL;
}

bool seats_begin(struct tenant *vm)
{
    vm->n_seats = vm->host->vm ? vm->set->vcpus : vm->n_threads;
    vm->seat = calloc(vm->n_seats, sizeof *vm->seat);
    bool ok = vm->seat != NULL;
    for (uint32_t i = 0; ok && i < vm->n_seats; i++)
        ok = seat_begin(&vm->seat[i], vm, i);
    list_begin(&vm->ready);
    return ok;
}

/* ---- idle ------------------------------------------------------------------------- */

static void halted(void *ctx, uint64_t unused)
{
    (void)unused;
    struct seat *s = ctx;
    struct sim *sim = s->vm->host->sim;
    if (s->cur) { /* somebody came meanwhile */
        s->state = SEAT_RUNS;
        s->active = true;
        seat_run(s->cur, s->cur->resume);
        s->active = false;
        return;
    }
    s->halted_at = sim_now(sim);
    s->polled = 0;
    const sim_time poll = halt_poll_begin(&s->poll);
    if (!poll) {
        s->state = SEAT_HALTED;
        return;
    }
    s->state = SEAT_POLLS;
    s->poll_end = sim_after(sim, poll, 0, poll_over, s, 0);
    cpu_task_spin(s->task);
}

static void idle(struct seat *s)
{
    struct host *h = s->vm->host;
    if (!h->vm) {
        s->state = SEAT_HALTED;
        if (!s->active)
            cpu_task_stop(s->task);
        return;
    }
    s->state = SEAT_HALTING;
    s->active = false;
    s->vm->halts++;
    s->vm->exits[PATH_halt] += legs_exits(&h->path[PATH_halt]);
    const uint64_t ns = leg_total(&h->path[PATH_halt].leg[0]) / 2000;
    cpu_task_run(s->task, ns ? ns : 1, halted, s, 0);
}

/* ---- threads come and go ------------------------------------------------------------ */

static void take(struct seat *s, struct thread *th)
{
    struct host *h = s->vm->host;
    s->cur = th;
    th->seat = s;
    if (s->state == SEAT_HALTING) {
        thread_waits(th, LEDGER_wake);
        return;
    }
    if (s->state == SEAT_POLLS)
        sim_cancel(h->sim, s->poll_end);
    if (h->vm && s->state != SEAT_RUNS) {
        const sim_time halt = sim_now(h->sim) - s->halted_at;
        const bool slept = s->state == SEAT_HALTED;
        if (s->last) /* it has halted before */
            halt_poll_end(&s->poll, halt, slept ? s->polled : halt, slept);
        th->owed[LEDGER_exit] += leg_total(&h->path[PATH_halt].leg[0]) / 2;
    }
    if (h->vm && s->last && s->last != th)
        th->owed[LEDGER_kernel] += h->cpu_config.context_switch;
    s->last = th;
    th->woke = s->state == SEAT_HALTED;
    s->state = SEAT_RUNS;
    seat_run(th, th->resume);
}

static struct seat *idle_seat(const struct thread *th)
{
    struct tenant *vm = th->vm;
    if (!vm->host->vm)
        return &vm->seat[th->index];
    if (th->seat && !th->seat->cur)
        return th->seat;
    for (uint32_t i = 0; i < vm->n_seats; i++)
        if (!vm->seat[i].cur)
            return &vm->seat[i];
    return NULL;
}

bool seat_idle_for(const struct thread *th)
{
    return idle_seat(th) != NULL;
}

void seat_ready(struct thread *th, thread_fn *then)
{
    struct seat *s = idle_seat(th);
    th->resume = then;
    if (s) {
        take(s, th);
        return;
    }
    thread_waits(th, LEDGER_queue);
    list_push(&th->vm->ready, th);
}

void seat_leave(struct thread *th)
{
    struct seat *s = th->seat;
    assert(s->cur == th);
    struct thread *next = list_pop(&s->vm->ready);
    s->cur = NULL;
    if (next)
        take(s, next);
    else
        idle(s);
}

bool seat_yield(struct thread *th, thread_fn *then)
{
    if (!th->vm->ready.first)
        return false;
    th->resume = then;
    thread_waits(th, LEDGER_queue);
    list_push(&th->vm->ready, th);
    seat_leave(th);
    return true;
}

/* ---- running -------------------------------------------------------------------------- */

static void stretch_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct thread *th = ctx;
    struct seat *s = th->seat;
    thread_waits(th, LEDGER_host); /* books the stretch; nothing is waited for */
    th->woke = false;
    th->vm->delivered += th->signalled;
    th->signalled = false;
    s->active = true;
    th->then(th);
    s->active = false;
}

/* Timer ticks of the tenant's kernel, one for every so much CPU time. */
static void tick(struct seat *s, struct thread *th, uint64_t ns)
{
    const sim_time period = s->vm->tick_ns;
    if (!period)
        return;
    s->ticked += ns;
    thread_owe(th, PATH_tick, s->ticked / period);
    s->ticked %= period;
}

static uint64_t bill_owed(struct thread *th)
{
    uint64_t sum = 0;
    for (int c = 0; c < LEDGER_N; c++) {
        const uint64_t ns = carry_ns(&th->carry[c], th->owed[c]);
        th->bill.ns[c] = ns;
        th->owed[c] = 0;
        sum += ns;
    }
    return sum;
}

void seat_run(struct thread *th, thread_fn *next)
{
    struct seat *s = th->seat;
    assert(s->cur == th && s->state == SEAT_RUNS);
    sim_cost ps = 0;
    for (int c = 0; c < LEDGER_N; c++)
        ps += th->owed[c];
    tick(s, th, ps / 1000);
    thread_book(th);
    uint64_t ns = bill_owed(th);
    if (!ns && s->active) {
        next(th);
        return;
    }
    if (!ns) /* waking up takes some time */
        ns = th->bill.ns[LEDGER_kernel] = 1;
    th->host->os_ns += bill_os(&th->bill);
    th->then = next;
    th->doing = DOING_STRETCH;
    cpu_task_times(s->task, &th->then_times);
    s->active = false;
    cpu_task_run(s->task, ns, stretch_done, th, 0);
}

void seat_spin(struct thread *th)
{
    assert(th->seat->cur == th);
    th->seat->active = false;
    cpu_task_spin(th->seat->task);
}
