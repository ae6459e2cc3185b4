/* Hundreds of small random hosts: whatever their VMs do to each other, CPU time adds up and every
 * interrupt is served once. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "tests/models/vm_world.h"

enum { HOSTS = 240, VMS = 3, VCPUS = 4, TIMER = 0x30 };

struct guest {
    struct vcpu *v;
    struct scene *s;
    uint64_t left, served; /* operations to come; interrupts */
    bool wait_next, halts; /* behind a timer: HLT with interrupts off until then, or a spin */
    bool timer_served;
};
struct scene {
    struct vm_world w;
    struct rng rng;
    uint64_t seed;
    struct vm *vm[VMS];
    size_t n_vm;
    struct guest guest[VMS * VCPUS];
    size_t n;
    uint64_t pokes, fresh; /* from outside; of these, not collapsed */
};

static uint64_t below(struct scene *s, uint64_t n)
{
    return rng_below(&s->rng, n);
}

static void served(void *ctx, uint64_t vector)
{
    struct guest *g = ctx;
    g->served++;
    g->timer_served |= vector == TIMER;
}

/* One operation after another; who halts or spins has set a timer, so that it ends. */
static void next(void *ctx, uint64_t unused)
{
    (void)unused;
    struct guest *g = ctx;
    struct scene *s = g->s;
    struct vm *vm = vcpu_vm(g->v);
    const struct vcpu_then then = {.done = next, .ctx = g};
    sim_time now = vm_now(&s->w);
    if (g->wait_next) {
        g->wait_next = false;
        if (g->halts || !g->timer_served) {
            (g->halts ? vcpu_halt : vcpu_spin)(g->v, &then);
            return;
        }
    }
    if (!g->left)
        return;
    g->left--;
    struct vcpu *other = vm_vcpu(vm, (uint32_t)below(s, vm_spec_of(vm)->vcpus));
    switch (below(s, 6)) {
    case 0:
    case 1:
        vcpu_compute(g->v, below(s, 400000), &then);
        break;
    case 2:
        vcpu_exit(g->v, (enum exit_reason)below(s, EXIT_REASONS_N), &then);
        break;
    case 3:
        vcpu_ipi(g->v, other, (uint8_t)(0x40 + below(s, 100)), &then);
        break;
    default:
        g->wait_next = true;
        g->timer_served = false;
        g->halts = below(s, 3);
        if (g->halts)
            vcpu_mask(g->v, true);
        vcpu_timer(g->v, now + below(s, 500000), TIMER, &then);
    }
}

static void poke(void *ctx, uint64_t left)
{
    struct scene *s = ctx;
    struct guest *g = &s->guest[below(s, s->n)];
    s->pokes++;
    s->fresh += vcpu_interrupt(g->v, (uint8_t)(0xb0 + below(s, 8)));
    if (left)
        sim_after(s->w.cpu.sim, 1 + below(s, 300000), 0, poke, s, left - 1);
}

static void pause_or_run(void *ctx, uint64_t left)
{
    struct scene *s = ctx;
    struct vm *m = s->vm[below(s, s->n_vm)];
    (vm_paused(m) ? vm_run : vm_pause)(m);
    vm_world_conserved(&s->w, s->vm, s->n_vm, s->seed);
    if (left)
        sim_after(s->w.cpu.sim, 1 + below(s, 900000), 0, pause_or_run, s, left - 1);
}

static struct vm_spec random_spec(struct scene *s, uint32_t cpus)
{
    struct vm_spec p = vm_plain_spec(1 + (uint32_t)below(s, VCPUS));
    p.id = 1 + (uint32_t)s->n_vm;
    p.posted = below(s, 2);
    p.ipi_virtual = below(s, 2);
    p.advance = below(s, 2);
    p.nested = (unsigned)below(s, 2);
    p.copy = below(s, 2);
    p.pmu = below(s, 2);
    p.timer_path = (enum exit_path)below(s, 4);
    p.ipi_path = (enum exit_path)below(s, 4);
    p.halt_poll.cap = below(s, 2) * (1 + below(s, 400000));
    p.halt_poll.shrink = (uint32_t)below(s, 3);
    p.pin = p.vcpus <= cpus && below(s, 2);
    return p;
}

