/* setup_gpu.c - whose GPU is whose: "gpus" of the section, "gpu" of a VM. */
#include "models/host/setup.h"

#include <stddef.h>
#include <string.h>

static const char *const sharings[] = {"time-slice", "mps", "mig", NULL};

int setup_gpus(struct gpu_parts_setup *s, const struct config *at, struct err *e)
{
    struct part {
        const struct config *sharing;
        double timeslice_us;
    } in = {0};
    static const struct config_field fields[] = {
        CONFIG_ANY(struct part, sharing, true),
        CONFIG_F64(struct part, timeslice_us, 1, 1e7, false), CONFIG_END};
    int sharing = PARTS_TURNS, rc = at ? config_fill(at, fields, &in, e) : 0;
    if (!rc && at)
        rc = config_choice(in.sharing, sharings, &sharing, e);
    s->sharing = (enum gpu_parts)sharing;
    s->timeslice = (sim_time)(in.timeslice_us * 1e3 + 0.5);
    return rc;
}

int setup_gpu_vm(struct vm_setup *v, const struct config *at, struct err *e)
{
    static const char *const whole[] = {"none", "passthrough", NULL};
    static const struct config_field fields[] = {
        CONFIG_U32(struct gpu_part_setup, on, 0, PARTS_GPUS - 1, true),
        CONFIG_U32(struct gpu_part_setup, weight, 1, 1 << 20, false),
        CONFIG_U32(struct gpu_part_setup, percent, 1, 100, false),
        CONFIG_STR(struct gpu_part_setup, slice, false), CONFIG_END};
    int own = 1, rc;
    v->part = (struct gpu_part_setup){.weight = 1024, .percent = 100};
    v->part.has = at && config_kind(at) == CONFIG_OBJECT;
    if (v->part.has)
        rc = config_fill(at, fields, &v->part, e);
    else
        rc = at ? config_choice(at, whole, &own, e) : 0;
    v->gpu = own == 1;
    return rc;
}

static int fits(const struct host_setup *s, const struct gpu_part_setup *p, const struct config *at,
                struct err *e)
{
    const enum gpu_parts how = s->gpus.sharing;
    if ((how == PARTS_MIG) != (p->slice != NULL))
        return config_complain(at, e, "a \"slice\" with the sharing \"mig\", and only then");
    if (config_get(at, "percent") && how != PARTS_MPS)
        return config_complain(config_get(at, "percent"), e,
                               "no \"percent\": it belongs to the sharing \"mps\"");
    if (config_get(at, "weight") && how == PARTS_MPS)
        return config_complain(config_get(at, "weight"), e,
                               "no \"weight\": with the sharing \"mps\" nobody takes turns");
    return 0;
}

int setup_gpus_fit(const struct host_setup *s, const struct config *section, struct err *e)
{
    const struct config *gpus = config_get(section, "gpus"), *vms = config_get(section, "vms");
    int rc = 0;
    for (size_t i = 0; !rc && i < s->n_vm; i++) {
        const struct config *at = config_get(config_at(vms, i), "gpu");
        if (s->vm[i].part.has && !gpus)
            rc = config_complain(at, e, "\"gpus\" in the section, which say how they are shared");
        else if (s->vm[i].part.has)
            rc = fits(s, &s->vm[i].part, at, e);
    }
    return rc || !gpus || s->parts ? rc : config_complain(gpus, e, "a VM with a part of one");
}

const char *setup_gpus_name(enum gpu_parts sharing)
{
    return sharings[sharing];
}

const char *setup_gpus_wanted(const struct host_setup *s, const char *stack)
{
    static const struct {
        const char *stack;
        enum gpu_parts is;
    } says[] = {{"kvm-vgpu", PARTS_TURNS}, {"kvm-mig", PARTS_MIG}, {"kvm-mps", PARTS_MPS}};
    for (size_t i = 0; s->parts && stack && i < sizeof says / sizeof *says; i++)
        if (!strcmp(says[i].stack, stack) && says[i].is != s->gpus.sharing)
            return sharings[says[i].is];
    return NULL;
}
