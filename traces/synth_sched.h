/* synth_sched.h - what a kernel's scheduler tracepoints would have said of simple tasks.
 *
 * Tasks are spread over the CPUs and stay there.  A task wakes, waits its turn
 * (first come first served; after slice_us it goes to the back if another
 * waits), runs, and sleeps.  Two kinds, as rt-app and as interactive load:
 *   period_us  wakes every period_us and runs run_us, each +- jitter (uniform, relative);
 *              a task still running when its period comes wakes as soon as it sleeps
 *   sleep_us   sleeps and runs exponential times; a share `burst` of the runs is burst_factor
 *              times longer
 * Rows are those that the tracepoints give: a wakeup with its CPU, a switch with who goes, in
 * which state (1: sleeps, 0: could go on) and who comes.  Pid 0 is the idle task.             */
#ifndef TRACES_SYNTH_SCHED_H
#define TRACES_SYNTH_SCHED_H

#include "traces/synth_rows.h"

#define SYNTH_SCHED_CLASSES 16
#define SYNTH_SCHED_TASKS   1024
#define SYNTH_SCHED_CPUS    256

struct synth_sched_class {
    char name[16]; /* as long as Linux lets a comm be */
    uint32_t tasks;
    double period_us, jitter; /* period_us 0: */
    double sleep_us;          /* this kind */
    double run_us;
    double burst, burst_factor;
    uint32_t prio;
};

struct synth_sched {
    struct synth_head head;
    uint32_t cpus;
    double slice_us;
    struct synth_sched_class cls[SYNTH_SCHED_CLASSES];
    uint32_t classes;
};

int synth_sched_open(struct row_source **out, const void *params, uint64_t seed,
                     struct err *e) MUST_CHECK;

#endif
