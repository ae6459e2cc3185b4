#include "models/host/setup.h"

#include <stdlib.h>
#include <string.h>

/* ---- one kind of VM --------------------------------------------------------------- */

struct raw_vm {
    struct vm_setup v;
    double mem_gib, halt_poll_us, budget_ms, period_ms;
    const struct config *pages, *device, *gpu, *offload, *workload;
};
#define IN(type, key, lo, hi)                                                                      \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct raw_vm, v.key), lo, hi, false                       \
    }
static const struct config_field vm_fields[] = {
    IN(STR, name, 0, 0),
    IN(U32, count, 1, TENANTS_MAX),
    IN(U32, vcpus, 1, 256),
    IN(U32, weight, 1, 1048576),
    IN(U32, tick_hz, 0, 10000),
    IN(BOOL, pv_lock, 0, 0),
    IN(F64, footprint, 0, 1),
    CONFIG_F64(struct raw_vm, mem_gib, 0.001, 1e6, false),
    CONFIG_F64(struct raw_vm, halt_poll_us, 0, 1e6, false),
    CONFIG_F64(struct raw_vm, budget_ms, 0.01, 1e4, false),
    CONFIG_F64(struct raw_vm, period_ms, 0.01, 1e4, false),
    CONFIG_ANY(struct raw_vm, pages, false),
    CONFIG_ANY(struct raw_vm, device, false),
    CONFIG_ANY(struct raw_vm, gpu, false),
    CONFIG_ANY(struct raw_vm, offload, false),
    CONFIG_ANY(struct raw_vm, workload, true),
    CONFIG_END,
};

static int choice(const struct config *c, const char *const *names, bool *second, struct err *e)
{
    int k = *second;
    int rc = c ? config_choice(c, names, &k, e) : 0;
    *second = k == 1;
    return rc;
}

static unsigned needs_of(const struct op *op)
{
    switch (op->kind) {
    case OP_launch:
    case OP_copy:
        return NEEDS_GPU;
    case OP_read:
    case OP_write:
    case OP_fetch:
        return NEEDS_DISK;
    case OP_compute:
        return op->memory_bound > 0 && op->bytes ? NEEDS_MEMORY : 0;
    default:
        return 0;
    }
}

/* What the program asks for must be there. */
static int check_op(struct vm_setup *v, const struct op *op, const struct config *c, struct err *e)
{
    v->needs |= needs_of(op);
    if (v->needs & NEEDS_GPU && !v->gpu)
        return config_complain(config_get(c, "gpu"), e,
                               "\"passthrough\": the workload launches kernels");
    if (op->kind == OP_receive && v->work.rate_per_s <= 0)
        return config_complain(config_get(c, "workload"), e,
                               "a rate_per_s: the workload receives requests");
    if (op->kind == OP_compute && op->bytes > v->memory)
        return config_complain(c, e, "mem_gib of at least the working set (%.6g GiB)",
                               (double)op->bytes / 0x1p30);
    return 0;
}

static int check_needs(struct vm_setup *v, const struct config *c, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < v->work.n; i++)
        for (size_t k = 0; !rc && k < v->work.crew[i].program.n; k++)
            rc = check_op(v, &v->work.crew[i].program.op[k], c, e);
    return rc;
}

