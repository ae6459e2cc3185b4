/* stack.h - the software between a request and the hardware, as data.
 *
 * A stack is, for each path an operation can take, the ordered list of
 * crossings it makes.  A crossing names a cost of the machine profile and
 * where it is paid.  Stacks differ by their lists and by nothing else: no
 * factor, no special case.  A path without crossings is free; a path that a
 * stack does not have (no LAKE daemon on plain KVM) says so.                */
#ifndef MODELS_STACK_H
#define MODELS_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "models/machine.h"

#define STACK_PATHS(X)                                                                             \
    X(request_in, "a request from the wire to the serving engine's queue")                         \
    X(launch, "one GPU launch by the serving engine (a kernel, or a captured graph)")              \
    X(complete, "the engine learns that its GPU work is done")                                     \
    X(token_out, "one token from the engine to the wire")                                          \
    X(infer_cpu, "a policy's inference on a host core")                                            \
    X(infer_gpu_daemon, "a policy's inference on the GPU through LAKE's user-space daemon")        \
    X(infer_gpu_kernel, "a policy's inference on the GPU, submitted by the kernel itself")         \
    X(infer_gpu_graph, "the same as a captured graph: copy, kernels, copy")                        \
    X(infer_gpu_mailbox, "the same as words that a resident kernel polls for")                     \
    X(syscall, "a tenant's system call that does no I/O")                                          \
    X(block_read, "a direct read, from the system call to the device's doorbell")                  \
    X(block_write, "a synchronous write of one page, from the system call to the doorbell")        \
    X(block_done, "the device is done, until the thread that waits runs again")                    \
    X(net_send, "one packet from a tenant's thread to the network card")                           \
    X(net_recv, "one packet from the network card to the thread that waits for it")                \
    X(page_fault, "first touch of a 4 KiB page, by the tenant and by the host under it")           \
    X(timer, "a tenant's thread arms a one-shot timer")                                            \
    X(ipi, "an interrupt from one of a tenant's CPUs to another that runs")                        \
    X(copy, "a copy from a pinned buffer to the GPU is submitted")                                 \
    X(stage, "the OS makes a buffer fit for the GPU to fetch, as a service: no copy")              \
    X(move, "the OS is asked to move pages to or from the GPU: one call for a batch")              \
    X(move_page, "each page of it: the copy is written, and what maps the page changes")           \
    X(gpu_fault, "the GPU faults on pages that are elsewhere: a batch, until it is served")        \
    X(os_read, "the OS reads from a drive on its own account, until the bytes are there")          \
    X(sync, "a thread blocks until its GPU work is done, and is woken by interrupt")               \
    X(decide, "the host's kernel asks its policy for a decision, without inference")               \
    X(hypercall, "a guest asks the host for another policy, until the host's loader hears it")

enum stack_path_id {
#define X(name, what) STACK_##name,
    STACK_PATHS(X)
#undef X
        STACK_PATHS_N
};

/* What sort of crossing it is; counts and shares of a tenant's time go by it. */
#define STACK_KINDS(X)                                                                             \
    X(trap, "user to kernel and back on one CPU: system call, fault")                              \
    X(ipc, "from one address space to another through the microkernel")                            \
    X(exit, "out of a guest into the hypervisor's kernel")                                         \
    X(user_exit, "and on to the virtual machine monitor in user space")                            \
    X(irq, "an interrupt is delivered")                                                            \
    X(wake, "a thread that sleeps is made to run")                                                 \
    X(copy, "bytes are moved by a CPU or a driver")                                                \
    X(device, "a bus or a device")                                                                 \
    X(software, "the work that would be done without crossing anything")

enum stack_kind {
#define X(name, what) KIND_##name,
    STACK_KINDS(X)
#undef X
        STACK_KINDS_N
};

enum stack_where { WHERE_GUEST_CPU, WHERE_HOST_CPU, WHERE_WIRE, WHERE_GPU };

struct stack_crossing {
    const char *cost; /* dotted name in the profile; NULL: the GPU work itself, by table */
    enum stack_where where;
    enum stack_kind kind;
    const char *what;
};

struct stack_path {
    bool exists;
    size_t n;
    const struct stack_crossing *crossing;
};

struct stack {
    const char *name, *summary;
    struct stack_path path[STACK_PATHS_N];
};

#define STACK_NAMES   "native, kvm, kvm-vgpu, kvm-mig, kvm-mps, kvm-remote, lake, malv"
#define STACK_WITHOUT "malv-without-" /* a mechanism: malv less that, to see what it is worth */
const struct stack *stack_find(const char *name,
                               struct err *e); /* NULL and a complaint listing all */
const struct stack *stack_at(size_t i);        /* NULL past the end; not those without something */
const struct stack *stack_without(size_t i);   /* NULL past the end */
bool stack_pays(const struct stack *s, enum stack_path_id p, const char *cost);
bool stack_in_vm(const struct stack *s); /* what its tenants do begins in a guest */
/* The tenant's own work, though the path shows it: no part of what the OS takes. */
bool stack_own_work(const struct stack_crossing *c);
const char *stack_path_name(enum stack_path_id p);
const char *stack_path_about(enum stack_path_id p);
int stack_path_find(const char *name, enum stack_path_id *p, struct err *e) MUST_CHECK;
const char *stack_where_name(enum stack_where w);
const char *stack_kind_name(enum stack_kind k);

/* A path with its costs filled in: CPU before the GPU work, time on wires or
 * in the device, CPU after.  A path that never reaches the GPU has no after.
 * Costs paid at the GPU itself are the price of sharing it.                 */
struct stack_cost {
    sim_cost cpu_before, wire_before, wire_after, cpu_after;
    sim_cost gpu_slice,
        gpu_switch; /* paid only while tenants run: a slice's rest at most; a switch */
    sim_cost os;    /* of the CPU's part, what is not the tenant's own work */
    uint32_t crossings;
    /* The same once more, by kind: how many, and what they cost together.  The GPU work itself is
     * in neither; what is paid only while tenants share the GPU is in both. */
    uint32_t kind_n[STACK_KINDS_N];
    sim_cost kind_ps[STACK_KINDS_N];
};
int stack_cost(const struct stack *s, enum stack_path_id p, struct machine_use *u,
               struct stack_cost *out, struct err *e) MUST_CHECK;

/* One line of an explanation. */
struct stack_row {
    enum stack_path_id path;
    const struct stack *stack;
    const struct stack_crossing *crossing;
    const struct machine_cost *cost; /* NULL: the GPU work itself */
};
/* Calls row for every crossing of the path on every stack that has it, stacks in order.  Fails
 * where the profile lacks a cost. */
int stack_explain(const struct machine *m, enum stack_path_id p,
                  void (*row)(void *ctx, const struct stack_row *r), void *ctx,
                  struct err *e) MUST_CHECK;

#endif
