/* stack_infer.h - lists of stack_table.c, its only user: a policy asks for inference. */
#ifndef MODELS_STACK_INFER_H
#define MODELS_STACK_INFER_H

#include "models/stack_table.h"

/* ---- a policy asks for inference -------------------------------------------------- */

/* On native and kvm the policy is linked into the engine: a function call, no crossing. */
static const struct stack_crossing cpu_lake[] = {
    {"cost.syscall", HOST, TRAP, "engine asks the kernel's policy"},
    {"cost.kernel_fpu", HOST, SOFT,
     "kernel saves and restores vector registers around the network"},
};
static const struct stack_crossing cpu_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, IPC, "IPC to the policy's server"},
    {"cost.ipc_reply", HOST, IPC, "and back"},
};
/* From the command to its end, as the daemon and as the kernel itself submit it. */
#define DAEMON_TRIP                                                                                \
    {"cost.copy_small", WIRE, COPY, "driver copies the inputs to the GPU"},                        \
        {"cost.launch", HOST, SOFT, "daemon launches"},                                            \
        {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},                \
        {"gpu.timeslice", GPU, DEVICE,                                                             \
         "another context: waits out the tenant's time slice, if one runs"},                       \
        {"gpu.context_switch", GPU, DEVICE, "and switches, if one runs"},                          \
        {NULL, GPU, DEVICE, "the network runs"},                                                   \
    {                                                                                              \
        "cost.copy_small", WIRE, COPY, "driver copies the outputs back"                            \
    }
#define KERNEL_TRIP                                                                                \
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},                    \
        {"cost.gpu_reads_host", WIRE, DEVICE, "GPU fetches the inputs from pinned host memory"},   \
        {"gpu.context_switch", GPU, DEVICE,                                                        \
         "the kernel owns the channel: preempts the tenant, if one runs"},                         \
        {NULL, GPU, DEVICE, "the network runs"},                                                   \
    {                                                                                              \
        "cost.gpu_to_host", WIRE, DEVICE, "GPU writes outputs and fence to host memory"            \
    }
static const struct stack_crossing daemon_lake[] = {
    {"cost.syscall", HOST, TRAP, "engine asks the kernel's policy"},
    {"cost.lake_stub", HOST, SOFT, "kernel stub serializes three commands"},
    {"cost.lake_channel", HOST, WAKE, "Netlink to the daemon, which wakes up"},
    DAEMON_TRIP,
    {"cost.lake_channel", HOST, WAKE, "Netlink reply to the kernel, which wakes up"},
};
static const struct stack_crossing kernel_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, IPC, "IPC to the policy's server"},
    {"cost.launch", HOST, SOFT, "the microkernel's own submission path writes the command"},
    KERNEL_TRIP,
    {"cost.poll", HOST, SOFT, "server sees it while polling"},
    {"cost.ipc_reply", HOST, IPC, "reply"},
};

/* Other ways to submit: a graph brings its copies along; for the mailbox a kernel is resident on
 * SMs of its own, so that no context is switched. */
#define GRAPH_TRIP                                                                                 \
    {"cost.graph_launch", HOST, SOFT, "one launch of a captured graph: copy, kernels, copy"},      \
        {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},                \
        {"gpu.context_switch", GPU, DEVICE,                                                        \
         "the kernel owns the channel: preempts the tenant, if one runs"},                         \
        {NULL, GPU, DEVICE, "inputs are copied, the network runs, outputs are copied"},            \
        {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to host memory"},                 \
    {                                                                                              \
        "cost.poll", HOST, SOFT, "it is seen while polling"                                        \
    }
#define MAILBOX_TRIP                                                                               \
    {"cost.mailbox_write", HOST, SOFT, "inputs as tagged words into mapped host memory"},          \
        {NULL, GPU, DEVICE, "a resident block finds the words and runs the network"},              \
        {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the outputs as tagged words"},              \
    {                                                                                              \
        "cost.poll", HOST, SOFT, "they are seen while polling"                                     \
    }

static const struct stack_crossing graph_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, IPC, "IPC to the policy's server"},
    GRAPH_TRIP,
    {"cost.ipc_reply", HOST, IPC, "reply"},
};
static const struct stack_crossing mailbox_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, IPC, "IPC to the policy's server"},
    MAILBOX_TRIP,
    {"cost.ipc_reply", HOST, IPC, "reply"},
};
static const struct stack_crossing graph_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS, a module of the kernel"},
    GRAPH_TRIP,
};
static const struct stack_crossing mailbox_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS, a module of the kernel"},
    MAILBOX_TRIP,
};

/* The same on Micro-LAKE without its way to the GPU; and where MLaaS is a module of one kernel. */
static const struct stack_crossing daemon_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, IPC, "IPC to the policy's server"},
    {"cost.lake_stub", HOST, SOFT, "its stub serializes three commands"},
    {"cost.lake_channel", HOST, WAKE, "to the daemon, which wakes up"},
    DAEMON_TRIP,
    {"cost.lake_channel", HOST, WAKE, "back to the server, which wakes up"},
    {"cost.ipc_reply", HOST, IPC, "reply"},
};
static const struct stack_crossing cpu_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS, a module of the kernel"},
    {"cost.kernel_fpu", HOST, SOFT,
     "kernel saves and restores vector registers around the network"},
};
static const struct stack_crossing kernel_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall to MLaaS, a module of the kernel"},
    {"cost.launch", HOST, SOFT, "the kernel's own submission path writes the command"},
    KERNEL_TRIP,
    {"cost.poll", HOST, SOFT, "the kernel sees it while polling"},
};

#endif
