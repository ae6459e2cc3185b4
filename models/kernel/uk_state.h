/* uk_state.h - the microkernel's state, private to its files.
 *
 *     ukernel.c   objects and threads are made
 *     uk_core.c   sections of kernel time: entry, charges, the way out
 *     uk_sched.c  ready queues, choosing, budgets, the timer
 *     uk_ipc.c    endpoints: call, send, receive, reply
 *     uk_event.c  notifications and interrupts                               */
#ifndef MODELS_KERNEL_UK_STATE_H
#define MODELS_KERNEL_UK_STATE_H

#include "models/kernel/ukernel.h"

enum { PRIOS = 256, CAPS = 48 };

enum uk_type { UK_T_ENDPOINT, UK_T_NOTIFICATION, UK_T_IRQ };
enum uk_run {
    RUN_STOPPED,
    RUN_READY,
    RUN_ON_CORE,
    RUN_SENDING,
    RUN_RECEIVING,
    RUN_CALLING,
    RUN_STARVED,
    RUN_ENDED
};

struct uk_list { /* threads in order of arrival, linked by next and prev */
    struct uk_thread *head, *tail;
};

struct uk_object {
    enum uk_type type;
    struct uk_list senders, receivers; /* endpoint; receivers also of a notification */
    uint64_t word;                     /* notification: badges that nobody has seen */
    struct uk_thread *bound;           /* who also hears of it while it waits for messages */
    struct uk_account *account;        /* of the last signal in it */
    uint32_t core, target;             /* interrupt: where, and which notification */
    uint64_t badge;
    bool masked;
    uint64_t waiting; /* raised while masked, or not yet taken by the core */
};

struct uk_capability {
    uint32_t object; /* 0: empty */
    unsigned rights;
    uint64_t badge;
};

struct uk_thread {
    struct uk *k;
    struct uk_spec spec;
    enum uk_run run;
    struct uk_thread *next, *prev, *all;
    struct uk_capability cap[CAPS];
    uint32_t n_cap;

    struct uk_op op;         /* in progress: a sender's message is in it */
    uint64_t op_badge;       /* of the capability it was sent through */
    struct uk_result result; /* of the last one */
    sim_time left;           /* of UK_COMPUTE */
    bool computing;

    uint32_t waits_on, bound; /* object it receives at; notification bound to it, 0: none */
    struct uk_thread *caller; /* to whom it owes a reply */
    bool lent;                /* home is the caller's */
    struct uk_thread *home;   /* whose scheduling context it runs on; NULL: none */
    struct sc sc;             /* its own, where spec.budget is not 0 */
    struct uk_account *account;
};

enum uk_mode { MODE_IDLE, MODE_USER, MODE_KERNEL };

struct uk_core {
    struct uk *k;
    uint32_t id;
    enum uk_mode mode;
    struct uk_thread *cur;  /* in user mode, or who entered the kernel; NULL: idle */
    struct uk_thread *fast; /* to whom a fast path switches; else NULL */
    uint32_t space;         /* loaded; 0: the kernel's own */
    struct uk_thread *fpu;  /* whose vector state is in the registers */
    struct uk_list ready[PRIOS];
    uint64_t bits[PRIOS / 64];
    sim_event event, timer;    /* end of computing or of the section; budget or slice */
    sim_time since, waited;    /* begin of the mode; for the lock, in this section */
    sim_cost charged;          /* in this section */
    sim_cost part[UK_CLASSES]; /* the same, by class */
    struct carry carry;
    struct uk_account *account;
    bool resched, rotate;       /* choose anew; and cur goes behind its equals */
    bool ipi, tick;             /* pending interrupts: from other cores, from the timer */
    uint32_t irqs;              /* lines raised and not masked */
    struct uk_thread *home;     /* whose scheduling context is charged, */
    sim_time stretch;           /* since when */
    struct uk_thread *starving; /* of those who share it: the one that must wait for a refill */
    struct uk_times times;
};

struct uk {
    struct sim *sim;
    struct uk_config set;
    struct uk_core *core;
    struct uk_object *object; /* [n_object], from 1 */
    uint32_t n_object;
    struct uk_thread *threads;
    sim_time lock; /* held until */
    sim_time reserve;
    sim_cost longest, way_out; /* bounds: a section; its end, from choosing on */
    struct uk_stats stats;
    void (*charged)(void *, const struct uk_thread *, sim_time, sim_time);
    void *charged_ctx;
};

/* uk_core.c: a section of kernel time */
void uk_enter(struct uk_core *c);
void uk_leave(struct uk_core *c); /* chooses who runs, and ends it */
void uk_charge(struct uk_core *c, enum uk_prim p);
void uk_charge_words(struct uk_core *c, uint32_t words);
sim_time uk_section_now(const struct uk_core *c);
void uk_interrupt(struct uk_core *c); /* something is pending: taken now, or on the way out */

/* uk_sched.c */
void uk_list_add(struct uk_list *l, struct uk_thread *t);
void uk_list_remove(struct uk_list *l, struct uk_thread *t);
struct uk_thread *uk_list_take(struct uk_list *l);      /* NULL: empty */
void uk_ready(struct uk_core *by, struct uk_thread *t); /* by: in its section; NULL: nobody */
int uk_highest(const struct uk_core *c);                /* ready priority; -1: none */
/* The next to run: keep (may be NULL), or whoever is more urgent; NULL: idle. */
struct uk_thread *uk_choose(struct uk_core *c, struct uk_thread *keep);
bool uk_can_run(struct uk_core *c, struct uk_thread *t); /* has budget; starves it if not */
void uk_settle(struct uk_core *c, struct uk_thread *next, sim_time end); /* charges budgets */
void uk_timer(struct uk_core *c); /* arms it for cur, which computes */

/* uk_ipc.c and uk_event.c: carry out t's operation within a section */
void uk_do_send(struct uk_core *c, struct uk_thread *t);
void uk_do_receive(struct uk_core *c, struct uk_thread *t);
void uk_do_reply(struct uk_core *c, struct uk_thread *t);
void uk_do_signal(struct uk_core *c, struct uk_thread *t);
void uk_do_ack(struct uk_core *c, struct uk_thread *t);
void uk_take_signal(struct uk_thread *t, struct uk_object *o); /* its word becomes t's result */
void uk_take_irq(struct uk_core *c);
/* The object behind a capability of t if it is of a type in the set 1 << UK_T_x and has these
 * rights; charges the lookup.  NULL: refused, counted, t's result says why. */
struct uk_object *uk_lookup(struct uk_core *c, struct uk_thread *t, uint32_t cap, unsigned types,
                            unsigned rights);

#endif
