/* test_kernel_random.c - small random systems of threads, endpoints, notifications and interrupts:
 * whatever they do, nothing is lost, doubled or taken without a right.
 *
 * A system is a seed and a number of operations per client; one that fails is run again with fewer
 * until the smallest that still fails is known.                                               */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/kernel/ukernel.h"
#include "sim/rng.h"

enum { SERVERS = 4, CLIENTS = 6, NOTES = 3, IRQS = 3, STRETCHES = 200000, MAGIC = 0x5a5a };

struct system;

struct stretch {
    const struct uk_thread *owner;
    sim_time start, used;
};

struct right {
    uint32_t cap, target; /* server's index, or notification's */
    unsigned rights;
    bool note;
};

struct client {
    struct system *s;
    struct uk_thread *t;
    uint32_t id, left, seq; /* seq: messages sent */
    struct right right[4];
    uint32_t n_right, last[SERVERS]; /* last: the latest of its messages at each server */
    uint64_t got;                    /* which of its messages servers have taken */
    struct uk_op op;
    enum uk_status expect;
    bool asked, ended;
};

struct server {
    struct system *s;
    struct uk_thread *t;
    uint32_t id, cap, next_cap; /* next: of the server behind it; 0: last */
    bool listens, passive, owes, forwards, waits_reply;
    uint64_t label;
    uint32_t bound, to_ack, ack[IRQS]; /* its notification, 0: none */
    uint64_t irq_seen[IRQS];
};

struct waiter {
    struct system *s;
    struct uk_thread *t;
    uint32_t id, cap;
    uint64_t seen, irq_seen[IRQS];
    uint32_t ack[IRQS], to_ack;
    sim_time woke;
    bool waits;
};

struct system {
    struct sim *sim;
    struct uk *uk;
    struct rng rng;
    bool mcs;
    uint32_t cores, n_client, n_server, n_note, n_irq;
    uint32_t endpoint[SERVERS], note[NOTES], irq[IRQS];
    struct server server[SERVERS];
    struct client client[CLIENTS];
    struct waiter waiter[NOTES];
    sim_time signalled[NOTES], computed, reserve;
    uint64_t refused, to_raise;
    struct stretch *stretch;
    size_t n_stretch;
    const char *wrong;
};

static void fail(struct system *s, const char *why)
{
    if (!s->wrong)
        s->wrong = why;
}

static uint32_t pick(struct system *s, uint64_t n)
{
    return (uint32_t)rng_below(&s->rng, n);
}

static struct uk_op compute(struct system *s, uint64_t most)
{
    struct uk_op op = {.op = UK_COMPUTE, .ns = 1 + rng_below(&s->rng, most)};
    s->computed += op.ns;
    return op;
}

/* ---- programs ---- */

static enum uk_status expected(const struct client *c, const struct right *r, bool signal,
                               bool grant)
{
    (void)c;
    if (r->note != signal)
        return UK_WRONG_TYPE;
    unsigned want = UK_WRITE | (grant ? (unsigned)UK_GRANT : 0);
    return (r->rights & want) == want ? UK_OK : UK_NO_RIGHT;
}

static void check_last(struct client *c, const struct uk_result *last)
{
    if (!c->asked)
        return;
    if (last->status != c->expect)
        fail(c->s, "an operation ended otherwise than its rights say");
    if ((c->op.op == UK_CALL || c->op.op == UK_FAULT) && !c->expect &&
        last->label != (c->op.label ^ MAGIC))
        fail(c->s, "a reply went to somebody else");
}

static void ask(struct client *c, struct uk_op *next)
{
    struct system *s = c->s;
    uint32_t kind = pick(s, 5);
    bool signal = kind == 3, fault = kind == 4;
    const struct right *r = &c->right[fault ? 0 : pick(s, c->n_right)];
    bool send = kind == 2 && !(s->mcs && !r->note && s->server[r->target].passive);
    *next = (struct uk_op){.op = fault    ? UK_FAULT
                                 : signal ? UK_SIGNAL
                                 : send   ? UK_SEND
                                          : UK_CALL,
                           .cap = r->cap,
                           .words = pick(s, 12),
                           .grant = !signal && !fault && !pick(s, 8)};
    c->expect = expected(c, r, signal, next->grant);
    s->refused += c->expect != UK_OK;
    if (!signal && !c->expect)
        next->label = (uint64_t)(c->id + 1) << 32 | ++c->seq;
    if (signal && !c->expect)
        s->signalled[r->target] = sim_now(s->sim);
    c->asked = true;
}

