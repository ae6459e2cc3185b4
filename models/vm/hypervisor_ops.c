/* hypervisor_ops.c - the operations, as steps of a guest.
 *
 * Those named as in kvm-unit-tests (x86/vmexit.c) do what its tests do.       */
#include "models/vm/hypervisor.h"

enum { VECTOR = 0xb0, DEVICE = 0x51, FAR = 1000000000 };

static const struct hv_operation operations[] = {
    {"cpuid", "cpuid", .reason = EXIT_CPUID, .step = {STEP_EXIT}},
    {"hypercall", "vmcall", .reason = EXIT_HYPERCALL, .step = {STEP_EXIT}},
    {"eoi", "end of interrupt by an exit", .reason = EXIT_EOI, .step = {STEP_EXIT}},
    {"io_kernel", "port of a device in the kernel", .reason = EXIT_IO_KERNEL, .step = {STEP_EXIT}},
    {"io_user", "port of a device in user space", .reason = EXIT_IO_USER, .step = {STEP_EXIT}},
    {"io_pmtimer", "the same, a clock", .reason = EXIT_IO_USER, .reads_clock = true,
     .step = {STEP_EXIT}},
    {"ept_fault", "first touch of a page", .reason = EXIT_EPT, .step = {STEP_EXIT}},
    {"io_virtio", "a request by a ring and the host's worker", .device = VDEV_VIRTIO,
     .step = {STEP_IO, STEP_AWAIT}},
    {"io_direct", "a request to a device passed through", .device = VDEV_DIRECT,
     .step = {STEP_IO, STEP_AWAIT}},
    {"timer", "a timer, awaited spinning", .step = {STEP_TIMER, STEP_SPIN}},
    {"timer_halt", "a timer, awaited halted; lateness", .from_deadline = true,
     .step = {STEP_TIMER, STEP_HALT}},
    {"cyclictest", "the same until a thread runs, with the timer writes of the way there",
     .from_deadline = true, .step = {STEP_TIMER, STEP_HALT, STEP_FAR, STEP_WAKE, STEP_FAR}},
    {"ipi", "to another vCPU, until that has served it", .step = {STEP_IPI}},
    {"self_ipi", "self-IPI, served at sti",
     .step = {STEP_TPR, STEP_CLI, STEP_SELF, STEP_TPR, STEP_STI}},
    {"self_ipi_hlt", "self-IPI, served behind HLT",
     .step = {STEP_TPR, STEP_CLI, STEP_SELF, STEP_TPR, STEP_HALT}},
    {"x2apic_hlt", "virtualized self-IPI, served behind HLT",
     .step = {STEP_TPR, STEP_CLI, STEP_X2SELF, STEP_TPR, STEP_HALT}},
};

const struct hv_operation *hv_operation_at(size_t i)
{
    return i < sizeof operations / sizeof *operations ? &operations[i] : NULL;
}

/* ---- one operation after another ---- */

static void next(struct hv_bench *b);

static void begin(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hv_bench *b = ctx;
    b->start = sim_now(b->sim);
    b->step = 0;
    b->served = b->back = false;
    next(b);
}

/* Between operations the guest computes, so that its vCPU never sleeps but where it halts. */
static void between(struct hv_bench *b)
{
    vcpu_compute(vm_vcpu(b->vm, 0), b->set.gap, &(struct vcpu_then){.done = begin, .ctx = b});
}

static void end(struct hv_bench *b)
{
    sim_time from = b->start + (b->set.op->from_deadline ? b->set.deadline : 0);
    double ns = (double)(sim_now(b->sim) - from);
    if (b->warm < b->set.warmup) {
        b->warm++;
        between(b);
        return;
    }
    sketch_add(b->latency, ns);
    b->sum_ns += ns;
    if (++b->done < b->set.count)
        between(b);
    else
        sim_stop(b->sim);
}

static void stepped(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hv_bench *b = ctx;
    b->step++;
    next(b);
}