static int check_name(const struct config *c, const char *name, struct err *e)
{
    const size_t n = strlen(name);
    if (n && n <= 24 && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return 0;
    return config_complain(config_get(c, "name"), e, "1..24 characters of a-z, 0-9 and _");
}

struct raw_offload {
    const struct config *staging, *prefetch;
    uint32_t launches, window;
};
static const struct config_field offload_fields[] = {
    CONFIG_ANY(struct raw_offload, staging, false),
    CONFIG_ANY(struct raw_offload, prefetch, false),
    CONFIG_U32(struct raw_offload, launches, 1, VM_BATCH_MAX, false),
    CONFIG_U32(struct raw_offload, window, 1, 4096, false),
    CONFIG_END,
};

/* What the OS does for the tenant's process. */
static int read_offload(struct vm_setup *v, const struct config *c, struct err *e)
{
    static const char *const who[] = {"process", "os", NULL};
    struct raw_offload in = {.launches = 1, .window = 4};
    bool ahead = false;
    int rc = c ? config_fill(c, offload_fields, &in, e) : 0;
    if (!rc)
        rc = choice(in.staging, who, &v->pins, e);
    if (!rc)
        rc = choice(in.prefetch, who, &ahead, e);
    if (!rc && c && !ahead && config_get(c, "window"))
        rc = config_complain(config_get(c, "window"), e, "\"prefetch\": \"os\" beside it");
    v->batched = in.launches;
    v->window = ahead ? in.window : 0;
    return rc;
}

/* Who reads ahead has to know what comes. */
static int check_ahead(const struct vm_setup *v, const struct config *c, struct err *e)
{
    bool several;
    const struct op *batch = workload_batch(&v->work, &several);
    if (!v->window || (batch && !several))
        return 0;
    return config_complain(config_get(config_get(c, "offload"), "prefetch"), e,
                           "\"process\": the workload fetches %s",
                           batch ? "batches of several sizes" : "no batch");
}

static int read_vm(struct vm_setup *v, const struct config *c, struct err *e)
{
    static const char *const sizes[] = {"4k", "2m", NULL};
    static const char *const devices[] = {"virtio", "passthrough", NULL};
    struct raw_vm in = {.mem_gib = 16, .halt_poll_us = -1};
    in.v = (struct vm_setup){.name = "vm", .count = 1, .vcpus = 1, .weight = 1024, .tick_hz = 250};
    in.v.footprint = 0.5;
    int rc = config_fill(c, vm_fields, &in, e);
    if (!rc)
        rc = check_name(c, in.v.name, e);
    if (!rc)
        rc = choice(in.pages, sizes, &in.v.large_pages, e);
    if (!rc)
        rc = choice(in.device, devices, &in.v.disk_passed, e);
    if (!rc)
        rc = setup_gpu_vm(&in.v, in.gpu, e);
    if (!rc)
        rc = read_offload(&in.v, in.offload, e);
    if (!rc)
        rc = workload_read(&in.v.work, in.workload, e);
    if (rc)
        return rc;
    in.v.memory = (uint64_t)(in.mem_gib * 0x1p30);
    in.v.halt_poll =
        in.halt_poll_us < 0 ? VM_HALT_POLL_DEFAULT : (sim_time)(in.halt_poll_us * 1e3 + 0.5);
    in.v.budget = (sim_time)(in.budget_ms * 1e6 + 0.5);
    in.v.period = (sim_time)(in.period_ms * 1e6 + 0.5);
    *v = in.v;
    if (!v->budget != !v->period || v->budget > v->period)
        return config_complain(c, e, "budget_ms and period_ms together, the budget no longer");
    rc = check_ahead(v, c, e);
    return rc ? rc : check_needs(v, c, e);
}

/* ---- the section ---------------------------------------------------------------------- */

struct raw_baseline {
    const char *stack;
    double overcommit;
};
static const struct config_field baseline_fields[] = {
    CONFIG_STR(struct raw_baseline, stack, true),
    CONFIG_F64(struct raw_baseline, overcommit, 0.001, 1000, false),
    CONFIG_END,
};
struct raw {
    uint32_t cpus;
    double duration_s, warmup_s, overcommit;
    const char *label, *disk;
    const struct config *vms, *baseline, *infer, *gpus;
};
static const struct config_field fields[] = {
    CONFIG_U32(struct raw, cpus, 1, 4096, false),
    CONFIG_F64(struct raw, duration_s, 1e-6, 1e6, false),
    CONFIG_F64(struct raw, warmup_s, 0, 1e6, false),
    CONFIG_F64(struct raw, overcommit, 0.001, 1000, false),
    CONFIG_STR(struct raw, label, false),
    CONFIG_STR(struct raw, disk, false),
    CONFIG_ANY(struct raw, vms, true),
    CONFIG_ANY(struct raw, baseline, false),
    CONFIG_ANY(struct raw, infer, false),
    CONFIG_ANY(struct raw, gpus, false),
    CONFIG_END,
};

/* How often the list of VMs fits, so that its vCPUs are `over` times the CPUs. */
static int copies_of(const struct host_setup *s, double over, const struct config *at,
                     uint32_t *copies, struct err *e)
{
    double vcpus = 0;
    for (size_t i = 0; i < s->n_vm; i++)
        vcpus += (double)s->vm[i].count * s->vm[i].vcpus;
    const double n = over * s->cpus / vcpus;
    *copies = (uint32_t)(n + 0.5);
    if (s->cpus && *copies >= 1 && n - *copies < 1e-6 && *copies - n < 1e-6)
        return 0;
    return config_complain(at, e, "a whole multiple of %g vCPUs on \"cpus\": %u", vcpus, s->cpus);
}

static int read_copies(struct host_setup *s, const struct raw *in, const struct config *section,
                       struct err *e)
{
    struct raw_baseline b = {0};
    int rc = 0;
    if (in->overcommit > 0)
        rc = copies_of(s, in->overcommit, config_get(section, "overcommit"), &s->copies, e);
    s->baseline_copies = s->copies;
    if (!rc && in->baseline)
        rc = config_fill(in->baseline, baseline_fields, &b, e);
    if (!rc && b.overcommit > 0)
        rc = copies_of(s, b.overcommit, config_get(in->baseline, "overcommit"), &s->baseline_copies,
                       e);
    s->baseline = b.stack;
    return rc;
}

static int read_vms(struct host_setup *s, const struct config *list, struct err *e)
{
    const size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (!n || n > VMS_MAX)
        return config_complain(list, e, "a list of 1..%d VMs", VMS_MAX);
    if (!(s->vm = calloc(n, sizeof *s->vm)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = 0;
    for (; !rc && s->n_vm < n; s->n_vm++)
        rc = read_vm(&s->vm[s->n_vm], config_at(list, s->n_vm), e);
    return rc;
}

static uint64_t count_tenants(const struct host_setup *s, uint32_t copies)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->n_vm; i++)
        n += (uint64_t)s->vm[i].count * copies;
    return n;
}

int host_setup_read(struct host_setup *s, const struct config *section, struct err *e)
{
    struct raw in = {.duration_s = 10, .warmup_s = 0, .disk = "980-pro"};
    *s = (struct host_setup){.copies = 1};
    int rc = config_fill(section, fields, &in, e);
    rc = rc ? rc : mlaas_config(&s->infer, in.infer, e);
    s->cpus = in.cpus;
    s->disk = in.disk;
    s->duration = (sim_time)(in.duration_s * 1e9 + 0.5);
    s->warmup = (sim_time)(in.warmup_s * 1e9 + 0.5);
    if (!rc && s->warmup >= s->duration)
        rc = config_complain(config_get(section, "warmup_s"), e, "less than duration_s (%g)",
                             in.duration_s);
    if (!rc)
        rc = setup_gpus(&s->gpus, in.gpus, e);
    if (!rc)
        rc = read_vms(s, in.vms, e);
    for (size_t i = 0; !rc && i < s->n_vm; i++)
        s->parts |= s->vm[i].part.has;
    if (!rc)
        rc = setup_gpus_fit(s, section, e);
    if (!rc)
        rc = read_copies(s, &in, section, e);
    if (!rc && count_tenants(s, s->copies) > TENANTS_MAX)
        rc = config_complain(in.vms, e, "at most %d VMs in all", TENANTS_MAX);
    if (rc)
        host_setup_free(s);
    return rc;
}

void host_setup_free(struct host_setup *s)
{
    for (size_t i = 0; i < s->n_vm; i++)
        workload_free(&s->vm[i].work);
    free(s->vm);
    *s = (struct host_setup){0};
}
