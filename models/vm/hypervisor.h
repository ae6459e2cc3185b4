/* hypervisor.h - the model "hypervisor": one named operation of a guest, many times over. */
#ifndef MODELS_VM_HYPERVISOR_H
#define MODELS_VM_HYPERVISOR_H

#include "models/mlaas/mlaas_bill.h"
#include "models/vm/vdev.h"
#include "sim/sketch.h"

/* What a guest does in one operation, step by step; in order of mention. */
enum hv_step {
    STEP_END,
    STEP_EXIT,   /* an exit of the operation's reason */
    STEP_CLI,    /* interrupts off */
    STEP_STI,    /* on: what waits is served */
    STEP_SELF,   /* a self-IPI by the interrupt command register */
    STEP_X2SELF, /* by the register for that, virtualized where interrupts are posted */
    STEP_TPR,    /* a write of the task priority, where the settings ask for it */
    STEP_HALT,
    STEP_TIMER, /* programs the timer, for the operation's deadline */
    STEP_FAR,   /* programs it for some time far off */
    STEP_SPIN,  /* until the interrupt was served, if it was not yet */
    STEP_IPI,   /* to the other vCPU; until that one served it and this one is back */
    STEP_IO,    /* a request to a device, */
    STEP_AWAIT, /* its interrupt, spinning or halted as `target` says */
    STEP_WAKE   /* the guest kernel's way from a timer's handler to a thread */
};
enum { STEPS_MAX = 6 };

struct hv_operation {
    const char *name, *what;
    enum exit_reason reason; /* of STEP_EXIT */
    enum vdev_kind device;   /* of STEP_IO */
    bool reads_clock;        /* its device in user space does */
    bool from_deadline;      /* it is late by so much, not: takes so long */
    enum hv_step step[STEPS_MAX];
};
const struct hv_operation *hv_operation_at(size_t i); /* NULL: past the last */

struct hv_setup {
    const struct hv_operation *op;
    uint64_t count, warmup; /* operations; before them, some that are not measured */
    sim_time device;        /* how long a device takes for a request */
    sim_time deadline, gap; /* of the timer, after the operation's start; between operations */
    bool target_halts, tpr;
    struct vm_spec vm;
    struct mlaas_config infer;
};

struct hv_bench {
    struct hv_setup set;
    struct hv_cost cost;
    struct mlaas_bill bill; /* of what cpu.pick asks */
    struct sim *sim;
    struct cpus *cpus;
    struct hv *hv;
    struct vm *vm;
    struct vdev *dev;       /* NULL: the operation needs none */
    struct sketch *latency; /* ns */
    uint64_t warm, done;
    int step;
    bool served, back; /* the interrupt of this operation; the sender of an IPI */
    sim_time start;
    double sum_ns;
};
bool hv_bench_device(struct hv_bench *b); /* makes the device; false: out of memory */
void hv_bench_start(struct hv_bench *b);  /* schedules the first operation */

#endif
