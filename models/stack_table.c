/* stack_table.c - the stacks: which crossings each path makes, in order.
 *
 * Read a list top down as the story of one operation.  What a line costs is
 * in the machine profile, with its source; what the lists leave out is what a
 * stack really does not do.  native and lake run the engine on the metal; kvm
 * and malv in a VM with the GPU passed through, or dispatched by the hypervisor.
 * kvm-vgpu, -mig, -mps and -remote differ from kvm in who shares the GPU how.
 * MPS joins processes of one operating system, so that its server is the guest's;
 * its clients write to the GPU themselves (Volta and later) and pay for the
 * connection only when they start, which is on none of these paths.           */
#include "models/stack_gpu.h"
#include "models/stack_infer.h"
#include "models/stack_move.h"
#include "models/stack_table.h"

/* ---- a request comes in ---------------------------------------------------- */

static const struct stack_crossing in_native[] = {
    {"cost.irq", HOST, IRQ, "network card interrupts, kernel handler runs"},
    {"cost.softirq_net", HOST, SOFT, "packet through the network stack"},
    {"cost.syscall", HOST, TRAP, "server receives"},
    {"cost.wake", WIRE, WAKE, "a thread on another core wakes up"},
    {"cost.request_parse", HOST, SOFT, "parse and tokenize"},
};
static const struct stack_crossing in_kvm[] = {
    {"cost.irq", HOST, IRQ, "network card interrupts, host kernel handler runs"},
    {"cost.softirq_net", HOST, SOFT, "packet through the host's bridge"},
    {"cost.vhost", HOST, COPY, "vhost copies it into the guest's ring"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.softirq_net", GUEST, SOFT, "packet through the guest's network stack"},
    {"cost.syscall", GUEST, TRAP, "server receives"},
    {"cost.wake", WIRE, WAKE, "a thread on another vCPU wakes up"},
    {"cost.request_parse", GUEST, SOFT, "parse and tokenize"},
};
static const struct stack_crossing in_malv[] = {
    {"cost.irq_user", HOST, IRQ, "microkernel delivers the interrupt to the driver server"},
    {"cost.softirq_net", HOST, SOFT, "driver server handles the packet"},
    {"cost.ipc_call", HOST, IPC, "IPC to the virtual machine monitor"},
    {"cost.vhost", HOST, COPY, "copy into the guest's ring"},
    {"cost.ipc_reply", HOST, IPC, "reply to the driver server"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.softirq_net", GUEST, SOFT, "packet through the guest's network stack"},
    {"cost.syscall", GUEST, TRAP, "server receives"},
    {"cost.wake", WIRE, WAKE, "a thread on another vCPU wakes up"},
    {"cost.request_parse", GUEST, SOFT, "parse and tokenize"},
};

/* ---- the engine launches GPU work, and hears that it is done ------------------ */

static const struct stack_crossing launch_native[] = {
    {"cost.launch", HOST, SOFT, "driver library writes the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing launch_kvm[] = {
    {"cost.launch", GUEST, SOFT, "driver library writes the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write; the page is mapped into the guest, no exit"},
};
static const struct stack_crossing launch_malv[] = {
    {"cost.launch", GUEST, SOFT, "driver library writes the command"},
    {"cost.vm_exit", HOST, EXIT, "hypercall: the doorbell belongs to the hypervisor"},
    {"cost.gpu_dispatch", HOST, SOFT, "hypervisor checks and queues the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page"},
};
static const struct stack_crossing complete_native[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to host memory"},
    {"cost.poll", HOST, SOFT, "engine sees it while polling"},
};
static const struct stack_crossing complete_vm[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes the fence to guest memory through the IOMMU"},
    {"cost.poll", GUEST, SOFT, "engine sees it while polling"},
};

/* ---- a token goes out ----------------------------------------------------------- */

static const struct stack_crossing out_native[] = {
    {"cost.token_emit", HOST, SOFT, "detokenize, format, hand to the sender"},
    {"cost.syscall", HOST, TRAP, "send"},
};
static const struct stack_crossing out_kvm[] = {
    {"cost.token_emit", GUEST, SOFT, "detokenize, format, hand to the sender"},
    {"cost.syscall", GUEST, TRAP, "send"},
    {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},
    {"cost.vhost", HOST, COPY, "vhost copies it out"},
};
static const struct stack_crossing out_malv[] = {
    {"cost.token_emit", GUEST, SOFT, "detokenize, format, hand to the sender"},
    {"cost.syscall", GUEST, TRAP, "send"},
    {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},
    {"cost.notify", HOST, IPC, "notification to the monitor"},
    {"cost.vhost", HOST, COPY, "copy out of the guest's ring"},
    {"cost.ipc_call", HOST, IPC, "IPC to the driver server"},
    {"cost.ipc_reply", HOST, IPC, "and back"},
};

/* ---- what tenants do: system calls, block devices, packets -------------------------------- */

/* Reads are direct; a write copies its page and is then submitted like a read.  The guest's disk is
 * virtio: on kvm an I/O thread of the monitor serves it, on malv the monitor asks the block server.
 */
static const struct stack_crossing syscall_native[] = {
    {"cost.syscall", HOST, TRAP, "enters the kernel and leaves it"},
};
static const struct stack_crossing syscall_guest[] = {
    {"cost.syscall", GUEST, TRAP, "enters the guest's kernel and leaves it, no exit"},
};

#define SUBMIT_NATIVE                                                                              \
    {"cost.block_layer", HOST, SOFT, "block layer and driver write the command"},                  \
    {                                                                                              \
        "cost.doorbell", WIRE, DEVICE, "posted write to the device's doorbell"                     \
    }
#define SUBMIT_GUEST                                                                               \
    {"cost.block_layer", GUEST, SOFT, "guest's block layer prepares the request"},                 \
        {"cost.virtio_queue", GUEST, SOFT, "and puts it on the virtio ring"},                      \
    {                                                                                              \
        "cost.vm_exit", HOST, EXIT, "kick of the virtio ring"                                      \
    }
#define SUBMIT_KVM                                                                                 \
    SUBMIT_GUEST, {"cost.wake", WIRE, WAKE, "the monitor's I/O thread wakes up"},                  \
        {"cost.vmm_block", HOST, SOFT, "takes the request off the ring"},                          \
        {"cost.syscall", HOST, TRAP, "and submits it to the host's kernel"}, SUBMIT_NATIVE
#define SUBMIT_MALV                                                                                \
    SUBMIT_GUEST, {"cost.notify", HOST, IPC, "notification to the monitor"},                       \
        {"cost.vmm_block", HOST, SOFT, "takes the request off the ring"},                          \
        {"cost.ipc_call", HOST, IPC, "IPC to the block server"},                                   \
        {"cost.block_server", HOST, SOFT, "block server checks it and writes the command"},        \
        {"cost.doorbell", WIRE, DEVICE, "posted write to the device's doorbell"},                  \
    {                                                                                              \
        "cost.ipc_reply", HOST, IPC, "reply to the monitor"                                        \
    }

static const struct stack_crossing read_native[] = {
    {"cost.syscall", HOST, TRAP, "read"},
    SUBMIT_NATIVE,
};
static const struct stack_crossing read_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "read"},
    SUBMIT_KVM,
};
static const struct stack_crossing read_malv[] = {
    {"cost.syscall", GUEST, TRAP, "read"},
    SUBMIT_MALV,
};
static const struct stack_crossing write_native[] = {
    {"cost.syscall", HOST, TRAP, "write"},
    {"cost.copy_page", HOST, COPY, "into the page cache"},
    SUBMIT_NATIVE,
};
static const struct stack_crossing write_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "write"},
    {"cost.copy_page", GUEST, COPY, "into the guest's page cache"},
    SUBMIT_KVM,
};
static const struct stack_crossing write_malv[] = {
    {"cost.syscall", GUEST, TRAP, "write"},
    {"cost.copy_page", GUEST, COPY, "into the guest's page cache"},
    SUBMIT_MALV,
};

