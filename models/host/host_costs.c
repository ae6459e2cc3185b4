/* host_costs.c - everything that a run looks up in the machine profile. */
#include <string.h>

#include "models/host/host_state.h"

#define PATH_JOINED_MAX 8 /* costs of one command, on any stack */

#define HOST  WHERE_HOST_CPU
#define GUEST WHERE_GUEST_CPU
#define LIST(a)                                                                                    \
    {                                                                                              \
        true, sizeof(a) / sizeof *(a), a                                                           \
    }

/* What a CPU that works for a tenant does by itself: its kernel's timer tick, and going idle. */
static const struct stack_crossing tick_metal[] = {
    {"cost.irq", HOST, KIND_irq, "the timer interrupts"},
    {"cost.timer_program", HOST, KIND_software, "the next one is programmed"},
};
static const struct stack_crossing tick_guest[] = {
    {"cost.vm_exit", HOST, KIND_exit,
     "the timer fires: out of the guest, and in with an interrupt"},
    {"cost.posted_irq", GUEST, KIND_irq, "guest's handler"},
    {"cost.timer_program", GUEST, KIND_software, "guest's timer queue"},
    {"cost.vm_exit", HOST, KIND_exit, "write to the deadline register"},
    {"cost.timer_program", HOST, KIND_software, "hypervisor's timer queue and the real register"},
};
static const struct stack_crossing halt_guest[] = {
    {"cost.vm_exit", HOST, KIND_exit, "HLT: nothing to do"},
};
/* A disk passed through: the metal's path inside the guest, but for the interrupt. */
static const struct stack_crossing done_passed[] = {
    {"cost.posted_irq", GUEST, KIND_irq, "posted interrupt into the guest, no exit"},
    {"cost.block_done", GUEST, KIND_software, "guest's block layer completes the request"},
    {"cost.wake", WHERE_WIRE, KIND_wake, "the thread that waits wakes up"},
};

static const struct {
    enum tenant_path path;
    enum stack_path_id id;
    enum legs_part part;
    enum ledger_category device;
} paths[] = {
    {PATH_syscall, STACK_syscall, LEGS_ALL, LEDGER_io},
    {PATH_read, STACK_block_read, LEGS_ALL, LEDGER_io},
    {PATH_write, STACK_block_write, LEGS_ALL, LEDGER_io},
    {PATH_io_done, STACK_block_done, LEGS_ALL, LEDGER_io},
    {PATH_request_in, STACK_request_in, LEGS_ALL, LEDGER_io},
    {PATH_send, STACK_net_send, LEGS_ALL, LEDGER_io},
    {PATH_page_fault, STACK_page_fault, LEGS_ALL, LEDGER_io},
    {PATH_timer, STACK_timer, LEGS_ALL, LEDGER_io},
    {PATH_ipi, STACK_ipi, LEGS_BEFORE, LEDGER_io},
    {PATH_ipi_taken, STACK_ipi, LEGS_AFTER, LEDGER_io},
    {PATH_launch, STACK_launch, LEGS_ALL, LEDGER_gpu},
    {PATH_copy, STACK_copy, LEGS_ALL, LEDGER_gpu},
    {PATH_polled, STACK_complete, LEGS_ALL, LEDGER_gpu},
    {PATH_sync, STACK_sync, LEGS_BEFORE, LEDGER_gpu},
    {PATH_sync_done, STACK_sync, LEGS_AFTER, LEDGER_gpu},
};

static bool any(const struct host_setup *s, unsigned needs)
{
    for (size_t i = 0; i < s->n_vm; i++)
        if (s->vm[i].needs & needs)
            return true;
    return false;
}

static int read_paths(struct host *h, struct legs to[PATHS_N], const struct stack *s, bool vm)
{
    static const struct stack_path metal = LIST(tick_metal), guest = LIST(tick_guest),
                                   halt = LIST(halt_guest);
    const struct legs_of tick = {vm ? &guest : &metal, LEGS_ALL, vm, LEDGER_io};
    const struct legs_of halts = {&halt, LEGS_ALL, vm, LEDGER_io};
    int rc = legs_read(&to[PATH_tick], &tick, &h->use, h->e);
    if (!rc && vm)
        rc = legs_read(&to[PATH_halt], &halts, &h->use, h->e);
    for (size_t i = 0; !rc && i < sizeof paths / sizeof *paths; i++) {
        const struct legs_of of = {&s->path[paths[i].id], paths[i].part, vm, paths[i].device};
        if (paths[i].device == LEDGER_gpu && !any(h->set, NEEDS_GPU))
            continue;
        rc = legs_read(&to[paths[i].path], &of, &h->use, h->e);
    }
    return rc;
}

