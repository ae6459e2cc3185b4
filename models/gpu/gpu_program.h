/* gpu_program.h - a captured program in memory, for any number of tenants to run. */
#ifndef MODELS_GPU_GPU_PROGRAM_H
#define MODELS_GPU_GPU_PROGRAM_H

#include "models/gpu/plan.h"

struct gpu_program {
    struct plan_op *op; /* their edges point into `edge` */
    struct plan_edge *edge;
    struct plan_queue *queue;
    uint64_t n, edges, span;
    uint32_t queues, devices;
    uint32_t *device; /* [queues]: dense number of its device; TRACE_NAME_NONE: a thread */
};
/* Reads the rows to their end. */
int gpu_program_load(struct gpu_program *p, const char *name, struct row_source *rows,
                     const struct plan_want *w, struct err *e) MUST_CHECK;
void gpu_program_free(struct gpu_program *p);

#endif
