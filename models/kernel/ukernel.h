/* ukernel.h - a microkernel: threads, endpoints, notifications, capabilities,
 * interrupts and scheduling contexts, on the event engine.
 *
 * A thread is a program: whenever it is in user mode with nothing to do, it
 * is asked for its next operation and told how the last one ended.  The
 * kernel carries it out as seL4 would: by the fast path where its conditions
 * hold, else by the slow one; it blocks and wakes threads, keeps one ready
 * queue per priority and core, and is not interrupted inside (interrupts wait
 * for the way out).  One lock guards it on several cores.  Every step is
 * charged to the core that takes it, from struct uk_prims; user programs cost
 * what their UK_COMPUTE says and nothing else.
 *
 * Conservation, at any time: over all cores, user + kernel + lock + idle =
 * wall x cores (uk_times).  With mcs, no scheduling context is ever charged
 * more than its budget in a period: a thread is taken off its core while what
 * is left still pays for the longest way through the kernel (uk_reserve).
 *
 * Ownership: everything made belongs to the kernel; uk_free ends it.  Out of
 * memory is sim_failed() and a NULL or 0 here.                               */
#ifndef MODELS_KERNEL_UKERNEL_H
#define MODELS_KERNEL_UKERNEL_H

#include <stdbool.h>

#include "models/kernel/uk_prims.h"
#include "models/kernel/sc.h"
#include "sim/sim.h"

struct uk;
struct uk_thread;

enum uk_opcode {
    UK_COMPUTE,    /* ns of user time */
    UK_CALL,       /* cap: endpoint, UK_WRITE; waits for the reply */
    UK_SEND,       /* cap: endpoint, UK_WRITE; waits for a receiver */
    UK_RECV,       /* cap: endpoint or notification, UK_READ */
    UK_REPLY,      /* to whom this thread owes a reply; goes on */
    UK_REPLY_RECV, /* and waits at cap as UK_RECV does */
    UK_SIGNAL,     /* cap: notification, UK_WRITE; never waits */
    UK_ACK,        /* cap: interrupt, UK_WRITE; unmasks it */
    UK_FAULT,      /* touches a page that is not there: a message to the fault handler */
    UK_NULL,       /* enters the kernel and leaves it */
    UK_END
};

enum { UK_WORDS_MAX = 120 };

struct uk_op {
    enum uk_opcode op;
    uint32_t cap;   /* index among the thread's own */
    uint32_t words; /* length of the message */
    bool grant;     /* capabilities go along: UK_GRANT wanted, slow path */
    uint64_t label; /* the message itself */
    sim_time ns;
};

enum uk_status { UK_OK, UK_NO_CAP, UK_NO_RIGHT, UK_WRONG_TYPE, UK_NO_CALLER };

struct uk_result {
    enum uk_status status;
    uint64_t badge; /* of the capability that the message came through; of signals: OR */
    uint64_t label;
    uint32_t words;
    bool signal; /* a notification, not a message */
};

typedef void uk_program(void *ctx, struct uk_thread *t, const struct uk_result *last,
                        struct uk_op *next);

enum { UK_READ = 1, UK_WRITE = 2, UK_GRANT = 4, UK_ALL = 7 };

/* What an operation's latency is made of: charged while a thread works for it.  It follows
 * messages and signals from thread to thread. */
struct uk_account {
    sim_cost ps[UK_CLASSES];
};

struct uk_spec {
    uint32_t core, prio;     /* 0..255, larger is more urgent */
    uint32_t space;          /* address space, from 1 */
    bool fpu, fpu_writes;    /* holds vector state; and changes it whenever it runs */
    sim_time budget, period; /* mcs: its scheduling context; 0: passive, runs on a caller's */
    bool constant;           /* replenishment; else sporadic */
    uint32_t fault_handler;  /* endpoint capability, for UK_FAULT */
    uk_program *program;
    void *ctx;
};

struct uk_config {
    struct uk_prims prims;
    uint32_t cores;
    bool mcs, no_fastpath;
    sim_time slice; /* without mcs: round robin among equals; 0: none */
};

struct uk *uk_new(struct sim *s, const struct uk_config *c); /* NULL: out of memory */
void uk_free(struct uk *k);
/* The longest way through the kernel, with waiting for its lock; ns.  With mcs, budgets are at
 * least twice that. */
sim_time uk_reserve(const struct uk_prims *p, uint32_t cores);

/* Objects are small integers from 1; 0: out of memory. */
uint32_t uk_endpoint(struct uk *k);
uint32_t uk_notification(struct uk *k);
/* An interrupt line of this core, which signals the notification with this badge. */
uint32_t uk_irq(struct uk *k, uint32_t core, uint32_t notification, uint64_t badge);

struct uk_thread *uk_thread_new(struct uk *k, const struct uk_spec *spec); /* stopped */
/* A capability in the thread's own space; its index, from 1. */
uint32_t uk_cap(struct uk_thread *t, uint32_t object, unsigned rights, uint64_t badge);
/* A thread that waits for messages is also woken by this notification's signals: a driver that has
 * both clients and a device. */
void uk_bind(struct uk_thread *t, uint32_t notification);
void uk_start(struct uk_thread *t);                         /* makes it ready */
void uk_start_receiving(struct uk_thread *t, uint32_t cap); /* as if it had run and waited */

/* The device asserts its line.  While it is masked, further ones wait and are delivered one by one
 * after UK_ACK. */
void uk_irq_raise(struct uk *k, uint32_t irq, struct uk_account *account);
void uk_thread_account(struct uk_thread *t, struct uk_account *a); /* NULL: nobody's */

struct uk_times {
    sim_time user, kernel, lock, idle; /* core-nanoseconds up to now */
};
struct uk_times uk_times(const struct uk *k);

struct uk_stats {
    uint64_t fast, slow, messages, signals, refused, switches, preemptions, ipis;
    uint64_t raised, delivered, starved;
    uint64_t prim[UK_PRIMS_N]; /* how often each was charged */
};
const struct uk_stats *uk_stats(const struct uk *k);
const struct sc *uk_thread_sc(const struct uk_thread *t); /* the one it runs on; NULL: none */
const struct uk_spec *uk_thread_spec(const struct uk_thread *t);
bool uk_thread_ended(const struct uk_thread *t);
bool uk_thread_blocked(const struct uk_thread *t);
/* Told of every stretch charged to a scheduling context, for tests; owner: whose it is. */
void uk_watch(struct uk *k,
              void (*charged)(void *ctx, const struct uk_thread *owner, sim_time start,
                              sim_time used),
              void *ctx);

#endif