/* What every command costs also when it goes along with another one's crossing. */
static bool per_command(const struct stack_crossing *c)
{
    static const char *const each[] = {"cost.launch", "cost.gpu_dispatch", "cost.remote_stub",
                                       "cost.remote_dispatch"};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (c->cost && !strcmp(c->cost, each[i]))
            return true;
    return false;
}

/* What tenants have given to the OS: launches that go along with others, staging without copies. */
static int read_offload(struct host *h)
{
    const struct stack_path *launch = &h->stack->path[STACK_launch];
    struct stack_crossing joined[PATH_JOINED_MAX];
    struct stack_path path = {true, 0, joined};
    sim_cost pin = 0;
    bool pins = false;
    for (size_t i = 0; i < launch->n && path.n < PATH_JOINED_MAX; i++)
        if (per_command(&launch->crossing[i]))
            joined[path.n++] = launch->crossing[i];
    const struct legs_of of = {&path, LEGS_ALL, h->vm, LEDGER_gpu};
    int rc = any(h->set, NEEDS_GPU) ? legs_read(&h->path[PATH_joined], &of, &h->use, h->e) : 0;
    for (size_t i = 0; i < h->set->n_vm; i++)
        pins |= h->set->vm[i].pins;
    if (!rc && pins && !h->stack->path[STACK_stage].exists)
        return err_set(h->e, ERR_ENAME,
                       "host.vms: offload.staging is \"os\", but stack \"%s\" has no path stage",
                       h->stack->name);
    const struct legs_of stage = {&h->stack->path[STACK_stage], LEGS_ALL, h->vm, LEDGER_gpu};
    if (!rc && pins)
        rc = legs_read(&h->path[PATH_stage], &stage, &h->use, h->e);
    if (!rc && pins)
        rc = machine_ps(&h->use, "cost.cap_invoke", &pin, h->e);
    h->pin = 2 * pin; /* mapped, and later taken away */
    return rc;
}

/* Input that the OS reads ahead, and how a thread gets it. */
static int read_ahead(struct host *h)
{
    const enum stack_path_id take =
        h->stack->path[STACK_stage].exists ? STACK_stage : STACK_syscall;
    const struct legs_of of = {&h->stack->path[take], LEGS_ALL, h->vm, LEDGER_io};
    struct stack_cost read;
    sim_cost pin = 0;
    bool any_ahead = false;
    for (size_t i = 0; i < h->set->n_vm; i++)
        any_ahead |= h->set->vm[i].window > 0;
    if (!any_ahead)
        return 0;
    int rc = legs_read(&h->path[PATH_ahead], &of, &h->use, h->e);
    if (!rc)
        rc = stack_cost(h->stack, STACK_os_read, &h->use, &read, h->e);
    h->maps = take == STACK_stage;
    if (!rc && h->maps)
        rc = machine_ps(&h->use, "cost.cap_invoke", &pin, h->e);
    h->pin = h->maps ? 2 * pin : h->pin;
    h->os_read = rc ? 0 : read.cpu_before;
    h->os_read_wire = rc ? 0 : read.wire_before;
    h->os_read_exits = rc ? 0 : read.kind_n[KIND_exit];
    return rc;
}

static int read_passed(struct host *h)
{
    static const struct stack_path done = LIST(done_passed);
    const struct stack *metal = stack_find("native", h->e);
    const struct legs_of read = {&metal->path[STACK_block_read], LEGS_ALL, false, LEDGER_io};
    const struct legs_of write = {&metal->path[STACK_block_write], LEGS_ALL, false, LEDGER_io};
    const struct legs_of back = {&done, LEGS_ALL, true, LEDGER_io};
    for (int p = 0; p < PATHS_N; p++)
        h->passed[p] = h->path[p];
    if (!h->vm)
        return 0;
    int rc = legs_read(&h->passed[PATH_read], &read, &h->use, h->e);
    if (!rc)
        rc = legs_read(&h->passed[PATH_write], &write, &h->use, h->e);
    return rc ? rc : legs_read(&h->passed[PATH_io_done], &back, &h->use, h->e);
}