static void client(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct client *c = ctx;
    (void)t;
    check_last(c, last);
    c->asked = false;
    if (!c->left--) {
        c->ended = true;
        return;
    }
    if (pick(c->s, 3) == 0)
        *next = compute(c->s, 20000);
    else if (pick(c->s, 10) == 0)
        *next = (struct uk_op){.op = UK_NULL};
    else
        ask(c, next);
    c->op = *next;
}

/* Each message of a client is taken once, and by each server in the order of sending. */
static void taken(struct server *v, uint64_t label)
{
    struct system *s = v->s;
    uint32_t id = (uint32_t)(label >> 32) - 1, seq = (uint32_t)label;
    if (id >= s->n_client || !seq || seq > s->client[id].seq || seq >= 64) {
        fail(s, "a message that nobody sent");
        return;
    }
    struct client *c = &s->client[id];
    if (c->got >> seq & 1)
        fail(s, "a message arrived twice");
    if (seq < c->last[v->id])
        fail(s, "messages overtook each other");
    c->last[v->id] = seq;
    c->got |= UINT64_C(1) << seq;
}

/* A bound server also hears of interrupts while it waits for messages. */
static bool handle_irqs(struct server *v, const struct uk_result *last, struct uk_op *next)
{
    struct system *s = v->s;
    if (last->signal) {
        if (v->owes || v->waits_reply || !v->bound)
            fail(s, "a signal came where none is waited for");
        v->to_ack = (uint32_t)(last->badge >> 32);
        for (uint32_t i = 0; i < s->n_irq; i++)
            v->irq_seen[i] += v->to_ack >> i & 1;
        v->listens = true;
    }
    for (uint32_t i = 0; i < s->n_irq; i++)
        if (v->to_ack >> i & 1) {
            v->to_ack &= ~(1u << i);
            *next = (struct uk_op){.op = UK_ACK, .cap = v->ack[i]};
            return true;
        }
    if (!v->listens)
        return false;
    v->listens = false;
    *next = (struct uk_op){.op = UK_RECV, .cap = v->cap};
    return true;
}

static void server(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct server *v = ctx;
    struct system *s = v->s;
    (void)t;
    if (handle_irqs(v, last, next))
        return;
    if (v->waits_reply && last->label != (v->label ^ MAGIC))
        fail(s, "a server behind a server answered somebody else");
    if (!v->owes) {
        v->owes = true;
        v->label = last->label;
        if (last->badge)
            taken(v, v->label);
        v->forwards = v->next_cap && !pick(s, 3);
        if (pick(s, 2)) {
            *next = compute(s, 15000);
            return;
        }
    }
    v->waits_reply = v->forwards;
    if (v->forwards) {
        v->forwards = false;
        *next = (struct uk_op){
            .op = UK_CALL, .cap = v->next_cap, .label = v->label, .words = pick(s, 6)};
        return;
    }
    v->owes = false;
    *next = (struct uk_op){
        .op = UK_REPLY_RECV, .cap = v->cap, .label = v->label ^ MAGIC, .words = pick(s, 6)};
}

static void waiter(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct waiter *w = ctx;
    struct system *s = w->s;
    (void)t;
    if (w->waits && !(last->signal && last->badge))
        fail(s, "woken without a signal");
    w->waits = false;
    if (last->signal) {
        w->woke = sim_now(s->sim);
        w->seen |= last->badge;
        w->to_ack = (uint32_t)(last->badge >> 32);
        for (uint32_t i = 0; i < s->n_irq; i++)
            w->irq_seen[i] += last->badge >> 32 >> i & 1;
    }
    for (uint32_t i = 0; i < s->n_irq; i++)
        if (w->to_ack >> i & 1) {
            w->to_ack &= ~(1u << i);
            *next = (struct uk_op){.op = UK_ACK, .cap = w->ack[i]};
            return;
        }
    w->waits = true;
    *next = (struct uk_op){.op = UK_RECV, .cap = w->cap};
}

static void device(void *ctx, uint64_t i)
{
    struct system *s = ctx;
    if (!s->to_raise)
        return;
    s->to_raise--;
    uk_irq_raise(s->uk, s->irq[i], NULL);
    sim_after(s->sim, 1 + rng_below(&s->rng, 60000), 0, device, s, i);
}

/* ---- building ---- */

static struct uk_spec spec_of(struct system *s, uk_program *program, void *ctx, bool passive)
{
    struct uk_spec spec = {.core = pick(s, s->cores),
                           .prio = 1 + pick(s, 6),
                           .space = 1 + pick(s, 4),
                           .fpu = pick(s, 2),
                           .fpu_writes = pick(s, 2),
                           .constant = pick(s, 2),
                           .program = program,
                           .ctx = ctx};
    if (!passive) {
        spec.budget = 2 * s->reserve + rng_below(&s->rng, 100000);
        spec.period = spec.budget + rng_below(&s->rng, 400000);
    }
    return spec;
}

