/* ledger.h - where the time of an operation went, to the nanosecond.
 *
 * Every thread keeps an account: the time since it began, divided over the
 * categories below.  At any moment a thread is in one state, and the stretch
 * since the last entry is booked when that state ends, so that the sum over
 * the categories is always the time up to `since`.  An operation (a training
 * step, a request) is the difference of two states of one account; what it
 * waited for another thread is booked as what that thread did meanwhile.     */
#ifndef MODELS_HOST_LEDGER_H
#define MODELS_HOST_LEDGER_H

#include <stdbool.h>

#include "sim/measures.h"
#include "sim/time.h"

#define LEDGER_CATEGORIES(X)                                                                       \
    X(compute, "the program's own CPU work")                                                       \
    X(kernel, "system calls, interrupt handlers, driver work of the tenant's kernel")              \
    X(ipc, "messages between servers, or to a daemon")                                             \
    X(exit, "VM exits, and what is done in them")                                                  \
    X(walk, "page walks: what paging adds to memory-bound work")                                   \
    X(wake, "wake-ups and interrupts on their way")                                                \
    X(steal, "runnable, but another task has the CPU")                                             \
    X(lock, "waiting for a lock")                                                                  \
    X(migrate, "cold caches after a move to another CPU")                                          \
    X(copy, "staging copies and transfers to the GPU")                                             \
    X(io, "disks and wires")                                                                       \
    X(gpu, "waiting for kernels on the GPU")                                                       \
    X(queue, "waiting in a queue of the tenant's own")                                             \
    X(host, "other work of the host on the tenant's behalf, switches, shared cores")

enum ledger_category {
#define X(name, what) LEDGER_##name,
    LEDGER_CATEGORIES(X)
#undef X
        LEDGER_N
};
const char *ledger_name(enum ledger_category c);

struct account {
    uint64_t ns[LEDGER_N];
    sim_time since; /* booked up to here */
};

/* CPU work to be done: what it is made of. */
struct bill {
    uint64_t ns[LEDGER_N];
};
uint64_t bill_total(const struct bill *b);
/* Of it, what is not the program's own: kernel, hypervisor, servers. */
uint64_t bill_os(const struct bill *b);

/* All since the last entry was c. */
void account_to(struct account *a, sim_time now, enum ledger_category c);
/* A stretch of CPU work: how long it had no CPU (steal), refilled caches (migrate), was being
 * switched in or woken (host, or wake); what is left of the stretch is the work itself, `b`, whose
 * entries go down by what is booked, and then `host`: a slower core.  Books exactly now - since,
 * whatever the parts say. */
struct stretch {
    uint64_t waited, cold, entered;
    bool woke;
};
void account_stretch(struct account *a, sim_time now, struct bill *b, const struct stretch *s);
/* The stretch since the last entry passed as `other` spent the time from `then` (a copy of its
 * account at or after a->since) to now; what was before `then` is c. */
void account_as(struct account *a, sim_time now, const struct account *other,
                const struct account *then, enum ledger_category c);

/* What a tenant's operations were made of, summed up. */
struct ledger {
    uint64_t ns[LEDGER_N];
    uint64_t operations;
    uint64_t total; /* ns; the sum over the categories, always */
};
/* One operation of `latency` ns that began when the account was `then`, after `queued` ns in a
 * queue.  Asserts that the parts add up. */
void ledger_add(struct ledger *l, const struct account *then, const struct account *now,
                const struct bill *before, uint64_t latency);
void ledger_merge(struct ledger *into, const struct ledger *from);
/* share.<category> for all, their sum is 1 (or all 0 without an operation). */
void ledger_report(const struct ledger *l, struct measures *out);

#endif
