/* stack_table.c - the four stacks: which crossings each path makes, in order.
 *
 * Read a list top down as the story of one operation.  What a line costs is
 * in the machine profile, with its source; what the lists leave out is what a
 * stack really does not do.  native and lake run the engine on the metal; kvm
 * and malv run it in a VM with the GPU passed through (kvm) or dispatched by
 * the hypervisor (malv).                                                    */
#include "models/stack_table.h"

#define GUEST WHERE_GUEST_CPU
#define HOST  WHERE_HOST_CPU
#define WIRE  WHERE_WIRE
#define GPU   WHERE_GPU

/* ---- a request comes in ---------------------------------------------------- */

static const struct stack_crossing in_native[] = {
    {"cost.irq", HOST, "network card interrupts, kernel handler runs"},
    {"cost.softirq_net", HOST, "packet through the network stack"},
    {"cost.syscall", HOST, "server receives"},
    {"cost.wake", WIRE, "a thread on another core wakes up"},
    {"cost.request_parse", HOST, "parse and tokenize"},
};
static const struct stack_crossing in_kvm[] = {
    {"cost.irq", HOST, "network card interrupts, host kernel handler runs"},
    {"cost.softirq_net", HOST, "packet through the host's bridge"},
    {"cost.vhost", HOST, "vhost copies it into the guest's ring"},
    {"cost.posted_irq", GUEST, "posted interrupt into the guest, no exit"},
    {"cost.softirq_net", GUEST, "packet through the guest's network stack"},
    {"cost.syscall", GUEST, "server receives"},
    {"cost.wake", WIRE, "a thread on another vCPU wakes up"},
    {"cost.request_parse", GUEST, "parse and tokenize"},
};
static const struct stack_crossing in_malv[] = {
    {"cost.irq_user", HOST, "microkernel delivers the interrupt to the driver server"},
    {"cost.softirq_net", HOST, "driver server handles the packet"},
    {"cost.ipc_call", HOST, "IPC to the virtual machine monitor"},
    {"cost.vhost", HOST, "copy into the guest's ring"},
    {"cost.ipc_reply", HOST, "reply to the driver server"},
    {"cost.posted_irq", GUEST, "posted interrupt into the guest, no exit"},
    {"cost.softirq_net", GUEST, "packet through the guest's network stack"},
    {"cost.syscall", GUEST, "server receives"},
    {"cost.wake", WIRE, "a thread on another vCPU wakes up"},
    {"cost.request_parse", GUEST, "parse and tokenize"},
};

/* ---- the engine launches GPU work, and hears that it is done ------------------ */

