/* A small world for tests of models/cpu: CPUs that cost nothing unless a test says so, and tasks
 * that work on, in equal stretches, for ever or so many times. */
#ifndef TESTS_CPU_WORLD_H
#define TESTS_CPU_WORLD_H

#include "models/cpu/cpus.h"

struct policy_ops;

struct cpu_world {
    struct sim *sim;
    struct cpus *cpus;
    struct policy_slot pick, balance;
};
struct cpus_config cpu_free_config(uint32_t sockets, uint32_t cores, uint32_t threads);
/* ops NULL: the default */
void cpu_world_open(struct cpu_world *w, const struct cpus_config *cfg,
                    const struct policy_ops *pick, const struct policy_ops *balance, uint64_t seed,
                    bool shuffle);
void cpu_world_close(struct cpu_world *w);
/* A policy of policies/NAME.c, by its file's name; to use while the test lasts. */
const struct policy_ops *cpu_policy(const char *file);
/* create with the test's host, for a slot of one's own. */
void cpu_policy_create(struct policy_slot *p);
/* The parameter named so is this, until the end of the test. */
void cpu_policy_param(const char *name, double value);

struct busy { /* works in stretches of `stretch` until it did `times` of them; 0: for ever */
    struct cpu_task *task;
    sim_time stretch;
    uint64_t times, did;
    sim_time last;
    struct cpu_world *w;
};
void busy_start(struct busy *b, struct cpu_world *w, const struct cpu_task_spec *spec);
sim_time busy_ran(const struct busy *b);
/* The sums of cpus.h, over these tasks; a failed assertion names the seed. */
void cpu_world_conserved(const struct cpu_world *w, struct cpu_task *const *task, size_t n,
                         uint64_t seed);

#endif
