/* Devices of guests: each request once, few kicks and interrupts when busy, none of the host's
 * exits where a device is passed through. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "models/vm/vdev.h"
#include "sim/rng.h"
#include "tests/models/vm_world.h"

enum { VECTOR = 0x51, MANY = 400 };

struct bed {
    struct vm_world w;
    struct vdev *d;
    struct rng rng;
    sim_time serve; /* by the backend, exactly or at most */
    bool drawn;
    uint64_t to_submit, at_once, next, done;
    uint8_t seen[MANY];
    sim_time done_at;
    bool waiting; /* for room in the ring */
};

static void complete(void *ctx, uint64_t request)
{
    struct bed *b = ctx;
    vdev_complete(b->d, request);
}

static void backend(void *ctx, uint64_t request)
{
    struct bed *b = ctx;
    sim_time ns = b->drawn ? 1 + rng_below(&b->rng, b->serve) : b->serve;
    sim_after(b->w.cpu.sim, ns, 0, complete, b, request);
}

static void submit(void *ctx, uint64_t unused)
{
    (void)unused;
    struct bed *b = ctx;
    struct vcpu *v = vm_vcpu(b->w.vm, 0);
    const struct vcpu_then t = {.done = submit, .ctx = b};
    b->waiting = b->next < b->to_submit && vdev_full(b->d);
    if (b->next < b->to_submit && !b->waiting)
        vdev_submit(b->d, v, b->next++, &t);
}

static void learned(void *ctx, uint64_t request)
{
    struct bed *b = ctx;
    cr_assert_lt(request, MANY);
    cr_assert_eq(b->seen[request]++, 0, "once");
    b->done++;
    b->done_at = vm_now(&b->w);
}

static void handler(void *ctx, uint64_t vector)
{
    struct bed *b = ctx;
    cr_assert_eq(vector, VECTOR);
    vdev_irq(b->d);
    if (b->waiting && vcpu_resting(vm_vcpu(b->w.vm, 0)))
        submit(b, 0);
}

static void open_bed(struct bed *b, enum vdev_kind kind, uint32_t ring, bool posted)
{
    struct cpus_config cfg = cpu_free_config(1, 2, 1);
    struct vm_spec spec = vm_plain_spec(1);
    spec.posted = posted;
    vm_world_open(&b->w, &cfg, &spec);
    const struct vdev_spec dev = {
        .kind = kind,
        .ring = ring,
        .vector = VECTOR,
        .irq_to = vm_vcpu(b->w.vm, 0),
        .backend = backend,
        .done = learned,
        .ctx = b,
        .worker = {.gang = POLICY_NONE, .home_node = POLICY_NONE, .first_cpu = 1, .n_cpus = 1}};
    b->d = vdev_new(b->w.hv, &dev);
    cr_assert(b->d);
    vcpu_on_interrupt(vm_vcpu(b->w.vm, 0), handler, b);
}

static void close_bed(struct bed *b, uint64_t seed)
{
    struct vdev_counts n;
    vdev_counts(b->d, &n);
    cr_assert_eq(b->done, b->to_submit, "seed %" PRIu64, seed);
    cr_assert_eq(n.submitted, b->to_submit);
    cr_assert_eq(n.completed, n.submitted);
    cr_assert_eq(n.seen, n.submitted);
    cr_assert_eq(n.queued + n.outside, 0);
    vm_world_conserved(&b->w, &b->w.vm, 1, seed);
    vdev_free(b->d);
    vm_world_close(&b->w);
}

/* One request alone: every step of the way, added up. */
Test(vm_vdev, a_lone_request_pays_each_step_once)
{
    const sim_time exit = W_HARDWARE + W_STATE + W_LOOP + W_HANDLER, half = W_HARDWARE / 2;
    static struct bed b;
    b = (struct bed){.serve = 7000000, .to_submit = 1};
    open_bed(&b, VDEV_VIRTIO, 8, true);
    submit(&b, 0);
    sim_run(b.w.cpu.sim, SIM_NEVER);
    cr_assert_eq(b.done_at, exit - half + 1000 + 7000000 + W_NOTIFY + W_IRQ);
    close_bed(&b, 0);

    b = (struct bed){.serve = 7000000, .to_submit = 1};
    open_bed(&b, VDEV_DIRECT, 8, true);
    submit(&b, 0);
    sim_run(b.w.cpu.sim, SIM_NEVER);
    cr_assert_eq(b.done_at, 7000000 + W_NOTIFY + W_IRQ);
    struct vcpu_counts c;
    vcpu_counts(vm_vcpu(b.w.vm, 0), &c);
    cr_assert_eq(c.host_exits, 0, "passed through and posted: the host is not there");
    close_bed(&b, 0);
}

/* A busy ring: the worker is awake, the guest still takes the last interrupt. */
Test(vm_vdev, a_busy_ring_needs_few_kicks_and_interrupts)
{
    static struct bed b;
    b = (struct bed){.serve = 20000, .to_submit = MANY};
    open_bed(&b, VDEV_VIRTIO, 256, true);
    b.w.cost.hardware = 2000000; /* the guest is faster than the worker, and slower to be told */
    b.w.cost.state = b.w.cost.loop = 0;
    b.w.cost.virtio_buffer = 5000000;
    submit(&b, 0);
    sim_run(b.w.cpu.sim, SIM_NEVER);
    struct vdev_counts n;
    vdev_counts(b.d, &n);
    cr_expect_leq(n.kicks, 2, "%lu", (unsigned long)n.kicks);
    cr_expect_lt(n.interrupts, MANY / 4, "%lu", (unsigned long)n.interrupts);
    close_bed(&b, 0);
}

Test(vm_vdev, each_request_completes_once_whatever_the_order)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        static struct bed b;
        b = (struct bed){.drawn = true};
        rng_init_indexed(&b.rng, seed, "test", "vdev", seed);
        b.serve = 1 + rng_below(&b.rng, 900000);
        b.to_submit = 1 + rng_below(&b.rng, MANY);
        open_bed(&b, rng_below(&b.rng, 2) ? VDEV_VIRTIO : VDEV_DIRECT,
                 1 + (uint32_t)rng_below(&b.rng, 64), rng_below(&b.rng, 2));
        b.w.cost.virtio_buffer = rng_below(&b.rng, 400000000);
        b.w.cost.hardware = rng_below(&b.rng, 40000000);
        b.w.cost.guest_irq = rng_below(&b.rng, 40000000);
        submit(&b, 0);
        sim_run(b.w.cpu.sim, SIM_NEVER);
        close_bed(&b, seed);
    }
}
