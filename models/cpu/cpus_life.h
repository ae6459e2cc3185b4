/* cpus_life.h - cpu.pick and cpu.balance whose policies come and go while the CPUs run
 * (models/policy_life.h).
 *
 * One policy picks for all CPUs at any time, and one balances.  An answer is
 * needed at once: who asks while the replacement is under way spins until that
 * is over, on the CPU that asks.  The steps themselves are spent by CPU 0.     */
#ifndef MODELS_CPU_CPUS_LIFE_H
#define MODELS_CPU_CPUS_LIFE_H

#include "models/cpu/cpus.h"
#include "models/model.h"

struct cpus_life_env {
    const struct model_env *model;
    struct machine_use *use;
    struct measures *out;
    struct err *e;
};
/* Before the first task; does nothing without a plan. */
int cpus_life_begin(struct cpus *c, const struct cpus_life_env *env) MUST_CHECK;
int cpus_life_end(const struct cpus *c) MUST_CHECK; /* the run is over: counts into `out` */

#endif
