/* vCPUs: what an operation takes is the sum of its primitives, whatever order things happen in. */
#include <criterion/criterion.h>

#include "tests/models/vm_world.h"

enum { EXIT_ALL = W_HARDWARE + W_STATE + W_LOOP + W_HANDLER, VECTOR = 0x41 };

struct seen {
    struct vm_world *w;
    unsigned served, done;
    uint64_t vector;
    sim_time served_at, done_at;
};

static void served(void *ctx, uint64_t vector)
{
    struct seen *s = ctx;
    s->served++;
    s->vector = vector;
    s->served_at = vm_now(s->w);
}

static void done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct seen *s = ctx;
    s->done++;
    s->done_at = vm_now(s->w);
}

static struct vcpu_then then(struct seen *s)
{
    return (struct vcpu_then){.done = done, .ctx = s};
}

static void open_two(struct vm_world *w, struct vm_spec *spec)
{
    struct cpus_config cfg = cpu_free_config(1, 2, 1);
    vm_world_open(w, &cfg, spec);
}

static void finish(struct vm_world *w)
{
    sim_run(w->cpu.sim, SIM_NEVER);
    vm_world_conserved(w, &w->vm, 1, 0);
    vm_world_close(w);
}

Test(vm_vcpu, an_exit_is_the_sum_of_its_primitives)
{
    struct vm_world w;
    struct vm_spec spec = vm_plain_spec(1);
    open_two(&w, &spec);
    struct vcpu *v = vm_vcpu(w.vm, 0);
    cr_assert_eq(vm_exit_takes(&w, v, EXIT_CPUID), EXIT_ALL);
    cr_assert_eq(vm_exit_takes(&w, v, EXIT_IO_USER), EXIT_ALL + 6);
    struct vcpu_counts n;
    vcpu_counts(v, &n);
    cr_assert_eq(n.exits[EXIT_CPUID], 1);
    cr_assert_eq(n.host_exits, 2);
    cr_assert_eq(exit_sum(n.part), 1000 * (2 * EXIT_ALL + 6), "every picosecond has a place");
    finish(&w);
}

Test(vm_vcpu, a_nested_exit_is_made_of_the_host_s_and_the_guest_hypervisor_s_own)
{
    struct vm_world w;
    struct vm_spec spec = vm_plain_spec(1);
    spec.nested = 1;
    open_two(&w, &spec);
    struct vcpu *v = vm_vcpu(w.vm, 0);
    sim_time one = 2 * (W_HARDWARE + W_STATE + W_LOOP) + W_STATE + W_LOOP + W_HANDLER + 7000000;
    cr_assert_eq(vm_exit_takes(&w, v, EXIT_CPUID), one);
    /* the guest hypervisor leaves itself ten times on the way to its user space */
    cr_assert_eq(vm_exit_takes(&w, v, EXIT_IO_USER), one + 6 + 10 * EXIT_ALL);
    struct vcpu_counts n;
    vcpu_counts(v, &n);
    cr_assert_eq(n.host_exits, 2 + 12);
    finish(&w);
}

Test(vm_vcpu, a_posted_interrupt_costs_a_running_guest_no_exit)
{
    for (int posted = 0; posted < 2; posted++) {
        struct vm_world w;
        struct vm_spec spec = vm_plain_spec(1);
        spec.posted = posted;
        open_two(&w, &spec);
        struct vcpu *v = vm_vcpu(w.vm, 0);
        struct seen s = {.w = &w};
        struct vcpu_then t = then(&s);
        vcpu_on_interrupt(v, served, &s);
        vcpu_compute(v, 1000000, &t);
        sim_run(w.cpu.sim, 300000);
        cr_assert(vcpu_interrupt(v, VECTOR));
        cr_assert_not(vcpu_interrupt(v, VECTOR), "it waits already: the same interrupt");
        sim_run(w.cpu.sim, SIM_NEVER);
        sim_time more = posted ? 0 : 2 * EXIT_ALL; /* the kick, and the end of interrupt */
        cr_assert_eq(s.served_at, 300000 + W_NOTIFY + W_IRQ + more);
        cr_assert_eq(s.done_at, 1000000 + W_IRQ + more);
        cr_assert_eq(s.vector, VECTOR);
        cr_assert_eq(s.served, 1);
        finish(&w);
    }
}