/* Cheap primitives, so that much happens within the guests' short lives. */
static void scale(struct hv_cost *c, struct scene *s)
{
    c->hardware = 1 + below(s, 2000000);
    c->state = below(s, 200000);
    c->loop = below(s, 600000);
    c->nested_switch = below(s, 9000000);
    c->guest_irq = 1 + below(s, 1000000);
    c->ipi_notify = below(s, 900000);
}

static void open_scene(struct scene *s, uint64_t seed)
{
    *s = (struct scene){.seed = seed};
    rng_init_indexed(&s->rng, seed, "test", "vm", seed);
    struct cpus_config cfg = cpu_free_config(1 + (uint32_t)below(s, 2), 1 + (uint32_t)below(s, 3),
                                             1 + (uint32_t)below(s, 2));
    cfg.context_switch = below(s, 2000000);
    cfg.wake_cross = below(s, 3000000);
    cfg.migrate_core = below(s, 9000000);
    cfg.smt_speed = 0.5 + 0.5 * rng_unit(&s->rng);
    if (seed % 2)
        vm_world_open_shuffled(&s->w, &cfg, seed);
    else
        vm_world_open(&s->w, &cfg, NULL);
    scale(&s->w.cost, s);
    uint32_t cpus = cpus_count(s->w.cpu.cpus);
    size_t vms = 1 + below(s, VMS);
    while (s->n_vm < vms) {
        struct vm_spec p = random_spec(s, cpus);
        struct vm *m = s->vm[s->n_vm++] = vm_create(s->w.hv, &p);
        cr_assert(m);
        for (uint32_t i = 0; i < p.vcpus; i++) {
            struct guest *g = &s->guest[s->n++];
            *g = (struct guest){.v = vm_vcpu(m, i), .s = s, .left = 10 + below(s, 60)};
            vcpu_on_interrupt(g->v, served, g);
        }
    }
}

static void check_guest(const struct scene *s, const struct guest *g)
{
    struct vcpu_counts n;
    vcpu_counts(g->v, &n);
    cr_assert_eq(n.waiting, 0, "all are served, seed %" PRIu64, s->seed);
    cr_assert_eq(g->served, n.raised - n.collapsed, "each once, seed %" PRIu64, s->seed);
    cr_assert_eq(g->left, 0, "and the guest went on, seed %" PRIu64, s->seed);
    cr_assert(vcpu_resting(g->v), "seed %" PRIu64, s->seed);
}

static void live(uint64_t seed)
{
    struct scene *s = malloc(sizeof *s);
    cr_assert(s);
    open_scene(s, seed);
    for (size_t i = 0; i < s->n_vm; i++)
        vm_run(s->vm[i]);
    for (size_t i = 0; i < s->n; i++)
        next(&s->guest[i], 0);
    poke(s, 40);
    pause_or_run(s, 12);
    sim_run(s->w.cpu.sim, 60 * SIM_MS);
    for (size_t i = 0; i < s->n_vm; i++)
        vm_run(s->vm[i]);
    sim_run(s->w.cpu.sim, SIM_NEVER);
    vm_world_conserved(&s->w, s->vm, s->n_vm, seed);
    for (size_t i = 0; i < s->n; i++)
        check_guest(s, &s->guest[i]);
    cr_assert_gt(s->fresh, 0);
    vm_world_close(&s->w);
    free(s);
}

Test(vm_random, cpu_time_adds_up_and_every_interrupt_is_served_once)
{
    for (uint64_t seed = 1; seed <= HOSTS; seed++)
        live(seed);
}
