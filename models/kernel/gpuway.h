/* gpuway.h - kernel-space code uses a GPU, in two ways.
 *
 * LAKE: a stub in the kernel serializes each command and sends it over a
 * channel to a daemon in user space, which wakes up and calls the driver.
 * The daemon is one thread: commands of all callers queue for it.  A call is
 * synchronous (the stub waits for the daemon's answer, a channel's way back)
 * or asynchronous (it goes on as soon as the command is sent).
 *
 * Micro-LAKE: the kernel writes the command itself and rings the doorbell; the
 * GPU reads and writes pinned host memory, so that copies are no commands of
 * their own; it is heard of by polling the fence or by interrupt.
 * GPUWAY_CALL is another call of the driver's library, one that does not wait for the GPU;
 * GPUWAY_OWN is the caller's own work in between.
 *
 * Commands of one caller run in order; the GPU runs one thing at a time.
 * Costs: cost.lake_stub (of three commands), .lake_channel or .lake_ring (one way),
 * .launch, .doorbell, .copy_small, .gpu_reads_host, .gpu_to_host, .poll, .irq_user.   */
#ifndef MODELS_KERNEL_GPUWAY_H
#define MODELS_KERNEL_GPUWAY_H

#include <stdbool.h>

#include "models/machine.h"
#include "sim/sim.h"

enum gpuway_kind { GPUWAY_LAKE, GPUWAY_MALV };
enum gpuway_do {
    GPUWAY_COPY_IN,
    GPUWAY_LAUNCH,
    GPUWAY_COPY_OUT,
    GPUWAY_SYNC,
    GPUWAY_CALL,
    GPUWAY_OWN
};
enum gpuway_part {                    /* of a call's latency */
                   GPUWAY_P_SOFTWARE, /* stub, driver, doorbell, polling */
                   GPUWAY_P_WAKE,     /* channel to and from the daemon; completion interrupt */
                   GPUWAY_P_COPY,
                   GPUWAY_P_GPU,
                   GPUWAY_PARTS /* the rest is waiting for others */
};

struct gpuway_command {
    enum gpuway_do what;
    bool async;
    sim_time gpu_ns; /* of a launch */
    sim_cost extra;  /* own work; LAKE: the driver's time for a call, or for the bytes of a copy */
};

enum { GPUWAY_COMMANDS = 16 };

struct gpuway_config {
    enum gpuway_kind kind;
    bool interrupt; /* Micro-LAKE: completion; else polling */
    bool shared;    /* LAKE: a ring in shared memory that the daemon polls; else Netlink */
    sim_cost stub, channel, launch, doorbell, copy, reads, writes, poll, irq;
};
/* Fills in the costs; kind, interrupt and shared are given. */
int gpuway_config(struct gpuway_config *c, struct machine_use *use, struct err *e) MUST_CHECK;

struct gpuway;
struct gpuway *gpuway_new(struct sim *s, const struct gpuway_config *c); /* NULL: no memory */
void gpuway_free(struct gpuway *g);

/* One caller's list of commands, from first to last.  The memory is the caller's and stays put
 * until done(ctx, arg); parts is then what its latency was made of, ps. */
struct gpuway_call {
    const struct gpuway_command *command;
    uint32_t n;
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    /* filled in */
    sim_cost part[GPUWAY_PARTS], caller_cpu;
    struct gpuway *g;
    uint32_t at;       /* command in progress */
    sim_time gpu_done; /* of its own work */
};
void gpuway_submit(struct gpuway *g, struct gpuway_call *call);

struct gpuway_stats {
    uint64_t commands, max_queue;
    sim_time daemon_busy, gpu_busy;
};
struct gpuway_stats gpuway_stats(const struct gpuway *g);

#endif
