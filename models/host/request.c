/* request.c - requests from outside: they arrive whatever the tenant does (an open loop). */
#include <stdlib.h>

#include "models/host/host_state.h"

static void on_its_way(struct request *r);

struct request_block { /* requests are made by the dozen and given back all at once */
    struct request_block *next;
    struct request request[32];
};

static struct request *request_new(struct tenant *vm)
{
    if (!vm->spare) {
        struct request_block *b = calloc(1, sizeof *b);
        if (!b)
            return NULL;
        b->next = vm->blocks;
        vm->blocks = b;
        for (size_t i = 0; i < sizeof b->request / sizeof *b->request; i++) {
            b->request[i].next = vm->spare;
            vm->spare = &b->request[i];
        }
    }
    struct request *r = vm->spare;
    vm->spare = r->next;
    *r = (struct request){.vm = vm};
    return r;
}

static void leg_over(void *ctx, uint64_t wire)
{
    struct request *r = ctx;
    const sim_time now = sim_now(r->vm->host->sim);
    if (wire) {
        account_to(&r->account, now, LEDGER_io);
    } else {
        const struct stretch s = hand_stretch(&r->vm->hand, &r->job);
        account_stretch(&r->account, now, &r->job.bill, &s);
    }
    on_its_way(r);
}

static void received(struct thread *th);

/* Into the tenant's queue; what its own CPU does for it is paid when it is received. */
static void arrived(struct request *r)
{
    struct tenant *vm = r->vm;
    r->next = NULL;
    *vm->last = r;
    vm->last = &r->next;
    struct thread *th = list_pop(&vm->receivers);
    if (!th)
        return;
    thread_waits(th, LEDGER_wake);
    thread_signal(th);
    seat_ready(th, received);
}

static void on_its_way(struct request *r)
{
    struct host *h = r->vm->host;
    const struct legs *l = &h->path[PATH_request_in];
    if (r->leg == l->n || l->leg[r->leg].who == LEG_SELF) {
        arrived(r);
        return;
    }
    const struct leg *leg = &l->leg[r->leg++];
    if (leg->who == LEG_WIRE) {
        sim_after(h->sim, leg_total(leg) / 1000, 0, leg_over, r, 1);
        return;
    }
    for (int c = 0; c < LEDGER_N; c++)
        r->job.bill.ns[c] = leg->ps[c] / 1000;
    r->job.done = leg_over;
    r->job.ctx = r;
    hand_submit(&r->vm->hand, &r->job);
}

static void arrive(void *ctx, uint64_t unused)
{
    (void)unused;
    struct tenant *vm = ctx;
    struct host *h = vm->host;
    const double gap = rng_exponential(&vm->arrivals, 1e9 / vm->work->rate_per_s);
    struct request *r = request_new(vm);
    if (!r) {
        host_fail(h);
        return;
    }
    sim_after(h->sim, (sim_time)(gap + 0.5), 0, arrive, vm, 0);
    r->arrived = r->account.since = sim_now(h->sim);
    vm->arrived++;
    vm->inside++;
    vm->exits[PATH_request_in] += legs_exits(&h->path[PATH_request_in]);
    on_its_way(r);
}

void requests_begin(struct tenant *vm)
{
    vm->last = &vm->first;
    rng_init_indexed(&vm->arrivals, vm->host->env->seed, "host", "arrivals", vm->number);
    arrive(vm, 0);
}

/* The part of the path in that the tenant's CPU does: all its own legs. */
static void owe_own(struct thread *th)
{
    const struct legs *l = &th->host->path[PATH_request_in];
    for (size_t i = 0; i < l->n; i++)
        for (int c = 0; l->leg[i].who == LEG_SELF && c < LEDGER_N; c++)
            th->owed[c] += l->leg[i].ps[c];
}

static void received(struct thread *th)
{
    struct tenant *vm = th->vm;
    const sim_time now = sim_now(th->host->sim);
    const uint64_t most = th->crew->program.op[th->pc - 1].count;
    struct request **end = &th->batch;
    for (th->batched = 0; th->batched < most && vm->first; th->batched++) {
        struct request *r = vm->first;
        if (!(vm->first = r->next))
            vm->last = &vm->first;
        account_to(&r->account, now, LEDGER_queue);
        vm->inside--;
        owe_own(th);
        *end = r;
        end = &r->next;
    }
    *end = NULL;
    thread_book(th);
    th->began = th->account;
    th->began_at = now;
    seat_run(th, thread_step);
}

void request_receive(struct thread *th)
{
    if (th->vm->first) {
        received(th);
        return;
    }
    thread_waits(th, LEDGER_queue);
    list_push(&th->vm->receivers, th);
    seat_leave(th);
}

void requests_done(struct thread *th)
{
    struct tenant *vm = th->vm;
    const sim_time now = sim_now(th->host->sim);
    for (struct request *r; (r = th->batch);) {
        th->batch = r->next;
        vm->replied++;
        vm->steps++;
        if (r->arrived >= th->host->set->warmup) {
            struct bill before;
            for (int c = 0; c < LEDGER_N; c++)
                before.ns[c] = r->account.ns[c];
            vm->warm_steps++;
            ledger_add(&vm->ledger, &th->began, &th->account, &before, now - r->arrived);
            sketch_add(vm->latency, (double)(now - r->arrived) / 1e6);
        }
        r->next = vm->spare;
        vm->spare = r;
    }
}

void requests_free(struct tenant *vm)
{
    for (struct request_block *b; (b = vm->blocks);) {
        vm->blocks = b->next;
        free(b);
    }
}
