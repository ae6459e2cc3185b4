/* os_time.h - CPU time that the way to the GPU takes in one iteration of a program: driver, kernel,
 * hypervisor, API server, whoever is on the stack's lists.                   */
#ifndef MODELS_GPU_OS_TIME_H
#define MODELS_GPU_OS_TIME_H

#include "models/gpu/gpu_program.h"
#include "models/stack.h"

struct gpu_os_time {
    bool known; /* the profile has what the lists name; one of a GPU alone has not */
    sim_cost launch, copy, sync;
};
int gpu_os_time_read(struct gpu_os_time *t, struct machine_use *u, const char *stack,
                     struct err *e) MUST_CHECK; /* stack NULL: native */
sim_cost gpu_os_time(const struct gpu_os_time *t, const struct gpu_program *p);

#endif
