/* kernel_model.h - what the files of model "kernel" share: settings, the probe. */
#ifndef MODELS_KERNEL_KERNEL_MODEL_H
#define MODELS_KERNEL_KERNEL_MODEL_H

#include "models/kernel/gpuway.h"
#include "models/kernel/mono.h"
#include "models/kernel/ukernel.h"
#include "models/model.h"

/* name, world, what is measured */
#define KERNEL_OPERATIONS(X)                                                                       \
    X(null, UK, "into the microkernel and out again")                                              \
    X(call, UK, "from a client's call until its server has the message")                           \
    X(reply, UK, "from the server's reply until the client has it")                                \
    X(call_reply, UK, "a call and its reply")                                                      \
    X(call_fpu, UK, "call, both sides holding vector registers")                                   \
    X(reply_fpu, UK, "reply, both sides holding vector registers")                                 \
    X(call_cross, UK, "a call and its reply, the server on another core")                          \
    X(notify, UK, "from a signal until a more urgent thread has it")                               \
    X(notify_cross, UK, "the same, on another core that is idle")                                  \
    X(irq_to_driver, UK, "from an interrupt until a driver in user space has it")                  \
    X(page_fault, UK, "from a fault until the memory server's reply")                              \
    X(block_io, UK, "from a client's call to the block server until it knows of the completion")   \
    X(net_receive, UK, "from the card's interrupt until the monitor has the packet")               \
    X(decide, UK, "a call to MLaaS, one inference on its core, and the reply")                     \
    X(denied, UK, "a call by a capability without the right")                                      \
    X(syscall, MONO, "into the monolithic kernel and out again")                                   \
    X(pipe, MONO, "there and back through two pipes, on one core")                                 \
    X(pipe_cross, MONO, "there and back through two pipes, on two cores")                          \
    X(eventfd_cross, MONO, "there and back through two eventfds, on two cores")                    \
    X(futex_cross, MONO, "there and back through two futexes, on two cores")                       \
    X(signal_cross, MONO, "there and back by signals, on two cores")                               \
    X(irq_to_task, MONO, "from an interrupt through the deferred work to a task")                  \
    X(lake_launch, GPU, "a list of GPU commands through LAKE's daemon")                            \
    X(malv_launch, GPU, "a list of GPU commands by Micro-LAKE's own submission")

enum kernel_operation {
#define X(name, world, what) KERNEL_##name,
    KERNEL_OPERATIONS(X)
#undef X
        KERNEL_OPERATIONS_N
};

enum { KERNEL_CLIENTS = 64, KERNEL_WARMUP = 16 };

struct kernel_setup {
    enum kernel_operation operation;
    uint64_t count; /* operations measured, per client */
    uint32_t words, clients, servers;
    sim_time service, device, budget, period; /* ns */
    bool own_service; /* service was given; else an inference takes what the profile says */
    bool mcs, fastpath, same_space, constant, interrupt, shared;
    unsigned mitigations; /* set of 1 << UK_M_x */
    struct gpuway_command command[GPUWAY_COMMANDS];
    uint32_t commands;
};

/* Latencies and what they are made of. */
struct kernel_probe {
    struct sim *sim;
    struct sketch *sketch; /* ns */
    uint64_t n;
    double total_ns;
    sim_cost part[UK_CLASSES]; /* of all that were measured */
};
struct kernel_timer { /* one operation under way */
    sim_time start;
    uint64_t done; /* of this client, warm-up included */
    struct uk_account account;
};
void kernel_timer_start(struct kernel_timer *t, const struct kernel_probe *p);
/* Records it unless it is part of the warm-up. */
void kernel_timer_stop(struct kernel_timer *t, struct kernel_probe *p);

struct kernel_run {
    struct kernel_setup *set;
    struct machine_use *use;
    struct sim *sim;
    struct kernel_probe probe;
    struct measures *out;
    struct err *e;
};
/* The way to the GPU that the settings name, with its costs. */
int kernel_gpuway(struct kernel_run *r, struct gpuway_config *c) MUST_CHECK;
int kernel_service(struct kernel_run *r) MUST_CHECK; /* fills in set->service */
uint32_t kernel_cores(const struct kernel_setup *k); /* of the microkernel */
int kernel_run_uk(struct kernel_run *r) MUST_CHECK;
int kernel_run_mono(struct kernel_run *r) MUST_CHECK;
int kernel_run_gpu(struct kernel_run *r) MUST_CHECK;
void kernel_share(struct kernel_run *r, const char *name, double ps); /* of all measured latency */

#endif