static void build_servers(struct system *s)
{
    for (uint32_t i = 0; i < s->n_server; i++) {
        struct server *v = &s->server[i];
        *v = (struct server){.s = s, .id = i, .passive = pick(s, 2)};
        struct uk_spec spec = spec_of(s, server, v, v->passive);
        v->t = uk_thread_new(s->uk, &spec);
        s->endpoint[i] = uk_endpoint(s->uk);
        v->cap = uk_cap(v->t, s->endpoint[i], UK_READ, 0);
        if (!v->passive && pick(s, 2)) {
            v->bound = uk_notification(s->uk);
            uk_bind(v->t, v->bound);
        }
        uk_start_receiving(v->t, v->cap);
    }
    for (uint32_t i = 0; i + 1 < s->n_server; i++)
        s->server[i].next_cap = uk_cap(s->server[i].t, s->endpoint[i + 1], UK_WRITE, 0);
}

static void build_waiters(struct system *s)
{
    for (uint32_t i = 0; i < s->n_note; i++) {
        struct waiter *w = &s->waiter[i];
        *w = (struct waiter){.s = s, .id = i};
        struct uk_spec spec = spec_of(s, waiter, w, false);
        w->t = uk_thread_new(s->uk, &spec);
        s->note[i] = uk_notification(s->uk);
        w->cap = uk_cap(w->t, s->note[i], UK_READ, 0);
    }
    for (uint32_t i = 0; i < s->n_irq; i++) {
        struct waiter *w = &s->waiter[pick(s, s->n_note)];
        struct server *v = &s->server[pick(s, s->n_server)];
        uint32_t note = v->bound ? v->bound : s->note[w->id];
        s->irq[i] = uk_irq(s->uk, pick(s, s->cores), note, UINT64_C(1) << (32 + i));
        *(v->bound ? &v->ack[i] : &w->ack[i]) =
            uk_cap(v->bound ? v->t : w->t, s->irq[i], UK_WRITE, 0);
        sim_after(s->sim, pick(s, 50000), 0, device, s, i);
    }
    for (uint32_t i = 0; i < s->n_note; i++)
        uk_start_receiving(s->waiter[i].t, s->waiter[i].cap);
}

static void build_clients(struct system *s, uint32_t ops)
{
    for (uint32_t i = 0; i < s->n_client; i++) {
        struct client *c = &s->client[i];
        *c = (struct client){.s = s, .id = i, .left = ops, .n_right = 4};
        struct uk_spec spec = spec_of(s, client, c, false);
        spec.fault_handler = 1; /* right[0], where it has one */
        c->t = uk_thread_new(s->uk, &spec);
        for (uint32_t k = 0; k < c->n_right; k++) {
            struct right *r = &c->right[k];
            r->note = k == 3;
            r->target = pick(s, r->note ? s->n_note : s->n_server);
            r->rights = 1 + pick(s, 7);
            r->cap = uk_cap(c->t, r->note ? s->note[r->target] : s->endpoint[r->target], r->rights,
                            UINT64_C(1) << i);
        }
        uk_start(c->t);
    }
}

static void charged(void *ctx, const struct uk_thread *owner, sim_time start, sim_time used)
{
    struct system *s = ctx;
    if (s->n_stretch < STRETCHES)
        s->stretch[s->n_stretch++] = (struct stretch){owner, start, used};
}

/* ---- what must hold ---- */