static void take(struct hv_bench *b, struct vcpu *v, enum hv_step step)
{
    const struct vcpu_then then = {.done = stepped, .ctx = b};
    sim_cost tpr = b->cost.guest_tpr, wake = b->cost.guest_wake;
    switch (step) {
    case STEP_EXIT:
        vcpu_exit(v, b->set.op->reason, &then);
        break;
    case STEP_SELF:
        vcpu_ipi(v, v, VECTOR, &then);
        break;
    case STEP_X2SELF:
        vcpu_self_ipi(v, VECTOR, &then);
        break;
    case STEP_TPR:
    case STEP_WAKE:
        vcpu_compute(v, ((step == STEP_TPR ? tpr : wake) + 500) / 1000, &then);
        break;
    case STEP_HALT:
        vcpu_halt(v, &then);
        break;
    case STEP_TIMER:
        vcpu_timer(v, b->start + b->set.deadline, VECTOR, &then);
        break;
    case STEP_FAR:
        vcpu_timer(v, sim_now(b->sim) + FAR, VECTOR, &then);
        break;
    case STEP_SPIN:
        vcpu_spin(v, &then);
        break;
    case STEP_IPI: /* goes on in arrived() */
        vcpu_ipi(v, vm_vcpu(b->vm, 1), VECTOR, &(struct vcpu_then){.done = stepped, .ctx = b});
        break;
    case STEP_AWAIT:
        (b->set.target_halts ? vcpu_halt : vcpu_spin)(v, &then);
        break;
    case STEP_IO:
        vdev_submit(b->dev, v, 0, &then);
        break;
    case STEP_CLI:
    case STEP_STI:
    case STEP_END:
        break;
    }
}

/* Steps that take no time are done here; the last one ends when its interrupt was served. */
static void next(struct hv_bench *b)
{
    struct vcpu *v = vm_vcpu(b->vm, 0);
    for (;; b->step++) {
        enum hv_step step = b->step < STEPS_MAX ? b->set.op->step[b->step] : STEP_END;
        if (step == STEP_CLI) {
            vcpu_mask(v, true);
        } else if (step == STEP_STI) { /* the handler goes on */
            vcpu_mask(v, false);
            return;
        } else if (step == STEP_END) {
            b->back = true;
            if (b->set.op->step[0] != STEP_IPI || b->served)
                end(b);
            return;
        } else if (step == STEP_SPIN || step == STEP_AWAIT ? !b->served
                                                           : step != STEP_TPR || b->set.tpr) {
            take(b, v, step);
            return;
        }
    }
}

/* ---- interrupts ---- */

static void own_served(void *ctx, uint64_t vector)
{
    struct hv_bench *b = ctx;
    if (vector == DEVICE) {
        vdev_irq(b->dev);
        return;
    }
    b->served = true;
    if (b->step < STEPS_MAX && b->set.op->step[b->step] == STEP_STI)
        stepped(b, 0);
}

static void other_rests(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hv_bench *b = ctx;
    const struct vcpu_then then = {.done = other_rests, .ctx = b};
    (b->set.target_halts ? vcpu_halt : vcpu_spin)(vm_vcpu(b->vm, 1), &then);
}

static void other_served(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hv_bench *b = ctx;
    b->served = true;
    if (b->back)
        end(b);
}

/* ---- a device ---- */

static void learned(void *ctx, uint64_t request)
{
    (void)request;
    ((struct hv_bench *)ctx)->served = true;
}

static void serve_done(void *ctx, uint64_t request)
{
    vdev_complete(((struct hv_bench *)ctx)->dev, request);
}

static void serve(void *ctx, uint64_t request)
{
    struct hv_bench *b = ctx;
    sim_after(b->sim, b->set.device, 0, serve_done, b, request);
}

bool hv_bench_device(struct hv_bench *b)
{
    const struct vdev_spec spec = {
        .kind = b->set.op->device,
        .ring = 256,
        .vector = DEVICE,
        .irq_to = vm_vcpu(b->vm, 0),
        .backend = serve,
        .done = learned,
        .ctx = b,
        .worker = {.gang = POLICY_NONE, .home_node = POLICY_NONE, .first_cpu = 1, .n_cpus = 1}};
    if (b->set.op->step[0] == STEP_IO)
        b->dev = vdev_new(b->hv, &spec);
    return b->dev || b->set.op->step[0] != STEP_IO;
}

void hv_bench_start(struct hv_bench *b)
{
    vm_run(b->vm);
    vcpu_on_interrupt(vm_vcpu(b->vm, 0), own_served, b);
    if (b->set.op->step[0] == STEP_IPI) {
        vcpu_on_interrupt(vm_vcpu(b->vm, 1), other_served, b);
        other_rests(b, 0);
    }
    between(b);
}
