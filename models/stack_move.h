/* stack_move.h - lists of stack_table.c, its only user: the OS moves pages and reads ahead. */
#ifndef MODELS_STACK_MOVE_H
#define MODELS_STACK_MOVE_H

#include "models/stack_table.h"

/* Whose OS that is: on the metal the kernel's driver of unified memory, with a GPU passed through
 * the guest's own, on malv the memory server under the guest.  Where the GPU is somebody else's,
 * nobody's: kvm-remote has none of these but os_read. */
static const struct stack_crossing move_native[] = {
    {"cost.syscall", HOST, TRAP, "the driver is asked: these ranges shall be there"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page, once for all"},
    {"cost.gpu_tlb", WIRE, DEVICE, "the GPU forgets its old translations"},
};
static const struct stack_crossing move_kvm[] = {
    {"cost.syscall", GUEST, TRAP, "the guest's driver is asked: these ranges shall be there"},
    {"cost.doorbell", WIRE, DEVICE, "posted write; the page is mapped into the guest, no exit"},
    {"cost.gpu_tlb", WIRE, DEVICE, "the GPU forgets its old translations"},
};
static const struct stack_crossing move_malv[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall: these ranges shall be there"},
    {"cost.ipc_call", HOST, IPC, "IPC to the memory server"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page, once for all"},
    {"cost.gpu_tlb", WIRE, DEVICE, "the GPU forgets its old translations"},
    {"cost.ipc_reply", HOST, IPC, "reply: the guest goes on"},
};
static const struct stack_crossing move_module[] = {
    {"cost.vm_exit", HOST, EXIT, "hypercall: these ranges shall be there"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the GPU's doorbell page, once for all"},
    {"cost.gpu_tlb", WIRE, DEVICE, "the GPU forgets its old translations"},
};

static const struct stack_crossing move_page_native[] = {
    {"cost.page_map", HOST, SOFT, "kernel takes the page away where it was"},
    {"cost.page_copy", HOST, SOFT, "and writes the copy command"},
    {"cost.page_map", HOST, SOFT, "and maps it where it will be"},
};
static const struct stack_crossing move_page_kvm[] = {
    {"cost.page_map", GUEST, SOFT, "guest's kernel takes the page away where it was"},
    {"cost.page_copy", GUEST, SOFT, "and writes the copy command"},
    {"cost.page_map", GUEST, SOFT, "and maps it where it will be"},
};
static const struct stack_crossing move_page_malv[] = {
    {"cost.cap_invoke", HOST, TRAP, "memory server takes the page away, by its capability"},
    {"cost.page_copy", HOST, SOFT, "and writes the copy command"},
    {"cost.cap_invoke", HOST, TRAP, "and maps it where it will be"},
};

static const struct stack_crossing gpu_fault_native[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes its faults to host memory"},
    {"cost.irq", HOST, IRQ, "GPU interrupts, kernel handler runs"},
    {"cost.gpu_fault", HOST, SOFT, "driver reads the batch, finds the pages, replays"},
};
static const struct stack_crossing gpu_fault_kvm[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes its faults to guest memory"},
    {"cost.posted_irq", GUEST, IRQ, "GPU's interrupt is posted into the guest, no exit"},
    {"cost.gpu_fault", GUEST, SOFT, "guest's driver reads the batch, finds the pages, replays"},
};
static const struct stack_crossing gpu_fault_malv[] = {
    {"cost.gpu_to_host", WIRE, DEVICE, "GPU writes its faults to host memory"},
    {"cost.irq_user", HOST, IRQ, "microkernel delivers the interrupt to the memory server"},
    {"cost.gpu_fault", HOST, SOFT, "it reads the batch, finds the pages, replays"},
};

/* No system call, and no thread that wakes: whoever wants the bytes finds them. */
static const struct stack_crossing os_read_native[] = {
    {"cost.block_layer", HOST, SOFT, "kernel's readahead prepares the request"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the device's doorbell"},
    {"cost.irq", HOST, IRQ, "device interrupts, kernel handler runs"},
    {"cost.block_done", HOST, SOFT, "block layer completes the request"},
};
static const struct stack_crossing os_read_kvm[] = {
    {"cost.block_layer", GUEST, SOFT, "guest's readahead prepares the request"},
    {"cost.virtio_queue", GUEST, SOFT, "and puts it on the virtio ring"},
    {"cost.vm_exit", HOST, EXIT, "kick of the virtio ring"},
    {"cost.wake", WIRE, WAKE, "the monitor's I/O thread wakes up"},
    {"cost.vmm_block", HOST, SOFT, "the monitor takes the request off the ring"},
    {"cost.syscall", HOST, TRAP, "and submits it to the host's kernel"},
    {"cost.block_layer", HOST, SOFT, "block layer and driver write the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the device's doorbell"},
    {"cost.irq", HOST, IRQ, "device interrupts, host's handler runs"},
    {"cost.block_done", HOST, SOFT, "host's block layer completes the request"},
    {"cost.wake", WIRE, WAKE, "the monitor's I/O thread wakes up"},
    {"cost.vmm_block", HOST, SOFT, "the monitor marks it done on the ring"},
    {"cost.syscall", HOST, TRAP, "and asks for an interrupt to the guest"},
    {"cost.posted_irq", GUEST, IRQ, "posted interrupt into the guest, no exit"},
    {"cost.block_done", GUEST, SOFT, "guest's block layer completes the request"},
};
static const struct stack_crossing os_read_malv[] = {
    {"cost.notify", HOST, IPC, "the memory server is told that it is time"},
    {"cost.ipc_call", HOST, IPC, "IPC to the block server"},
    {"cost.block_server", HOST, SOFT, "block server checks it and writes the command"},
    {"cost.doorbell", WIRE, DEVICE, "posted write to the device's doorbell"},
    {"cost.ipc_reply", HOST, IPC, "reply to the memory server"},
    {"cost.irq_user", HOST, IRQ, "microkernel delivers the interrupt to the block server"},
    {"cost.block_server", HOST, SOFT, "finds whose request is done"},
    {"cost.notify", HOST, IPC, "notification to the memory server"},
};

#define MOVES_NATIVE                                                                               \
    [STACK_move] = LIST(move_native), [STACK_move_page] = LIST(move_page_native),                  \
    [STACK_gpu_fault] = LIST(gpu_fault_native), [STACK_os_read] = LIST(os_read_native)
#define MOVES_KVM                                                                                  \
    [STACK_move] = LIST(move_kvm), [STACK_move_page] = LIST(move_page_kvm),                        \
    [STACK_gpu_fault] = LIST(gpu_fault_kvm)
#define MOVES_MALV                                                                                 \
    [STACK_move] = LIST(move_malv), [STACK_move_page] = LIST(move_page_malv),                      \
    [STACK_gpu_fault] = LIST(gpu_fault_malv)
#define MOVES_MODULE                                                                               \
    [STACK_move] = LIST(move_module), [STACK_move_page] = LIST(move_page_native),                  \
    [STACK_gpu_fault] = LIST(gpu_fault_native), [STACK_os_read] = LIST(os_read_native)

#endif
