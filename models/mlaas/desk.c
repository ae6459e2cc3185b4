#include "models/mlaas/desk.h"

#include <stdio.h>
#include <stdlib.h>

#define PRIO_TURN (-2) /* after passes over what was just answered */

struct question {
    uint64_t a, b;
    sim_time came;
};

struct desk {
    struct sim *sim;
    struct mlaas_bill *bill;
    struct desk_calls calls;
    struct question *line; /* [cap], a ring: n that wait from `first` on */
    size_t first, n, cap;
    struct question now; /* with .busy: its answer is on the way */
    bool asking, busy;
    bool booked; /* the next turn is */
    struct carry carry;
    uint64_t questions;
    sim_time worked;
    struct sketch *took; /* us */
};

struct desk *desk_new(struct sim *s, struct mlaas_bill *bill, const struct desk_calls *calls)
{
    struct desk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct desk){.sim = s, .bill = bill, .calls = *calls, .took = sketch_new(false)};
    if (d->took)
        return d;
    free(d);
    return NULL;
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    sketch_free(d->took);
    free(d->line);
    free(d);
}

static bool more_room(struct desk *d)
{
    const size_t cap = d->cap ? 2 * d->cap : 64;
    struct question *line = malloc(cap * sizeof *line);
    if (!line)
        return false;
    for (size_t i = 0; i < d->n; i++)
        line[i] = d->line[(d->first + i) % d->cap];
    free(d->line);
    d->line = line;
    d->first = 0;
    d->cap = cap;
    return true;
}

static bool wait(struct desk *d, const struct question *q, bool first)
{
    if (d->n == d->cap && !more_room(d))
        return false;
    if (first)
        d->first = (d->first + d->cap - 1) % d->cap;
    d->line[(d->first + (first ? 0 : d->n)) % d->cap] = *q;
    d->n++;
    return true;
}

static struct question next(struct desk *d)
{
    const struct question q = d->line[d->first];
    d->first = (d->first + 1) % d->cap;
    d->n--;
    return q;
}

static void answer(struct desk *d, const struct question *q)
{
    sketch_add(d->took, (double)(sim_now(d->sim) - q->came) / 1e3);
    d->calls.answered(d->calls.ctx, q->a, q->b);
}

static void thought(void *ctx, uint64_t unused);

static void serve(struct desk *d, const struct question *q)
{
    d->questions++;
    d->asking = true;
    mlaas_bill_begin(d->bill);
    d->calls.ask(d->calls.ctx, q->a, q->b);
    d->asking = false;
    const sim_cost ps = mlaas_bill_end(d->bill);
    if (!ps) {
        answer(d, q);
        return;
    }
    const sim_time ns = carry_ns(&d->carry, ps);
    d->busy = true;
    d->now = *q;
    d->worked += ns;
    sim_after(d->sim, ns, 0, thought, d, 0);
}

static void turn(void *ctx, uint64_t unused);

static void go_on(struct desk *d)
{
    if (d->busy || d->booked || !d->n)
        return;
    d->booked = true;
    sim_after(d->sim, 0, PRIO_TURN, turn, d, 0);
}

static void turn(void *ctx, uint64_t unused)
{
    struct desk *d = ctx;
    (void)unused;
    d->booked = false;
    if (!d->busy && d->n) {
        const struct question q = next(d);
        serve(d, &q);
    }
    go_on(d);
}

static void thought(void *ctx, uint64_t unused)
{
    struct desk *d = ctx;
    const struct question q = d->now;
    (void)unused;
    d->busy = false;
    answer(d, &q);
    go_on(d);
}

static bool put(struct desk *d, uint64_t a, uint64_t b, bool first)
{
    const struct question q = {a, b, sim_now(d->sim)};
    if (d->asking) {
        d->calls.ask(d->calls.ctx, a, b);
        d->calls.answered(d->calls.ctx, a, b);
        return true;
    }
    if (d->busy || (d->n && !first))
        return wait(d, &q, first);
    serve(d, &q);
    return true;
}

bool desk_put(struct desk *d, uint64_t a, uint64_t b)
{
    return put(d, a, b, false);
}

bool desk_put_first(struct desk *d, uint64_t a, uint64_t b)
{
    return put(d, a, b, true);
}

sim_time desk_so_far(const struct desk *d)
{
    return mlaas_bill_end(d->bill) / 1000;
}

void desk_report(const struct desk *d, const char *who, sim_time span_ns, struct measures *out)
{
    const struct {
        const char *what, *unit;
        enum better better;
        double v;
    } each[] = {
        {"questions", "1", BETTER_NONE, (double)d->questions},
        {"util", "1", BETTER_LESS, span_ns ? (double)d->worked / (double)span_ns : 0},
        {"decision_mean", "us", BETTER_LESS, sketch_mean(d->took)},
        {"decision_p99", "us", BETTER_LESS, sketch_quantile(d->took, 0.99)},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each && d->worked; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", who, each[i].what);
        measures_number(out, name, each[i].unit, each[i].better, each[i].v);
    }
}