/* Halt polling is KVM's; its default applies where KVM runs. */
static int read_polling(struct host *h)
{
    sim_cost most = 0, first = 0, spin = 0, slice = 0;
    double grow = 0;
    int rc = machine_ps(&h->use, "host.poll_most", &most, h->e);
    if (!rc)
        rc = machine_ps(&h->use, "host.poll_first", &first, h->e);
    if (!rc)
        rc = machine_value(&h->use, "host.poll_grow", QUANTITY_COUNT, &grow, h->e);
    if (!rc)
        rc = machine_ps(&h->use, "host.lock_spin", &spin, h->e);
    if (!rc)
        rc = machine_ps(&h->use, "host.guest_slice", &slice, h->e);
    h->poll = (struct halt_poll_rule){.cap = strncmp(h->stack->name, "kvm", 3) ? 0 : most / 1000,
                                      .grow_start = first / 1000,
                                      .grow = (uint32_t)grow};
    h->lock_spin = spin / 1000;
    h->guest_slice = slice / 1000;
    return rc;
}

/* Where the GPU is somebody else's, bytes go over the channel to him first, and then over the link.
 */
static int read_channel(struct host *h)
{
    double rate = 1;
    int rc = machine_value(&h->use, "remote.tcp.bandwidth", QUANTITY_RATE, &rate, h->e);
    if (!rc && rate <= 0)
        rc = err_set(h->e, ERR_ERANGE, "machine \"%s\": remote.tcp.bandwidth: want more than 0",
                     h->use.machine->name);
    h->pcie_ps_per_byte += rc ? 0 : 1e12 / rate;
    return rc;
}

static int check_sharing(struct host *h, const char *stack)
{
    const char *want = setup_gpus_wanted(h->set, stack);
    return want ? err_set(h->e, ERR_ERANGE,
                          "host.gpus.sharing: got \"%s\", want \"%s\", for the stack is %s",
                          setup_gpus_name(h->set->gpus.sharing), want, stack)
                : 0;
}

int host_costs(struct host *h, const char *stack)
{
    double pcie = 1, depth = 1;
    int rc = machine_use_begin(&h->use, h->env->machine, h->e);
    if (!rc && !(h->stack = stack_find(stack ? stack : "native", h->e)))
        rc = ERR_ENAME;
    if (rc)
        return rc;
    h->vm = stack_in_vm(h->stack);
    rc = read_paths(h, h->path, h->stack, h->vm);
    if (!rc)
        rc = read_offload(h);
    if (!rc)
        rc = check_sharing(h, stack);
    if (!rc && h->set->parts)
        rc = gpu_parts_costs(&h->parts, &h->set->gpus, &h->use, h->e);
    if (!rc)
        rc = read_ahead(h);
    if (!rc)
        rc = read_passed(h);
    if (!rc)
        rc = cpus_config(&h->cpu_config, &h->use, h->e);
    if (!rc)
        rc = memory_costs(&h->memory, any(h->set, NEEDS_MEMORY), &h->use, h->e);
    if (!rc)
        rc = read_polling(h);
    if (!rc && any(h->set, NEEDS_GPU))
        rc = machine_value(&h->use, "link.pcie", QUANTITY_RATE, &pcie, h->e);
    if (!rc && any(h->set, NEEDS_GPU))
        rc = machine_value(&h->use, "host.gpu_depth", QUANTITY_COUNT, &depth, h->e);
    if (!rc && (depth < 1 || depth > 65536 || pcie <= 0))
        rc = err_set(h->e, ERR_ERANGE,
                     "machine \"%s\": want host.gpu_depth of 1..65536 and link.pcie above 0",
                     h->use.machine->name);
    h->gpu_depth = (uint64_t)depth;
    if (!rc && any(h->set, NEEDS_DISK))
        rc = ssd_params(&h->drive, &h->use, h->set->disk, h->e);
    h->pcie_ps_per_byte = 1e12 / pcie;
    if (!rc && any(h->set, NEEDS_GPU) && stack_pays(h->stack, STACK_copy, "cost.remote_dispatch"))
        rc = read_channel(h);
    return rc;
}
