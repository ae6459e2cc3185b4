/* lock.h - locks of a guest kernel, whose waiters and owners are vCPUs.
 *
 * What a lock costs beyond its handover comes out of scheduling: an owner
 * whose vCPU is not on a CPU keeps everyone waiting (lock-holder preemption),
 * and so does a spinner before others in the queue (lock-waiter preemption).
 * A guest does not see that, unless the host tells it (`hint`: KVM's
 * vcpu_is_preempted); then who would wait for one that does not run stops
 * spinning.
 *
 *     kind          waits                         with the hint
 *     LOCK_TICKET   spins; strictly in order;     halts, keeping its place, until it
 *                   each handover disturbs all    is its turn and it is kicked
 *     LOCK_QUEUED   spins, each on a line of its  the same
 *                   own (MCS)
 *     LOCK_RWSEM    one spins on the owner, the   goes to sleep
 *                   others in a queue behind it (osq), all with some patience; who
 *                   finds it free and nobody asleep takes it; sleepers are woken one
 *                   at a time, and after handoff_after the first of them gets it
 *                   whatever happens
 *     LOCK_SLEEP    the same, but nobody spins
 *
 * Source: Linux 5.5, kernel/locking/qspinlock.c, osq_lock.c, rwsem.c (writers).
 *
 * Times: `handover` and `wake` are CPU time of who takes or releases: they are
 * kept in lock_user.owed, for the caller to add to the task's next stretch.   */
#ifndef MODELS_CPU_LOCK_H
#define MODELS_CPU_LOCK_H

#include "models/cpu/boost.h"

enum lock_kind { LOCK_TICKET, LOCK_QUEUED, LOCK_RWSEM, LOCK_SLEEP };

struct lock_config {
    enum lock_kind kind;
    bool hint;
    sim_cost handover;      /* to an owner on another CPU: the lock and what it guards move */
    sim_cost block;         /* a waiter going to sleep: switch to idle, exit */
    sim_cost wake;          /* who releases, per sleeper woken or kicked: wake-up, IPI, exit */
    sim_time handoff_after; /* 0: never */
    sim_time patience;      /* LOCK_RWSEM: the guest has something else to do after spinning so long
                               (need_resched): the waiter goes to sleep; 0: never */
    sim_time ple_window;    /* a spin that lasts as long yields the CPU; 0: never */
    struct boost *boost;    /* to whom; NULL: to who waits for the same CPU */
};

struct lock_user;
struct lock {
    struct lock_config cfg;
    struct sim *sim;
    struct lock_user *owner, *handoff;
    struct lock_user *spinners, *sleepers; /* first in, first out */
    uint32_t last_cpu;
    uint64_t taken, contended, slept, yields;
};
void lock_init(struct lock *l, struct sim *sim, const struct lock_config *cfg);

enum lock_state { LOCK_OUTSIDE, LOCK_SPINS, LOCK_HALTED, LOCK_BLOCKING, LOCK_ASLEEP, LOCK_WAKING };
struct lock_user { /* a vCPU; it waits for or holds one lock at a time */
    struct cpu_task *task;
    struct boost_vcpu vcpu;
    struct lock *lock, *owns;
    enum lock_state state;
    struct lock_user *next;
    sim_time since; /* asleep */
    sim_cost owed;
    struct carry carry;
    sim_event tired; /* of spinning */
    bool impatient;  /* it would go to sleep if it ran */
    sim_fn *got;
    void *ctx;
    uint64_t arg;
};
void lock_user_init(struct lock_user *u, struct cpu_task *task); /* watches the task */
/* It goes, whatever it waits for or holds, and with it the lock: for the end of a run. */
void lock_user_end(struct lock_user *u);
/* got(ctx, arg) when it is ours: at once, or later, on whichever CPU. From a callback of the task,
 * which must have no work. */
void lock_acquire(struct lock *l, struct lock_user *u, sim_fn *got, void *ctx, uint64_t arg);
void lock_release(struct lock_user *u);
sim_time lock_owed(struct lock_user *u); /* ns to add to the next stretch; then zero */

#endif
