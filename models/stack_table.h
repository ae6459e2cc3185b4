/* stack_table.h - the table of stacks, private to stack.c and its tests. */
#ifndef MODELS_STACK_TABLE_H
#define MODELS_STACK_TABLE_H

#include "models/stack.h"

/* Words for writing lists. */
#define GUEST WHERE_GUEST_CPU
#define HOST  WHERE_HOST_CPU
#define WIRE  WHERE_WIRE
#define GPU   WHERE_GPU

#define TRAP   KIND_trap
#define IPC    KIND_ipc
#define EXIT   KIND_exit
#define IRQ    KIND_irq
#define WAKE   KIND_wake
#define COPY   KIND_copy
#define DEVICE KIND_device
#define SOFT   KIND_software

/* clang-format off */
#define LIST(a) {true, sizeof(a) / sizeof *(a), a}
#define FREE    {true, 0, NULL}
/* Receiving a packet is the request's way in, but for the last step: the engine's parser. */
#define PART(a) {true, sizeof(a) / sizeof *(a) - 1, a}
/* clang-format on */

extern const struct stack stack_table[];
extern const size_t stack_table_n;
extern const struct stack stack_ablation[];
extern const size_t stack_ablation_n;

#endif
