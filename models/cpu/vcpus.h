/* vcpus.h - the parts of model "vcpus": guests whose vCPUs run a program with locks. */
#ifndef MODELS_CPU_VCPUS_H
#define MODELS_CPU_VCPUS_H

#include "models/cpu/lock.h"
#include "models/model.h"

/* One operation of a program: `sections` times some work and a critical section, the last of
 * which may be missing (sections 0: work only).  `spins` of them, evenly spread, are under the
 * guest's native spin locks, which no hint reaches; the others take the program's `files` locks
 * in turn, several sections each.  All copies in a guest share its locks. */
#define VCPUS_SPIN_LOCKS(X)                                                                        \
    X(zone, "free pages: zone->lock, once for each batch of a per-CPU list")                       \
    X(lru, "lists of pages: lru_lock, once for each pagevec")                                      \
    X(tasklist, "tasklist_lock and pids")

enum vcpus_spin_lock {
#define X(name, what) VCPUS_##name,
    VCPUS_SPIN_LOCKS(X)
#undef X
        VCPUS_SPIN_LOCKS_N
};

struct vcpus_program {
    sim_cost outside, inside, spin_inside; /* per operation; per section */
    uint32_t sections, spins, files;       /* spins are among the sections */
    uint32_t spin[VCPUS_SPIN_LOCKS_N];     /* of which lock; their sum is spins */
};
int vcpus_program(struct vcpus_program *p, struct machine_use *use, const char *name,
                  uint64_t bytes, struct lock_config *lock, struct err *e) MUST_CHECK;

struct vcpus_setup {
    uint32_t cpus, vms, vcpus, restarts;
    struct cpus_config topology;
    struct vcpus_program program;
    struct lock_config lock;
    bool gang, pin;
    double footprint, spread; /* work outside varies by +- spread, uniformly */
    sim_time warmup, duration;
    double hint_time;  /* with the hint, this share of both */
    double busy_share; /* of the vCPUs; the rest sleeps */
};

struct vcpus_result {
    double ops_per_s, least_ops, most_ops;   /* of a vCPU, over the mean */
    double compute, spin, steal, cold, idle; /* shares of vCPU time; they sum to 1 */
    double pcpu_work, pcpu_spin, pcpu_overhead, pcpu_idle;
    double switches_per_s, contended, slept, yields; /* the last three per operation */
    uint64_t events;
};
/* The guests without the hint, then new ones with it, or one of both: out[0], out[1]. */
struct vcpus_told { /* what the run tells beside its result */
    struct mlaas_bill *bill;
    struct machine_use *use;
    struct measures *out;
};
int vcpus_simulate(const struct vcpus_setup *s, const struct model_env *env,
                   const struct vcpus_told *told, const bool runs[2], struct vcpus_result out[2],
                   struct err *e) MUST_CHECK;

#endif
