/* stack_gpu.h - lists of stack_table.c, its only user: a tenant's GPU work. */
#ifndef MODELS_STACK_GPU_H
#define MODELS_STACK_GPU_H

#include "models/stack_table.h"

/* ---- a tenant's GPU work, beyond launches ------------------------------------------------------
 */

static const struct stack_crossing copy_native[] = {
    {"cost.copy_submit", HOST, SOFT, "driver library writes the copy command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing copy_kvm[] = {
    {"cost.copy_submit", GUEST, SOFT, "driver library writes the copy command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write; the page is mapped into the guest, no exit"},
};
static const struct stack_crossing copy_malv[] = {
    {"cost.copy_submit", GUEST, SOFT, "driver library writes the copy command"},
    {"cost.vm_exit", HOST, EXIT, "hypercall: the doorbell belongs to the hypervisor"},
    {"cost.gpu_dispatch", HOST, SOFT, "hypervisor checks and queues the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
/* The offload of input staging; what pinning takes by the page, whoever asks for it knows. */
static const struct stack_crossing stage_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall: the GPU shall fetch this buffer"},
    {"cost.ipc_call", HOST, IPC, "IPC to the memory server, which pins its pages"},
    {"cost.ipc_reply", HOST, IPC, "reply: the guest goes on"},
};
static const struct stack_crossing stage_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall: the GPU shall fetch this buffer; the kernel pins it"},
};
static const struct stack_crossing sync_native[] = {
    {"cost.syscall", HOST, TRAP, "the thread asks the driver to wait, and sleeps"},
    {NULL, GPU, DEVICE, "what was submitted runs"},
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to host memory"},
    {"cost.irq", HOST, IRQ, "GPU interrupts, kernel handler runs"},
    {"cost.gpu_intr", HOST, SOFT, "driver finds which fence it was"},
    {"cost.wake", WIRE, WAKE, "the thread wakes up"},
};
static const struct stack_crossing sync_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "the thread asks the driver to wait, and sleeps"},
    {NULL, GPU, DEVICE, "what was submitted runs"},
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to guest memory through the IOMMU"},
    {"cost.posted_irq", GUEST, IRQ, "GPU's interrupt is posted into the guest, no exit"},
    {"cost.gpu_intr", GUEST, SOFT, "guest's driver finds which fence it was"},
    {"cost.wake", WIRE, WAKE, "the thread wakes up"},
};
/* The physical function's interrupt is the host's: nothing is posted by hardware alone. */
static const struct stack_crossing sync_vgpu[] = {
    {"cost.syscall", GUEST, TRAP, "the thread asks the driver to wait, and sleeps"},
    {NULL, GPU, DEVICE, "what was submitted runs"},
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to guest memory through the IOMMU"},
    {"cost.irq", HOST, IRQ, "GPU interrupts, host kernel handler runs"},
    {"cost.gpu_intr", HOST, SOFT, "vGPU manager finds whose channel it was"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.gpu_intr", GUEST, SOFT, "guest's driver finds which fence it was"},
    {"cost.wake", WIRE, WAKE, "the thread wakes up"},
};
static const struct stack_crossing sync_malv[] = {
    {"cost.syscall", GUEST, TRAP, "the thread asks the driver to wait, and sleeps"},
    {NULL, GPU, DEVICE, "what was submitted runs"},
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to guest memory through the IOMMU"},
    {"cost.irq", HOST, IRQ, "GPU interrupts the microkernel, which owns the channel"},
    {"cost.gpu_dispatch", HOST, SOFT, "finds which guest's fence it was, lets the next work in"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.gpu_intr", GUEST, SOFT, "guest's driver finds which fence it was"},
    {"cost.wake", WIRE, WAKE, "the thread wakes up"},
};

/* ---- the GPU is somebody else's: API calls go to a server on the host, over TCP ----------------
 */

#define REMOTE_CALL                                                                                \
    {"cost.remote_stub", GUEST, SOFT, "stub library marshals the call"},                           \
        {"cost.syscall", GUEST, TRAP, "send"},                                                     \
        {"cost.net_xmit", GUEST, SOFT, "guest's network stack, onto the virtio ring"},             \
        {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},                                   \
        {"cost.vhost", HOST, COPY, "vhost copies it out"},                                         \
        {"cost.wake", WIRE, WAKE, "API server's thread wakes up"},                                 \
        {"cost.softirq_net", HOST, SOFT, "packet through the host's network stack"},               \
        {"cost.syscall", HOST, TRAP, "API server receives"},                                       \
    {                                                                                              \
        "cost.remote_dispatch", HOST, SOFT, "unmarshals, translates handles"                       \
    }
#define REMOTE_ANSWER                                                                              \
    {"cost.remote_stub", HOST, SOFT, "API server marshals the answer"},                            \
        {"cost.syscall", HOST, TRAP, "send"},                                                      \
        {"cost.net_xmit", HOST, SOFT, "host's network stack"},                                     \
        {"cost.vhost", HOST, COPY, "vhost copies it into the guest's ring"},                       \
        {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},               \
        {"cost.softirq_net", GUEST, SOFT, "packet through the guest's network stack"},             \
        {"cost.syscall", GUEST, TRAP, "stub receives"},                                            \
    {                                                                                              \
        "cost.wake", WIRE, WAKE, "the thread that waits wakes up"                                  \
    }

static const struct stack_crossing launch_remote[] = {
    REMOTE_CALL,
    {"cost.launch", HOST, SOFT, "driver library writes the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing copy_remote[] = {
    REMOTE_CALL,
    {"cost.copy_submit", HOST, SOFT, "driver library writes the copy command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing complete_remote[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to host memory"},
    {"cost.poll", HOST, SOFT, "API server sees it while polling"},
    REMOTE_ANSWER,
};
static const struct stack_crossing sync_remote[] = {
    REMOTE_CALL,
    {"cost.syscall", HOST, TRAP, "API server asks the driver to wait, and sleeps"},
    {NULL, GPU, DEVICE, "what was submitted runs"},
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to host memory"},
    {"cost.irq", HOST, IRQ, "GPU interrupts, kernel handler runs"},
    {"cost.gpu_intr", HOST, SOFT, "driver finds which fence it was"},
    {"cost.wake", WIRE, WAKE, "API server's thread wakes up"},
    REMOTE_ANSWER,
};

#endif
