/* kernel_system.h - a small random system of threads, endpoints, notifications and interrupts, and
 * what its threads do: for test_kernel_random.c.                                 */
#ifndef TESTS_MODELS_KERNEL_SYSTEM_H
#define TESTS_MODELS_KERNEL_SYSTEM_H

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

void system_fail(struct system *s, const char *why); /* the first sentence is kept */
uint32_t system_pick(struct system *s, uint64_t n);  /* below n */
struct uk_op system_compute(struct system *s, uint64_t most);

uk_program system_client, system_server, system_waiter; /* ctx: one of the structs above */
void system_device(void *ctx, uint64_t i);              /* raises interrupt i now and then */

#endif
