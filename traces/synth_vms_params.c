/* synth_vms_params.c - presets of VM populations, and a section of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"
#include "traces/synth_vms.h"

#define SOURCE "nobody's trace: a pattern (traces/synth_vms.h)"

static const char *const patterns[VMS_PATTERNS + 1] = {"diurnal", "bursty", "mixed", NULL};

static const struct preset {
    const char *name, *title;
    enum synth_vm_pattern pattern;
} presets[] = {
    {"vms-diurnal", "VMs that follow the day: 30 % +- 20 %, readings of 5 min", VMS_DIURNAL},
    {"vms-bursty", "VMs at 5 %, a tenth of the time at 90 %", VMS_BURSTY},
    {"vms-mixed", "half of them diurnal, half bursty", VMS_MIXED},
};
#define PRESETS (sizeof presets / sizeof *presets)

static struct synth_vms defaults(void)
{
    return (struct synth_vms){.head.rows = 1000,
                              .gap_s = 300,
                              .lifetime_h = 24,
                              .step_s = 300,
                              .peak_h = 14,
                              .mean = 0.3,
                              .amplitude = 0.2,
                              .noise = 0.05,
                              .low = 0.05,
                              .high = 0.9,
                              .burst = 0.1,
                              .burst_steps = 6,
                              .gib_per_vcpu = 4,
                              .vcpus = {1, 2, 4, 8},
                              .sizes = 4};
}

static int read_sizes(const struct config *c, struct synth_vms *p, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 || config_count(c) > SYNTH_VM_SIZES)
        return config_complain(c, e, "a list of 1..%d numbers of vCPUs", SYNTH_VM_SIZES);
    p->sizes = (uint32_t)config_count(c);
    for (size_t i = 0; i < p->sizes; i++) {
        uint64_t v;
        int rc = config_u64(config_at(c, i), 1, 4096, &v, e);
        if (rc)
            return rc;
        p->vcpus[i] = (uint32_t)v;
    }
    return 0;
}

struct vms_text {
    struct synth_vms p;
    const struct config *table, *preset, *pattern, *vcpus;
};

#define FIELD(key, lo, hi)                                                                         \
    {                                                                                              \
#key, CONFIG_T_F64, offsetof(struct vms_text, p.key), lo, hi, false                        \
    }

static const struct config_field vms_fields[] = {
    SYNTH_HEAD_FIELDS(struct vms_text, p.head),
    CONFIG_ANY(struct vms_text, pattern, false),
    CONFIG_ANY(struct vms_text, vcpus, false),
    FIELD(gap_s, 1e-6, 1e9),
    FIELD(lifetime_h, 1e-6, 1e6),
    FIELD(step_s, 1e-3, 1e6),
    FIELD(peak_h, 0, 24),
    FIELD(mean, 0, 1),
    FIELD(amplitude, 0, 1),
    FIELD(noise, 0, 1),
    FIELD(low, 0, 1),
    FIELD(high, 0, 1),
    FIELD(burst, 0, 0.99),
    FIELD(burst_steps, 1, 1e6),
    FIELD(gib_per_vcpu, 1e-3, 1024),
    CONFIG_END,
};

static int check(const struct config *section, const struct synth_vms *p, struct err *e)
{
    if (p->burst / p->burst_steps > 1 - p->burst)
        return config_complain(section, e, "burst and burst_steps that leave time between bursts");
    return p->low > p->high ? config_complain(section, e, "low not above high") : 0;
}

static int read_params(const struct config *section, void *params, struct err *e)
{
    struct vms_text t = {.p = defaults()};
    int pattern = 0, rc = synth_preset_read(section, &synth_kind_vms, &t.p, e);
    if (rc || (rc = config_fill(section, vms_fields, &t, e)) ||
        (rc = synth_head_check(section, &t.p.head, e)))
        return rc;
    if (!t.preset && !t.pattern)
        return config_complain(section, e, "a preset or a pattern");
    if (t.pattern && (rc = config_choice(t.pattern, patterns, &pattern, e)))
        return rc;
    if (t.pattern)
        t.p.pattern = (enum synth_vm_pattern)pattern;
    if ((t.vcpus && (rc = read_sizes(t.vcpus, &t.p, e))) || (rc = check(section, &t.p, e)))
        return rc;
    *(struct synth_vms *)params = t.p;
    return 0;
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_vms *p = params;
    fprintf(f, ",\"pattern\":\"%s\"", patterns[p->pattern]);
#define X(key) fprintf(f, ",\"%s\":%.17g", #key, p->key)
    X(gap_s);
    X(lifetime_h);
    X(step_s);
    X(peak_h);
    X(mean);
    X(amplitude);
    X(noise);
    X(low);
    X(high);
    X(burst);
    X(burst_steps);
    X(gib_per_vcpu);
#undef X
    fputs(",\"vcpus\":[", f);
    for (uint32_t i = 0; i < p->sizes; i++)
        fprintf(f, "%s%u", i ? "," : "", p->vcpus[i]);
    fputc(']', f);
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    const struct synth_vms *p = params;
    return synth_head_span(&p->head, (double)p->head.rows * p->gap_s);
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_vms *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, SOURCE};
    if (p) {
        *p = defaults();
        p->pattern = presets[i].pattern;
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_vms = {.table = TRACE_VMS,
                                          .read = read_params,
                                          .json = json,
                                          .open = synth_vms_open,
                                          .set_rows = synth_head_set_rows,
                                          .rows = synth_head_rows,
                                          .span_s = span_s,
                                          .name = synth_head_name,
                                          .seeded = synth_head_seeded,
                                          .preset_at = preset_at};
