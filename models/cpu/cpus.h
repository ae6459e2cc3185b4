/* cpus.h - physical CPUs and the tasks that share them.
 *
 * A task is a vCPU or a host thread.  It wants to run while it has work: a
 * stretch of CPU time with a function to call at its end, or an open-ended
 * spin.  Where and when it runs is decided by the scheduler behind cpu.pick
 * and cpu.balance; every CPU has a run queue.  Switches, wake-ups, migrations
 * and cold caches take CPU time, which is counted apart from work.
 *
 *     cpu_task_run(t, ns, done, ctx, arg)   more work; the task wakes if it slept
 *     done(ctx, arg)                        runs on that CPU when the work is finished:
 *                                           call cpu_task_run again to go on, or don't
 *                                           (then the task blocks)
 *
 * Conservation, at any time, to the nanosecond: over all CPUs,
 *     work + spin + overhead + idle = wall x CPUs          (cpus_totals)
 * and for a task: ran + waited + slept = its age, where waited is what a
 * guest calls steal time.                                                    */
#ifndef MODELS_CPU_CPUS_H
#define MODELS_CPU_CPUS_H

#include <stdbool.h>

#include "models/machine.h"
#include "models/policy_life.h"
#include "sim/sim.h"

struct cpus_config { /* topology and costs; from the profile's "cpu" section by cpus_config */
    uint32_t sockets, cores_per_socket, threads_per_core; /* a node is a socket */
    uint32_t limit;          /* use only the first so many CPUs; 0: all */
    sim_cost context_switch; /* ps, each switch between two tasks */
    sim_cost wake_same;      /* wake-up of a task on the CPU that wakes it */
    sim_cost wake_cross;     /* on another CPU: IPI, leaving idle */
    sim_cost migrate_core;   /* refilling L1/L2 after a move within a socket, full footprint */
    sim_cost migrate_node;   /* after a move to another socket */
    double remote_slowdown;  /* of a memory-bound task away from its memory; 1: none */
    double smt_speed;        /* of each of two busy siblings; 1: no sharing */
    sim_time balance_period;
};
int cpus_config(struct cpus_config *c, struct machine_use *use, struct err *e) MUST_CHECK;

struct cpus;
struct cpu_task;

struct mlaas_bill;
struct cpus_env {
    struct sim *sim;
    struct policy_slot *pick, *balance; /* NULL: the defaults */
    struct mlaas_bill *bill; /* of inferences at cpu.pick and cpu.balance: the CPU that asks spends
                                that time; NULL: free */
    /* Instead of pick, balance; NULL: no life.  cpus_life_begin fills them in, cpus_free frees
     * them. */
    struct policy_life *pick_life, *balance_life;
};
struct cpus *cpus_new(const struct cpus_config *c, const struct cpus_env *env);
void cpus_free(struct cpus *c); /* and its tasks */
uint32_t cpus_count(const struct cpus *c);
uint32_t cpus_node(const struct cpus *c, uint32_t cpu);

struct cpu_task_spec {
    const char *name;
    uint32_t vm;     /* 0: the host */
    uint32_t weight; /* 0: 1024 */
    int32_t prio;
    uint32_t gang;                 /* POLICY_NONE: none */
    sim_time budget_ns, period_ns; /* 0: no scheduling context */
    uint32_t first_cpu, n_cpus;    /* where it may run; n_cpus 0: anywhere */
    uint32_t home_node;            /* where its memory is; POLICY_NONE: does not matter */
    double memory_bound;           /* 0..1: share of its time that waits for memory */
    double footprint;              /* 0..1: how much of a core's caches it fills */
};
struct cpu_task *cpu_task_new(struct cpus *c, const struct cpu_task_spec *spec); /* asleep */
void cpu_task_end(struct cpu_task *t); /* its work is dropped; counted until cpus_free */

void cpu_task_run(struct cpu_task *t, sim_time ns, sim_fn *done, void *ctx, uint64_t arg);
/* Other work first: drops what is left of the present work, which it must have, and returns it
 * in ns at full speed. */
sim_time cpu_task_instead(struct cpu_task *t, sim_time ns, sim_fn *done, void *ctx, uint64_t arg);
/* Burns CPU until cpu_task_run gives it work instead, or cpu_task_stop. */
void cpu_task_spin(struct cpu_task *t);
void cpu_task_stop(struct cpu_task *t); /* ends a spin: the task blocks */
/* If it is on a CPU where others wait, its slice ends now. */
void cpu_task_yield(struct cpu_task *t);
/* The same, and so does whoever runs where `to` waits, in its favour (Linux' yield_to). */
void cpu_task_yield_to(struct cpu_task *t, struct cpu_task *to);

bool cpu_task_waits(const struct cpu_task *t);     /* for a CPU */
bool cpu_task_contended(const struct cpu_task *t); /* on a CPU that others wait for */
bool cpu_task_on_cpu(const struct cpu_task *t);    /* what a pv hint tells a guest */
uint32_t cpu_task_cpu(const struct cpu_task *t);   /* POLICY_NONE: never ran */
/* Called whenever the task gets (arg 1) or loses (arg 0) a CPU. */
void cpu_task_watch(struct cpu_task *t, sim_fn *moved, void *ctx);

struct cpu_task_times {                     /* ns up to now */
    sim_time age, ran, spun, waited, slept; /* ran includes spun; waited: steal */
    sim_time cold, throttled;               /* of waited: refilling caches (which a guest takes for
                                               its own time); out of budget */
    sim_time entered;                       /* and being woken and switched to */
    uint64_t switches, preemptions, wakeups, migrations, remote_migrations;
};
void cpu_task_times(const struct cpu_task *t, struct cpu_task_times *out);
struct cpus_totals {
    sim_time wall;
    uint64_t cpus;
    uint64_t work, spin, overhead, idle; /* CPU ns; their sum is wall * cpus */
    uint64_t switches, wakeups, migrations, balances;
};
void cpus_totals(const struct cpus *c, struct cpus_totals *out);

#endif