static int by_owner(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* The most that one owner ran within any window of its period; windows that begin a stretch or
 * end one are enough. */
static void check_budget(struct system *s, const struct uk_spec *spec, const struct uk_thread *t)
{
    const struct stretch *b = s->stretch;
    while (b < s->stretch + s->n_stretch && b->owner != t)
        b++;
    sim_time most = spec->constant ? 2 * spec->budget : spec->budget;
    for (; b < s->stretch + s->n_stretch && b->owner == t; b++) {
        sim_time end = b->start + spec->period, sum = 0;
        for (const struct stretch *x = b;
             x < s->stretch + s->n_stretch && x->owner == t && x->start < end; x++) {
            sim_time over = x->start + x->used > end ? x->start + x->used - end : 0;
            sum += x->used - over;
            if (x > b && x->start < (x - 1)->start + (x - 1)->used)
                fail(s, "one scheduling context was charged twice for the same time");
        }
        if (sum > most)
            fail(s, "a budget was exceeded within a period");
    }
}

static void check_budgets(struct system *s, const struct uk_spec *all, struct uk_thread **thread,
                          size_t n)
{
    qsort(s->stretch, s->n_stretch, sizeof *s->stretch, by_owner);
    for (size_t i = 0; i < n; i++)
        if (all[i].budget)
            check_budget(s, &all[i], thread[i]);
}

static void check_end(struct system *s)
{
    const struct uk_stats *st = uk_stats(s->uk);
    struct uk_times times = uk_times(s->uk);
    uint64_t handled = 0;
    if (times.user + times.kernel + times.lock + times.idle != sim_now(s->sim) * s->cores)
        fail(s, "time of the cores does not add up to the wall's");
    if (times.user != s->computed)
        fail(s, "user time is not what programs computed");
    for (uint32_t i = 0; i < s->n_client; i++) {
        if (!s->client[i].ended)
            fail(s, "a client was never woken again");
        if (s->client[i].got != (UINT64_C(2) << s->client[i].seq) - 2)
            fail(s, "a message never arrived");
    }
    for (uint32_t i = 0; i < s->n_note; i++) {
        const struct waiter *w = &s->waiter[i];
        if (s->signalled[i] > w->woke || !uk_thread_blocked(w->t))
            fail(s, "a signal woke nobody");
        for (uint32_t k = 0; k < s->n_irq; k++)
            handled += w->irq_seen[k];
    }
    for (uint32_t i = 0; i < s->n_server; i++)
        for (uint32_t k = 0; k < s->n_irq; k++)
            handled += s->server[i].irq_seen[k];
    if (st->raised != st->delivered || st->delivered != handled)
        fail(s, "an interrupt was not delivered exactly once");
    if (st->refused != s->refused)
        fail(s, "refusals were not counted as they happened");
}

static struct uk_prims prims(void)
{
    struct uk_prims p = {.clock = 1e9, .registers = 4};
    for (int i = 0; i < UK_PRIMS_N; i++)
        p.ps[i] = 20000 + 7313 * (sim_cost)i;
    return p;
}

/* NULL: all well. */
static const char *run_system(uint64_t seed, uint32_t ops)
{
    struct system *s = calloc(1, sizeof *s);
    s->stretch = calloc(STRETCHES, sizeof *s->stretch);
    struct sim_options opt = {.shuffle_ties = seed & 1, .shuffle_seed = seed};
    rng_init_indexed(&s->rng, 11, "test", "kernel", seed);
    s->sim = sim_new(&opt);
    s->mcs = pick(s, 2);
    s->cores = 1 + pick(s, 4);
    s->n_server = 1 + pick(s, SERVERS);
    s->n_client = 1 + pick(s, CLIENTS);
    s->n_note = 1 + pick(s, NOTES);
    s->n_irq = pick(s, IRQS + 1);
    s->to_raise = s->n_irq ? 3 * (uint64_t)ops : 0;
    struct uk_config c = {.prims = prims(), .cores = s->cores, .mcs = s->mcs};
    c.no_fastpath = !pick(s, 4);
    c.slice = pick(s, 2) ? 5000 : 0;
    s->uk = uk_new(s->sim, &c);
    s->reserve = uk_reserve(&c.prims, c.cores);
    uk_watch(s->uk, charged, s);
    build_servers(s);
    build_waiters(s);
    build_clients(s, ops);
    sim_run(s->sim, 3600 * SIM_SEC);
    check_end(s);
    struct uk_spec spec[SERVERS + CLIENTS + NOTES];
    struct uk_thread *thread[SERVERS + CLIENTS + NOTES];
    size_t n = 0;
    for (uint32_t i = 0; i < s->n_server; i++)
        thread[n++] = s->server[i].t;
    for (uint32_t i = 0; i < s->n_client; i++)
        thread[n++] = s->client[i].t;
    for (uint32_t i = 0; i < s->n_note; i++)
        thread[n++] = s->waiter[i].t;
    for (size_t i = 0; i < n; i++)
        spec[i] = *uk_thread_spec(thread[i]);
    if (s->mcs)
        check_budgets(s, spec, thread, n);
    const char *wrong = s->wrong;
    uk_free(s->uk);
    sim_free(s->sim);
    free(s->stretch);
    free(s);
    return wrong;
}

Test(kernel_random, nothing_is_lost_doubled_or_taken, .timeout = 120)
{
    for (uint64_t seed = 0; seed < 240; seed++) {
        const char *wrong = run_system(seed, 40);
        if (!wrong)
            continue;
        uint32_t ops = 1;
        while (ops < 40 && !run_system(seed, ops))
            ops++;
        cr_assert_fail("system %lu fails from %u operations on: %s", (unsigned long)seed, ops,
                       wrong);
    }
}
