/* offload.h - what one batch of inferences asks of the ways to a GPU, from the shape of its code.
 *
 * A workload is given by its shape: the kernels it launches, their blocks, the copies and calls
 * around them.  Costs of the path (stub, channel, driver, copies) are those of
 * models/kernel/gpuway.h and the same for all workloads; a workload adds two slopes, of a core and
 * of the GPU.
 *
 * The GPU's time.  The blocks of a naive kernel take turns on the SMs, so that it takes as many
 * rounds as an SM gets blocks; where the lanes of a warp diverge, each lane in use is one more
 * turn. A round of all kernels takes offload.WORKLOAD.gpu, split by their weights (steps of one
 * thread's loop).  Beside it a kernel has a chain: steps that follow one another through global
 * memory, offload.chain_step each, whatever the batch.
 *
 * A workload behind a framework is one call: the library's own time (offload.framework), and a step
 * (offload.WORKLOAD.gpu or .cpu) for each so many rows. */
#ifndef MODELS_LAKE_OFFLOAD_H
#define MODELS_LAKE_OFFLOAD_H

#include "models/kernel/gpuway.h"
#include "sim/config.h"

enum { OFFLOAD_LAUNCHES = 6, OFFLOAD_WARP = 32, OFFLOAD_BATCH = 65536 };

struct offload_launch {
    uint32_t weight; /* of a round's time; 0: none */
    uint32_t chain;
};
struct offload_copy {
    uint32_t row_bytes, bytes, count; /* count commands move `bytes` and row_bytes a row together */
    bool async;
};
struct offload_shape {
    const char *workload; /* borrowed */
    struct offload_launch launch[OFFLOAD_LAUNCHES];
    uint32_t launches;
    uint32_t block_rows; /* rows of a batch per block */
    bool lanes;          /* a thread per row, and they diverge */
    uint32_t calls;      /* synchronous calls before the copies: allocations */
    struct offload_copy in, out;
    uint32_t step_rows, skip_rows; /* framework: rows of one step; rows that only begin a window */
};
/* The shape's keys of a section; the caller has the others. */
struct offload_section {
    const char *workload;
    const struct config *launches, *copy_in, *copy_out;
    uint32_t block_rows, calls, step_rows, skip_rows;
    bool lanes;
};
int offload_read(struct offload_shape *s, const struct config *section,
                 const struct offload_section *in, struct err *e) MUST_CHECK;

struct offload_costs {
    sim_cost cpu, gpu; /* slopes: of a row, or of a step; of a round, or of a step */
    sim_cost chain, framework;
    sim_cost copy_kb, pcie_kb; /* 1024 bytes, through the daemon's driver and by the GPU itself */
    uint64_t sms;
};
int offload_costs(struct offload_costs *c, const struct offload_shape *s, struct machine_use *use,
                  struct err *e) MUST_CHECK;

/* How often the GPU slope is paid, and what a core takes. */
uint64_t offload_rounds(const struct offload_shape *s, const struct offload_costs *c,
                        uint32_t batch);
sim_cost offload_cpu(const struct offload_shape *s, const struct offload_costs *c, uint32_t batch);

enum offload_way {
    OFFLOAD_COMPUTE, /* LAKE, inputs and outputs stay on the GPU */
    OFFLOAD_COPIES,  /* LAKE, with copies */
    OFFLOAD_MALV,    /* Micro-LAKE */
    OFFLOAD_WAYS
};
/* Whether the way is there: a framework lives in user space. */
bool offload_has(const struct offload_shape *s, enum offload_way way);
/* The commands, in order; at most GPUWAY_COMMANDS (checked by offload_read). */
uint32_t offload_commands(const struct offload_shape *s, const struct offload_costs *c,
                          enum offload_way way, uint32_t batch, struct gpuway_command *to);

#endif
