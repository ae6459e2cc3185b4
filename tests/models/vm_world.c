#include "tests/models/vm_world.h"

#include <criterion/criterion.h>
#include <inttypes.h>

static void fill(struct hv_cost *c)
{
    const sim_cost ns = 1000;
    *c = (struct hv_cost){.clock = 1e9,
                          .hardware = W_HARDWARE * ns,
                          .state = W_STATE * ns,
                          .loop = W_LOOP * ns,
                          .user_out = 3 * ns,
                          .user_device = 2 * ns,
                          .user_in = 1 * ns,
                          .nested_switch = 7000000 * ns,
                          .nested_copy = 1000000 * ns,
                          .nested_user_exits = 10,
                          .guest_irq = W_IRQ * ns,
                          .ipi_notify = W_NOTIFY * ns,
                          .poll_notice = 30 * ns,
                          .ept_small = 1500 * ns,
                          .ept_large = 100000 * ns,
                          .ept_copy = 1700 * ns,
                          .balloon_page = 2000 * ns,
                          .ksm_scan = 500 * ns,
                          .ksm_merge = 10000 * ns,
                          .virtio_ring = 100 * ns,
                          .virtio_buffer = 1000 * ns,
                          .doorbell = 300 * ns,
                          .guest_tpr = 20 * ns};
    for (int r = 0; r < EXIT_REASONS_N; r++)
        c->handler[r] = W_HANDLER * ns;
}

struct vm_spec vm_plain_spec(uint32_t vcpus)
{
    struct vm_spec s = {.id = 1, .vcpus = vcpus, .posted = true, .pin = true};
    s.halt_poll = (struct halt_poll_rule){.grow_start = 10000, .grow = 2};
    s.task = (struct cpu_task_spec){.gang = POLICY_NONE, .home_node = POLICY_NONE};
    return s;
}

static void open_host(struct vm_world *w)
{
    fill(&w->cost);
    const struct hv_env env = {w->cpu.sim, w->cpu.cpus, &w->cost};
    w->hv = hv_new(&env);
    cr_assert(w->hv);
    w->vm = NULL;
}

void vm_world_open_shuffled(struct vm_world *w, const struct cpus_config *cfg, uint64_t seed)
{
    cpu_world_open(&w->cpu, cfg, NULL, NULL, seed, true);
    open_host(w);
}

void vm_world_open(struct vm_world *w, const struct cpus_config *cfg, const struct vm_spec *spec)
{
    cpu_world_open(&w->cpu, cfg, NULL, NULL, 1, false);
    open_host(w);
    if (!spec)
        return;
    w->vm = vm_create(w->hv, spec);
    cr_assert(w->vm);
    vm_run(w->vm);
}

void vm_world_close(struct vm_world *w)
{
    hv_free(w->hv);
    cpu_world_close(&w->cpu);
}

sim_time vm_now(const struct vm_world *w)
{
    return sim_now(w->cpu.sim);
}

static void noted(void *ctx, uint64_t unused)
{
    (void)unused;
    *(bool *)ctx = true;
}

sim_time vm_exit_takes(struct vm_world *w, struct vcpu *v, enum exit_reason r)
{
    bool done = false;
    const struct vcpu_then then = {.done = noted, .ctx = &done};
    sim_time start = vm_now(w);
    vcpu_exit(v, r, &then);
    while (!done && sim_step(w->cpu.sim))
        ;
    cr_assert(done);
    return vm_now(w) - start;
}

static void vcpu_conserved(const struct vcpu *v, uint64_t seed)
{
    struct vcpu_counts n;
    vcpu_counts(v, &n);
    cr_assert_eq(n.raised, n.collapsed + n.delivered + n.waiting, "interrupts, seed %" PRIu64,
                 seed);
    cr_assert_eq(n.task.ran + n.task.waited + n.task.slept, n.task.age, "age, seed %" PRIu64, seed);
}

void vm_world_conserved(const struct vm_world *w, struct vm *const *vm, size_t n, uint64_t seed)
{
    struct cpus_totals t;
    cpus_totals(w->cpu.cpus, &t);
    cr_assert_eq(t.work + t.spin + t.overhead + t.idle, t.wall * t.cpus, "CPU time, seed %" PRIu64,
                 seed);
    for (size_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < vm_spec_of(vm[i])->vcpus; c++)
            vcpu_conserved(vm_vcpu(vm[i], c), seed);
}
