#include "tests/models/kernel_system.h"

void system_fail(struct system *s, const char *why)
{
    if (!s->wrong)
        s->wrong = why;
}

uint32_t system_pick(struct system *s, uint64_t n)
{
    return (uint32_t)rng_below(&s->rng, n);
}

struct uk_op system_compute(struct system *s, uint64_t most)
{
    struct uk_op op = {.op = UK_COMPUTE, .ns = 1 + rng_below(&s->rng, most)};
    s->computed += op.ns;
    return op;
}

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
        system_fail(c->s, "an operation ended otherwise than its rights say");
    if ((c->op.op == UK_CALL || c->op.op == UK_FAULT) && !c->expect &&
        last->label != (c->op.label ^ MAGIC))
        system_fail(c->s, "a reply went to somebody else");
}

static void ask(struct client *c, struct uk_op *next)
{
    struct system *s = c->s;
    uint32_t kind = system_pick(s, 5);
    bool signal = kind == 3, fault = kind == 4;
    const struct right *r = &c->right[fault ? 0 : system_pick(s, c->n_right)];
    bool send = kind == 2 && !(s->mcs && !r->note && s->server[r->target].passive);
    *next = (struct uk_op){.op = fault    ? UK_FAULT
                                 : signal ? UK_SIGNAL
                                 : send   ? UK_SEND
                                          : UK_CALL,
                           .cap = r->cap,
                           .words = system_pick(s, 12),
                           .grant = !signal && !fault && !system_pick(s, 8)};
    c->expect = expected(c, r, signal, next->grant);
    s->refused += c->expect != UK_OK;
    if (!signal && !c->expect)
        next->label = (uint64_t)(c->id + 1) << 32 | ++c->seq;
    if (signal && !c->expect)
        s->signalled[r->target] = sim_now(s->sim);
    c->asked = true;
}

void system_client(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct client *c = ctx;
    (void)t;
    check_last(c, last);
    c->asked = false;
    if (!c->left--) {
        c->ended = true;
        return;
    }
    if (system_pick(c->s, 3) == 0)
        *next = system_compute(c->s, 20000);
    else if (system_pick(c->s, 10) == 0)
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
        system_fail(s, "a message that nobody sent");
        return;
    }
    struct client *c = &s->client[id];
    if (c->got >> seq & 1)
        system_fail(s, "a message arrived twice");
    if (seq < c->last[v->id])
        system_fail(s, "messages overtook each other");
    c->last[v->id] = seq;
    c->got |= UINT64_C(1) << seq;
}

/* A bound server also hears of interrupts while it waits for messages. */
static bool handle_irqs(struct server *v, const struct uk_result *last, struct uk_op *next)
{
    struct system *s = v->s;
    if (last->signal) {
        if (v->owes || v->waits_reply || !v->bound)
            system_fail(s, "a signal came where none is waited for");
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

void system_server(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct server *v = ctx;
    struct system *s = v->s;
    (void)t;
    if (handle_irqs(v, last, next))
        return;
    if (v->waits_reply && last->label != (v->label ^ MAGIC))
        system_fail(s, "a server behind a server answered somebody else");
    if (!v->owes) {
        v->owes = true;
        v->label = last->label;
        if (last->badge)
            taken(v, v->label);
        v->forwards = v->next_cap && !system_pick(s, 3);
        if (system_pick(s, 2)) {
            *next = system_compute(s, 15000);
            return;
        }
    }
    v->waits_reply = v->forwards;
    if (v->forwards) {
        v->forwards = false;
        *next = (struct uk_op){
            .op = UK_CALL, .cap = v->next_cap, .label = v->label, .words = system_pick(s, 6)};
        return;
    }
    v->owes = false;
    *next = (struct uk_op){
        .op = UK_REPLY_RECV, .cap = v->cap, .label = v->label ^ MAGIC, .words = system_pick(s, 6)};
}

void system_waiter(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct waiter *w = ctx;
    struct system *s = w->s;
    (void)t;
    if (w->waits && !(last->signal && last->badge))
        system_fail(s, "woken without a signal");
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

void system_device(void *ctx, uint64_t i)
{
    struct system *s = ctx;
    if (!s->to_raise)
        return;
    s->to_raise--;
    uk_irq_raise(s->uk, s->irq[i], NULL);
    sim_after(s->sim, 1 + rng_below(&s->rng, 60000), 0, system_device, s, i);
}
