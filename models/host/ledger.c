#include "models/host/ledger.h"

#include <assert.h>
#include <stdio.h>

static const char *const names[] = {
#define X(name, what) #name,
    LEDGER_CATEGORIES(X)
#undef X
};

const char *ledger_name(enum ledger_category c)
{
    assert(c < LEDGER_N);
    return names[c];
}

uint64_t bill_total(const struct bill *b)
{
    uint64_t sum = 0;
    for (int c = 0; c < LEDGER_N; c++)
        sum += b->ns[c];
    return sum;
}

uint64_t bill_os(const struct bill *b)
{
    return b->ns[LEDGER_kernel] + b->ns[LEDGER_ipc] + b->ns[LEDGER_exit] + b->ns[LEDGER_wake] +
           b->ns[LEDGER_host];
}

void account_to(struct account *a, sim_time now, enum ledger_category c)
{
    assert(now >= a->since);
    a->ns[c] += now - a->since;
    a->since = now;
}

/* Books up to `ns` of what is left. */
static void book(struct account *a, uint64_t *left, enum ledger_category c, uint64_t ns)
{
    const uint64_t part = ns < *left ? ns : *left;
    a->ns[c] += part;
    *left -= part;
}

void account_stretch(struct account *a, sim_time now, struct bill *b, const struct stretch *s)
{
    assert(now >= a->since);
    uint64_t left = now - a->since;
    book(a, &left, LEDGER_steal, s->waited);
    book(a, &left, LEDGER_migrate, s->cold);
    book(a, &left, s->woke ? LEDGER_wake : LEDGER_host, s->entered);
    for (int c = 0; c < LEDGER_N; c++) {
        const uint64_t before = left;
        book(a, &left, (enum ledger_category)c, b->ns[c]);
        b->ns[c] -= before - left;
    }
    book(a, &left, LEDGER_host, left);
    a->since = now;
}

void account_as(struct account *a, sim_time now, const struct account *other,
                const struct account *then, enum ledger_category c)
{
    assert(now >= a->since && other->since == now && then->since >= a->since);
    a->ns[c] += then->since - a->since;
    for (int i = 0; i < LEDGER_N; i++)
        a->ns[i] += other->ns[i] - then->ns[i];
    a->since = now;
}

void ledger_add(struct ledger *l, const struct account *then, const struct account *now,
                const struct bill *before, uint64_t latency)
{
    uint64_t sum = 0;
    for (int c = 0; c < LEDGER_N; c++) {
        const uint64_t ns = now->ns[c] - then->ns[c] + (before ? before->ns[c] : 0);
        l->ns[c] += ns;
        sum += ns;
    }
    assert(sum == latency);
    l->total += latency;
    l->operations++;
}

void ledger_merge(struct ledger *into, const struct ledger *from)
{
    for (int c = 0; c < LEDGER_N; c++)
        into->ns[c] += from->ns[c];
    into->total += from->total;
    into->operations += from->operations;
}

void ledger_report(const struct ledger *l, struct measures *out)
{
    char name[32];
    for (int c = 0; c < LEDGER_N; c++) {
        snprintf(name, sizeof name, "share.%s", names[c]);
        measures_number(out, name, "1", BETTER_NONE,
                        l->total ? (double)l->ns[c] / (double)l->total : 0);
    }
}