/* The same sender and target by each path: what is skipped or put off is what is saved. */
Test(vm_vcpu, an_ipi_saves_what_its_fast_path_puts_off)
{
    static const struct {
        enum exit_path path;
        bool ipi_virtual;
        sim_time want;
    } rows[] = {
        {EXIT_PATH_FULL, false, W_HARDWARE / 2 + W_STATE + W_LOOP + W_HANDLER},
        {EXIT_PATH_EARLY, false, W_HARDWARE / 2 + W_STATE + W_HANDLER},
        {EXIT_PATH_ULTRA, false, W_HARDWARE / 2 + W_HANDLER},
        {EXIT_PATH_FULL, true, 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct vm_world w;
        struct vm_spec spec = vm_plain_spec(2);
        spec.ipi_path = rows[i].path;
        spec.ipi_virtual = rows[i].ipi_virtual;
        open_two(&w, &spec);
        struct seen a = {.w = &w}, b = {.w = &w};
        struct vcpu_then ta = then(&a), tb = then(&b);
        vcpu_on_interrupt(vm_vcpu(w.vm, 1), served, &b);
        vcpu_spin(vm_vcpu(w.vm, 1), &tb);
        vcpu_ipi(vm_vcpu(w.vm, 0), vm_vcpu(w.vm, 1), VECTOR, &ta);
        sim_run(w.cpu.sim, SIM_NEVER);
        cr_assert_eq(b.served_at, rows[i].want + W_NOTIFY + W_IRQ, "row %zu", i);
        cr_assert_eq(b.done, 1, "spinning ends when it was served");
        cr_assert_eq(a.done, 1);
        finish(&w);
    }
}

Test(vm_vcpu, a_timer_reaches_a_guest_that_runs_one_that_halts_and_one_that_asks_late)
{
    static const struct {
        sim_time after; /* the deadline, from the start */
        bool halt, advance;
        sim_time served;
    } rows[] = {
        {0, false, false, EXIT_ALL + W_HANDLER + W_IRQ},
        {900000, false, false, 900000 + EXIT_ALL + W_IRQ},
        {900000, false, true, 900000 - 1000 + EXIT_ALL + W_IRQ}, /* early, but not enough */
        {900000, true, false, 900000 + W_HARDWARE / 2 + W_IRQ},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct vm_world w;
        struct vm_spec spec = vm_plain_spec(1);
        spec.advance = rows[i].advance;
        open_two(&w, &spec);
        struct vcpu *v = vm_vcpu(w.vm, 0);
        struct seen s = {.w = &w};
        struct vcpu_then t = then(&s);
        vcpu_on_interrupt(v, served, &s);
        vcpu_timer(v, rows[i].after, VECTOR, &t);
        while (!s.done && sim_step(w.cpu.sim))
            ;
        if (!s.served)
            (rows[i].halt ? vcpu_halt : vcpu_spin)(v, &t);
        sim_run(w.cpu.sim, SIM_NEVER);
        cr_assert_eq(s.served, 1, "row %zu", i);
        cr_assert_eq(s.served_at, rows[i].served, "row %zu: %lu", i, (unsigned long)s.served_at);
        finish(&w);
    }
}

/* An expiry that takes longer than the timer is set early is late at first; then the lead grows. */
Test(vm_vcpu, an_advanced_timer_learns_to_be_in_time)
{
    struct vm_world w;
    struct vm_spec spec = vm_plain_spec(1);
    spec.advance = true;
    open_two(&w, &spec);
    w.cost.hardware = 2000000;
    w.cost.state = w.cost.guest_irq = 0;
    w.cost.loop = 800000;
    struct vcpu *v = vm_vcpu(w.vm, 0);
    struct seen s = {.w = &w};
    struct vcpu_then t = then(&s);
    sim_time late = 0;
    vcpu_on_interrupt(v, served, &s);
    for (unsigned i = 0; i < 100; i++) {
        sim_time deadline = vm_now(&w) + 100000;
        vcpu_timer(v, deadline, VECTOR, &t);
        while (s.done == 2 * i && sim_step(w.cpu.sim))
            ;
        vcpu_spin(v, &t);
        while (s.done == 2 * i + 1 && sim_step(w.cpu.sim))
            ;
        late = s.served_at - deadline;
        if (!i) /* half the exit, loop, handler, entry, less the first lead */
            cr_assert_eq(late, 1000 + 800 + W_HANDLER + 1000 - 1000);
    }
    cr_assert_geq(late, 1000, "never before the deadline and the entry");
    cr_assert_leq(late, 1000 + 100, "within what is left alone");
    finish(&w);
}

Test(vm_vcpu, nothing_of_the_guest_runs_while_its_vm_is_paused)
{
    struct vm_world w;
    struct vm_spec spec = vm_plain_spec(2);
    open_two(&w, &spec);
    struct seen a = {.w = &w}, b = {.w = &w};
    struct vcpu_then ta = then(&a), tb = then(&b);
    vcpu_on_interrupt(vm_vcpu(w.vm, 1), served, &b);
    vcpu_compute(vm_vcpu(w.vm, 0), 2000000, &ta);
    vcpu_halt(vm_vcpu(w.vm, 1), &tb);
    sim_run(w.cpu.sim, 500000);
    vm_pause(w.vm);
    vcpu_interrupt(vm_vcpu(w.vm, 1), VECTOR);
    sim_run(w.cpu.sim, 10000000);
    cr_assert_eq(a.done + b.done + b.served, 0);
    vm_run(w.vm);
    sim_run(w.cpu.sim, SIM_NEVER);
    cr_assert_eq(a.done_at, 10000000 + 1500000, "what was left, and no more");
    cr_assert_eq(b.served_at, 10000000 + W_IRQ);
    finish(&w);
}

Test(vm_vcpu, a_vm_may_be_destroyed_whatever_it_does)
{
    for (sim_time at = 0; at < 1200000; at += 37123) {
        struct vm_world w;
        struct vm_spec spec = vm_plain_spec(2);
        open_two(&w, &spec);
        struct seen a = {.w = &w}, b = {.w = &w};
        struct vcpu_then ta = then(&a), tb = then(&b);
        vcpu_timer(vm_vcpu(w.vm, 0), 600000, VECTOR, &ta);
        vcpu_ipi(vm_vcpu(w.vm, 1), vm_vcpu(w.vm, 0), VECTOR, &tb);
        sim_run(w.cpu.sim, at);
        vm_destroy(w.vm);
        unsigned before = a.done + b.done;
        sim_run(w.cpu.sim, SIM_NEVER);
        cr_assert_eq(a.done + b.done, before);
        vm_world_close(&w);
    }
}

/* Two guests want one CPU: what each waits is its steal time, and each preemption is an exit. */
Test(vm_vcpu, a_guest_sees_as_steal_what_another_takes)
{
    enum { WORK = 50000000 };
    struct vm_world w;
    struct cpus_config cfg = cpu_free_config(1, 1, 1);
    struct vm_spec spec = vm_plain_spec(1);
    vm_world_open(&w, &cfg, &spec);
    spec.id = 2;
    struct vm *vm[2] = {w.vm, vm_create(w.hv, &spec)};
    struct seen s[2] = {{.w = &w}, {.w = &w}};
    struct vcpu_counts n[2];
    vm_run(vm[1]);
    for (int i = 0; i < 2; i++) {
        struct vcpu_then t = then(&s[i]);
        vcpu_compute(vm_vcpu(vm[i], 0), WORK, &t);
    }
    sim_run(w.cpu.sim, SIM_NEVER);
    sim_time ran = 0;
    for (int i = 0; i < 2; i++) {
        vcpu_counts(vm_vcpu(vm[i], 0), &n[i]);
        cr_expect_eq(n[i].exits[EXIT_EXTINT], n[i].task.preemptions);
        cr_expect_gt(n[i].task.preemptions, 0);
        cr_expect_eq(n[i].task.ran, WORK + n[i].task.preemptions * EXIT_ALL);
        cr_expect_eq(n[i].task.waited, s[i].done_at - n[i].task.ran, "awake all the time");
        ran += n[i].task.ran;
    }
    cr_expect_eq(ran, vm_now(&w), "the CPU never idled");
    vm_world_conserved(&w, vm, 2, 0);
    vm_world_close(&w);
}

/* It waits for its first turn when the interrupt comes: served as the turn begins, not at the end.
 */
Test(vm_vcpu, a_vcpu_that_waits_for_its_cpu_is_interrupted_as_it_gets_it)
{
    struct vm_world w;
    struct cpus_config cfg = cpu_free_config(1, 1, 1);
    struct vm_spec spec = vm_plain_spec(1);
    vm_world_open(&w, &cfg, &spec);
    spec.id = 2;
    struct vm *late = vm_create(w.hv, &spec);
    struct seen a = {.w = &w}, b = {.w = &w};
    struct vcpu_then ta = then(&a), tb = then(&b);
    vm_run(late);
    vcpu_on_interrupt(vm_vcpu(late, 0), served, &b);
    vcpu_compute(vm_vcpu(w.vm, 0), 50000, &ta);
    vcpu_compute(vm_vcpu(late, 0), 9000000, &tb);
    sim_run(w.cpu.sim, 10000);
    cr_assert_not(cpu_task_on_cpu(vcpu_task(vm_vcpu(late, 0))));
    vcpu_interrupt(vm_vcpu(late, 0), VECTOR);
    sim_run(w.cpu.sim, SIM_NEVER);
    cr_assert_eq(a.done_at, 50000);
    cr_assert_eq(b.served_at, 50000 + W_IRQ);
    cr_assert_eq(b.done_at, 50000 + W_IRQ + 9000000);
    vm_world_conserved(&w, (struct vm *[]){w.vm, late}, 2, 0);
    vm_world_close(&w);
}