static const struct stack_crossing done_native[] = {
    {"cost.irq", HOST, IRQ, "device interrupts, kernel handler runs"},
    {"cost.block_done", HOST, SOFT, "block layer completes the request"},
    {"cost.wake", WIRE, WAKE, "the thread that waits wakes up"},
};
static const struct stack_crossing done_kvm[] = {
    {"cost.irq", HOST, IRQ, "device interrupts, host's handler runs"},
    {"cost.block_done", HOST, SOFT, "host's block layer completes the request"},
    {"cost.wake", WIRE, WAKE, "the monitor's I/O thread wakes up"},
    {"cost.vmm_block", HOST, SOFT, "marks it done on the ring"},
    {"cost.syscall", HOST, TRAP, "and asks for an interrupt to the guest"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.block_done", GUEST, SOFT, "guest's block layer completes the request"},
    {"cost.wake", WIRE, WAKE, "the guest's thread that waits wakes up"},
};
static const struct stack_crossing done_malv[] = {
    {"cost.irq_user", HOST, IRQ, "microkernel delivers the interrupt to the block server"},
    {"cost.block_server", HOST, SOFT, "finds whose request is done"},
    {"cost.notify", HOST, IPC, "notification to the monitor"},
    {"cost.vmm_block", HOST, SOFT, "marks it done on the ring"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.block_done", GUEST, SOFT, "guest's block layer completes the request"},
    {"cost.wake", WIRE, WAKE, "the guest's thread that waits wakes up"},
};

static const struct stack_crossing send_native[] = {
    {"cost.syscall", HOST, TRAP, "send"},
    {"cost.net_xmit", HOST, SOFT, "network stack and driver write the descriptor"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the card's doorbell"},
};
static const struct stack_crossing send_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "send"},
    {"cost.net_xmit", GUEST, SOFT, "guest's network stack, onto the virtio ring"},
    {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},
    {"cost.vhost", HOST, COPY, "vhost copies it out"},
    {"cost.net_xmit", HOST, SOFT, "through the host's bridge and driver"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the card's doorbell"},
};
static const struct stack_crossing send_malv[] = {
    {"cost.syscall", GUEST, TRAP, "send"},
    {"cost.net_xmit", GUEST, SOFT, "guest's network stack, onto the virtio ring"},
    {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},
    {"cost.notify", HOST, IPC, "notification to the monitor"},
    {"cost.vhost", HOST, COPY, "copy out of the guest's ring"},
    {"cost.ipc_call", HOST, IPC, "IPC to the driver server"},
    {"cost.net_driver", HOST, SOFT, "driver server writes the descriptor"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the card's doorbell"},
    {"cost.ipc_reply", HOST, IPC, "reply to the monitor"},
};

/* ---- memory, timers, other CPUs -------------------------------------------------------------- */

static const struct stack_crossing fault_native[] = {
    {"cost.fault", HOST, TRAP, "page fault exception"},
    {"cost.page_fill", HOST, SOFT, "kernel finds a frame, zeroes and maps it"},
};
static const struct stack_crossing fault_kvm[] = {
    {"cost.fault", GUEST, TRAP, "page fault exception in the guest, no exit"},
    {"cost.page_fill", GUEST, SOFT, "guest's kernel finds a frame, zeroes and maps it"},
    {"cost.vm_exit", HOST, EXIT, "EPT violation: nothing is behind the guest's frame"},
    {"cost.page_fill", HOST, SOFT, "host's kernel finds a frame, zeroes and maps it"},
};
static const struct stack_crossing fault_malv[] = {
    {"cost.fault", GUEST, TRAP, "page fault exception in the guest, no exit"},
    {"cost.page_fill", GUEST, SOFT, "guest's kernel finds a frame, zeroes and maps it"},
    {"cost.vm_exit", HOST, EXIT, "EPT violation: nothing is behind the guest's frame"},
    {"cost.ipc_call", HOST, IPC, "the fault is a message to the memory server"},
    {"cost.page_fill", HOST, SOFT, "memory server finds a frame and zeroes it"},
    {"cost.cap_invoke", HOST, TRAP, "and has the microkernel map it, by its capability"},
    {"cost.ipc_reply", HOST, IPC, "reply: the guest goes on"},
};
static const struct stack_crossing timer_native[] = {
    {"cost.syscall", HOST, TRAP, "the thread asks for a timer"},
    {"cost.timer_program", HOST, SOFT, "kernel's timer queue and the deadline register"},
};
static const struct stack_crossing timer_vm[] = {
    {"cost.syscall", GUEST, TRAP, "the thread asks the guest's kernel for a timer"},
    {"cost.timer_program", GUEST, SOFT, "guest's timer queue"},
    {"cost.vm_exit", HOST, EXIT, "write to the deadline register"},
    {"cost.timer_program", HOST, SOFT, "hypervisor's timer queue and the real register"},
};
static const struct stack_crossing ipi_native[] = {
    {"cost.ipi_send", HOST, SOFT, "write to the interrupt controller"},
    {"cost.irq", HOST, IRQ, "the other CPU takes the interrupt"},
};
static const struct stack_crossing ipi_vm[] = {
    {"cost.vm_exit", HOST, EXIT, "write to the virtual interrupt controller"},
    {"cost.ipi_send", HOST, SOFT, "hypervisor finds the target and notifies its CPU"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the other vCPU, no exit"},
};

/* ---- the host's own decisions ---------------------------------------------------------------- */

/* On native and kvm the heuristic is part of the kernel: a function call, no crossing. */
static const struct stack_crossing decide_lake[] = {
    {"cost.module_call", HOST, SOFT, "the kernel calls the loaded policy module"},
};
static const struct stack_crossing decide_malv[] = {
    {"cost.ipc_call", HOST, IPC, "IPC to MLaaS"},
    {"cost.ipc_reply", HOST, IPC, "and back"},
};

/* Where there are guests: whoever loads policies is in the kernel, or in MLaaS. */
static const struct stack_crossing hypercall_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "an agent in the guest asks the guest's kernel"},
    {"cost.vm_exit", HOST, EXIT, "hypercall"},
};
static const struct stack_crossing hypercall_malv[] = {
    {"cost.syscall", GUEST, TRAP, "an agent in the guest asks the guest's kernel"},
    {"cost.vm_exit", HOST, EXIT, "hypercall"},
    {"cost.ipc_call", HOST, IPC, "IPC to MLaaS"},
    {"cost.ipc_reply", HOST, IPC, "and back"},
};

/* ---- what stacks are put together from --------------------------------------------------- */

/* Paths that are not listed do not exist.  What native and lake share: */
#define ON_METAL                                                                                   \
    [STACK_request_in] = LIST(in_native), [STACK_launch] = LIST(launch_native),                    \
    [STACK_complete] = LIST(complete_native), [STACK_token_out] = LIST(out_native),                \
    [STACK_syscall] = LIST(syscall_native), [STACK_block_read] = LIST(read_native),                \
    [STACK_block_write] = LIST(write_native), [STACK_block_done] = LIST(done_native),              \
    [STACK_net_send] = LIST(send_native), [STACK_net_recv] = PART(in_native),                      \
    [STACK_page_fault] = LIST(fault_native), [STACK_timer] = LIST(timer_native),                   \
    [STACK_ipi] = LIST(ipi_native), [STACK_copy] = LIST(copy_native),                              \
    [STACK_sync] = LIST(sync_native), MOVES_NATIVE
/* What every guest does for itself, or asks of any hypervisor alike: */
#define IN_A_GUEST                                                                                 \
    [STACK_syscall] = LIST(syscall_guest), [STACK_timer] = LIST(timer_vm),                         \
    [STACK_ipi] = LIST(ipi_vm)
/* Devices and memory of guests: Linux and its monitors, or servers on a microkernel. */
#define LINUX_HOST                                                                                 \
    [STACK_request_in] = LIST(in_kvm), [STACK_token_out] = LIST(out_kvm),                          \
    [STACK_block_read] = LIST(read_kvm), [STACK_block_write] = LIST(write_kvm),                    \
    [STACK_block_done] = LIST(done_kvm), [STACK_net_send] = LIST(send_kvm),                        \
    [STACK_net_recv] = PART(in_kvm), [STACK_page_fault] = LIST(fault_kvm),                         \
    [STACK_hypercall] = LIST(hypercall_kvm)
#define MICROKERNEL_HOST                                                                           \
    [STACK_request_in] = LIST(in_malv), [STACK_token_out] = LIST(out_malv),                        \
    [STACK_block_read] = LIST(read_malv), [STACK_block_write] = LIST(write_malv),                  \
    [STACK_block_done] = LIST(done_malv), [STACK_net_send] = LIST(send_malv),                      \
    [STACK_net_recv] = PART(in_malv), [STACK_page_fault] = LIST(fault_malv),                       \
    [STACK_stage] = LIST(stage_malv), [STACK_os_read] = LIST(os_read_malv),                        \
    [STACK_hypercall] = LIST(hypercall_malv)
/* Policies: a function call, or a service of the OS. */
#define OWN_POLICY [STACK_infer_cpu] = FREE, [STACK_decide] = FREE
#define MLAAS      [STACK_infer_cpu] = LIST(cpu_malv), [STACK_decide] = LIST(decide_malv)
/* And those whose driver writes to doorbells that are mapped into the guest: */
#define OWN_DOORBELL                                                                               \
    [STACK_launch] = LIST(launch_kvm), [STACK_complete] = LIST(complete_vm),                       \
    [STACK_copy] = LIST(copy_kvm), MOVES_KVM
#define GPU_IN_HYPERVISOR                                                                          \
    [STACK_launch] = LIST(launch_malv), [STACK_complete] = LIST(complete_vm),                      \
    [STACK_copy] = LIST(copy_malv), [STACK_sync] = LIST(sync_malv)
#define SUBMITS                                                                                    \
    [STACK_infer_gpu_kernel] = LIST(kernel_malv), [STACK_infer_gpu_graph] = LIST(graph_malv),      \
    [STACK_infer_gpu_mailbox] = LIST(mailbox_malv)
/* What KVM's guests share, whatever way their GPU comes to them: */
#define ON_KVM IN_A_GUEST, LINUX_HOST, OWN_POLICY, [STACK_os_read] = LIST(os_read_kvm)

const struct stack stack_table[] = {
    {"native", "Linux on the metal, policy inside the engine", {ON_METAL, OWN_POLICY}},
    {"kvm",
     "a KVM guest with the GPU passed through, policy inside the engine",
     {ON_KVM, OWN_DOORBELL, [STACK_sync] = LIST(sync_kvm)}},
    {"kvm-vgpu",
     "a KVM guest with a time-sliced mediated vGPU, policy inside the engine",
     {ON_KVM, OWN_DOORBELL, [STACK_sync] = LIST(sync_vgpu)}},
    {"kvm-mig",
     "a KVM guest with a MIG slice as its virtual function, policy inside the engine",
     {ON_KVM, OWN_DOORBELL, [STACK_sync] = LIST(sync_kvm)}},
    {"kvm-mps",
     "containers of one KVM guest, whose MPS server has the GPU, policy inside the engine",
     {ON_KVM, OWN_DOORBELL, [STACK_sync] = LIST(sync_kvm)}},
    {"kvm-remote",
     "a KVM guest whose GPU calls go to a server on the host, policy inside the engine",
     {ON_KVM, [STACK_launch] = LIST(launch_remote), [STACK_complete] = LIST(complete_remote),
      [STACK_copy] = LIST(copy_remote), [STACK_sync] = LIST(sync_remote)}},
    {"lake",
     "Linux on the metal with LAKE, policy inside the kernel",
     {ON_METAL, [STACK_infer_cpu] = LIST(cpu_lake), [STACK_infer_gpu_daemon] = LIST(daemon_lake),
      [STACK_decide] = LIST(decide_lake)}},
    {"malv",
     "a guest of Micro-LAKE, GPU dispatched by the hypervisor, policy in MLaaS",
     {IN_A_GUEST, MICROKERNEL_HOST, GPU_IN_HYPERVISOR, MOVES_MALV, MLAAS, SUBMITS}},
};
const size_t stack_table_n = sizeof stack_table / sizeof *stack_table;

/* ---- malv with one of its mechanisms taken out -------------------------------------------- */

const struct stack stack_ablation[] = {
    {STACK_WITHOUT "micro-lake",
     "malv, but the kernel does not submit to the GPU itself: policies go to a daemon, as LAKE's",
     {IN_A_GUEST, MICROKERNEL_HOST, GPU_IN_HYPERVISOR, MOVES_MALV,
      MLAAS, [STACK_infer_gpu_daemon] = LIST(daemon_malv)}},
    {STACK_WITHOUT "microkernel",
     "malv on a monolithic host: drivers, monitors and MLaaS are its kernel's, without IPC",
     {IN_A_GUEST, LINUX_HOST, MOVES_MODULE,
      GPU_IN_HYPERVISOR, [STACK_stage] = LIST(stage_module), [STACK_infer_cpu] = LIST(cpu_module),
      [STACK_infer_gpu_kernel] = LIST(kernel_module), [STACK_infer_gpu_graph] = LIST(graph_module),
      [STACK_infer_gpu_mailbox] = LIST(mailbox_module), [STACK_decide] = LIST(decide_lake)}},
    {STACK_WITHOUT "gpu-virtualization",
     "malv, but the GPU is passed through: doorbells are the guest's",
     {IN_A_GUEST, MICROKERNEL_HOST, OWN_DOORBELL, MLAAS, [STACK_sync] = LIST(sync_kvm), SUBMITS}},
    {STACK_WITHOUT "mlaas",
     "malv, but policies are inside the engine and the kernel",
     {IN_A_GUEST, MICROKERNEL_HOST, GPU_IN_HYPERVISOR, MOVES_MALV, OWN_POLICY}},
};
const size_t stack_ablation_n = sizeof stack_ablation / sizeof *stack_ablation;