static const struct stack_crossing launch_native[] = {
    {"cost.launch", HOST, "driver library writes the command"},
    {"cost.doorbell", WIRE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing launch_kvm[] = {
    {"cost.launch", GUEST, "driver library writes the command"},
    {"cost.doorbell", WIRE, "posted write; the doorbell page is mapped into the guest, no exit"},
};
static const struct stack_crossing launch_malv[] = {
    {"cost.launch", GUEST, "driver library writes the command"},
    {"cost.vm_exit", HOST, "hypercall: the doorbell belongs to the hypervisor"},
    {"cost.gpu_dispatch", HOST, "hypervisor checks and queues the command"},
    {"cost.doorbell", WIRE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing complete_native[] = {
    {"cost.gpu_to_host", WIRE, "GPU writes the fence to host memory"},
    {"cost.poll", HOST, "engine sees it while polling"},
};
static const struct stack_crossing complete_vm[] = {
    {"cost.gpu_to_host", WIRE, "GPU writes the fence to guest memory through the IOMMU"},
    {"cost.poll", GUEST, "engine sees it while polling"},
};

/* ---- a token goes out ----------------------------------------------------------- */

static const struct stack_crossing out_native[] = {
    {"cost.token_emit", HOST, "detokenize, format, hand to the sender"},
    {"cost.syscall", HOST, "send"},
};
static const struct stack_crossing out_kvm[] = {
    {"cost.token_emit", GUEST, "detokenize, format, hand to the sender"},
    {"cost.syscall", GUEST, "send"},
    {"cost.vm_exit", HOST, "kick of the virtio ring"},
    {"cost.vhost", HOST, "vhost copies it out"},
};
static const struct stack_crossing out_malv[] = {
    {"cost.token_emit", GUEST, "detokenize, format, hand to the sender"},
    {"cost.syscall", GUEST, "send"},
    {"cost.vm_exit", HOST, "kick of the virtio ring"},
    {"cost.notify", HOST, "notification to the monitor"},
    {"cost.vhost", HOST, "copy out of the guest's ring"},
    {"cost.ipc_call", HOST, "IPC to the driver server"},
    {"cost.ipc_reply", HOST, "and back"},
};

/* ---- a policy asks for inference -------------------------------------------------- */

/* On native and kvm the policy is linked into the engine: a function call, no crossing. */
static const struct stack_crossing cpu_lake[] = {
    {"cost.syscall", HOST, "engine asks the kernel's policy"},
    {"cost.kernel_fpu", HOST, "kernel saves and restores vector registers around the network"},
};
static const struct stack_crossing cpu_malv[] = {
    {"cost.vm_exit", HOST, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, "IPC to the policy's server"},
    {"cost.ipc_reply", HOST, "and back"},
};
static const struct stack_crossing daemon_lake[] = {
    {"cost.syscall", HOST, "engine asks the kernel's policy"},
    {"cost.lake_stub", HOST, "kernel stub serializes three commands"},
    {"cost.lake_channel", HOST, "Netlink to the daemon, which wakes up"},
    {"cost.copy_small", WIRE, "driver copies the inputs to the GPU"},
    {"cost.launch", HOST, "daemon launches"},
    {"cost.doorbell", WIRE, "posted write to the GPU's doorbell page"},
    {"gpu.timeslice", GPU, "another context: waits out the tenant's time slice, if one runs"},
    {"gpu.context_switch", GPU, "and switches, if one runs"},
    {NULL, GPU, "the network runs"},
    {"cost.copy_small", WIRE, "driver copies the outputs back"},
    {"cost.lake_channel", HOST, "Netlink reply to the kernel, which wakes up"},
};
static const struct stack_crossing kernel_malv[] = {
    {"cost.vm_exit", HOST, "hypercall to MLaaS"},
    {"cost.ipc_call", HOST, "IPC to the policy's server"},
    {"cost.launch", HOST, "the microkernel's own submission path writes the command"},
    {"cost.doorbell", WIRE, "posted write to the GPU's doorbell page"},
    {"cost.gpu_reads_host", WIRE, "GPU fetches the inputs from pinned host memory"},
    {"gpu.context_switch", GPU, "the kernel owns the channel: preempts the tenant, if one runs"},
    {NULL, GPU, "the network runs"},
    {"cost.gpu_to_host", WIRE, "GPU writes outputs and fence to host memory"},
    {"cost.poll", HOST, "server sees it while polling"},
    {"cost.ipc_reply", HOST, "reply"},
};

#define LIST(a)                                                                                    \
    {                                                                                              \
        true, sizeof(a) / sizeof *(a), a                                                           \
    }
#define FREE                                                                                       \
    {                                                                                              \
        true, 0, NULL                                                                              \
    }
#define ABSENT                                                                                     \
    {                                                                                              \
        false, 0, NULL                                                                             \
    }

const struct stack stack_table[] = {
    {"native",
     "Linux on the metal, policy inside the engine",
     {LIST(in_native), LIST(launch_native), LIST(complete_native), LIST(out_native), FREE, ABSENT,
      ABSENT}},
    {"kvm",
     "a KVM guest with the GPU passed through, policy inside the engine",
     {LIST(in_kvm), LIST(launch_kvm), LIST(complete_vm), LIST(out_kvm), FREE, ABSENT, ABSENT}},
    {"lake",
     "Linux on the metal with LAKE, policy inside the kernel",
     {LIST(in_native), LIST(launch_native), LIST(complete_native), LIST(out_native), LIST(cpu_lake),
      LIST(daemon_lake), ABSENT}},
    {"malv",
     "a guest of Micro-LAKE, GPU dispatched by the hypervisor, policy in MLaaS",
     {LIST(in_malv), LIST(launch_malv), LIST(complete_vm), LIST(out_malv), LIST(cpu_malv), ABSENT,
      LIST(kernel_malv)}},
};
const size_t stack_table_n = sizeof stack_table / sizeof *stack_table;
