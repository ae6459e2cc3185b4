/* synth_io_params.c - LAKE's presets, and a section of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_io.h"
#include "traces/synth_kinds.h"

#define LAKE_DEVICES 3
#define KIB_MAX      1e9
#define SOURCE       "after LAKE (Fingler et al., ASPLOS'23), src/linnos/trace_tools: gen.py and gen_*.sh"

enum { AZURE, BING, COSMOS, MIXED };
enum { USED, RATE_1X, RATE_3X, RATES };

/* What LAKE ran with, and its scripts' 1x and 3x rates: mean gaps in us. */
static const struct lake {
    const char *name;
    double read;
    struct synth_io_size reads, writes;
    double gap_us[RATES];
} lake[] = {
    [AZURE] = {"azure", 0.25, {25, 64}, {17, 64}, {38, 77, 25}},
    [BING] = {"bing_i", 0.23, {55, 512}, {30, 1024}, {208, 416, 138}},
    [COSMOS] = {"cosmos", 0.23, {430, 7000}, {107, 32000}, {400, 400, 134}},
};

static const struct preset {
    const char *name, *title;
    int mix, rate;
} presets[] = {
    {"lake-azure", "LAKE's Azure block trace, one for each of 3 devices, 10 s", AZURE, USED},
    {"lake-azure-1x", "the same at the published trace's own rate", AZURE, RATE_1X},
    {"lake-azure-3x", "the same at three times that rate", AZURE, RATE_3X},
    {"lake-bing", "LAKE's Bing-I block trace, one for each of 3 devices, 10 s", BING, USED},
    {"lake-bing-1x", "the same at the published trace's own rate", BING, RATE_1X},
    {"lake-bing-3x", "the same at three times that rate", BING, RATE_3X},
    {"lake-cosmos", "LAKE's Cosmos block trace, one for each of 3 devices, 10 s", COSMOS, USED},
    {"lake-cosmos-1x", "the same at the published trace's own rate", COSMOS, RATE_1X},
    {"lake-cosmos-3x", "the same at three times that rate", COSMOS, RATE_3X},
    {"lake-mixed", "Azure, Bing-I and Cosmos, one device each, 10 s", MIXED, USED},
    {"lake-mixed-1x", "the same at the published traces' own rates", MIXED, RATE_1X},
    {"lake-mixed-3x", "the same at three times those rates", MIXED, RATE_3X},
};
#define PRESETS (sizeof presets / sizeof *presets)

static void fill(struct synth_io *p, int mix, int rate)
{
    p->devices = LAKE_DEVICES;
    for (int i = 0; i < LAKE_DEVICES; i++) {
        const struct lake *l = &lake[mix == MIXED ? i : mix];
        p->device[i] = (struct synth_io_device){l->read, l->gap_us[rate], l->reads, l->writes};
    }
}

static struct synth_io defaults(void)
{
    return (struct synth_io){.span_gib = 800};
}

static int read_size(const struct config *c, struct synth_io_size *z, struct err *e)
{
    const struct config_field fields[] = {
        {"median", CONFIG_T_F64, offsetof(struct synth_io_size, median_kib), 0.5, KIB_MAX, true},
        {"max", CONFIG_T_F64, offsetof(struct synth_io_size, max_kib), 0.5, KIB_MAX, true},
        CONFIG_END,
    };
    int rc = config_fill(c, fields, z, e);
    if (!rc && z->max_kib < z->median_kib)
        rc = config_complain(c, e, "max not below median");
    return rc;
}

struct device_text {
    struct synth_io_device d;
    const struct config *read_kib, *write_kib;
};

static int read_device(const struct config *c, struct synth_io_device *out, struct err *e)
{
    const struct config_field fields[] = {
        {"read", CONFIG_T_F64, offsetof(struct device_text, d.read), 0, 1, true},
        {"gap_us", CONFIG_T_F64, offsetof(struct device_text, d.gap_us), 1e-3, 1e9, true},
        CONFIG_ANY(struct device_text, read_kib, true),
        CONFIG_ANY(struct device_text, write_kib, true),
        CONFIG_END,
    };
    struct device_text t = {0};
    int rc = config_fill(c, fields, &t, e);
    if (rc || (rc = read_size(t.read_kib, &t.d.read_size, e)) ||
        (rc = read_size(t.write_kib, &t.d.write_size, e)))
        return rc;
    *out = t.d;
    return 0;
}

static int read_devices(const struct config *c, struct synth_io *p, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 || config_count(c) > SYNTH_IO_DEVICES)
        return config_complain(c, e, "a list of 1..%d devices", SYNTH_IO_DEVICES);
    p->devices = (uint32_t)config_count(c);
    for (size_t i = 0; i < p->devices; i++) {
        int rc = read_device(config_at(c, i), &p->device[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

struct io_text {
    struct synth_io p;
    const struct config *table, *preset, *devices;
};

static int read_params(const struct config *section, void *params, struct err *e)
{
    const struct config_field fields[] = {
        SYNTH_HEAD_FIELDS(struct io_text, p.head),
        {"span_gib", CONFIG_T_F64, offsetof(struct io_text, p.span_gib), 0.25, 1e6, false},
        CONFIG_ANY(struct io_text, devices, false),
        CONFIG_END,
    };
    struct io_text t = {.p = defaults()};
    int rc = synth_preset_read(section, &synth_kind_io, &t.p, e);
    if (rc || (rc = config_fill(section, fields, &t, e)) ||
        (rc = synth_head_check(section, &t.p.head, e)))
        return rc;
    if (!t.preset && !t.devices)
        return config_complain(section, e, "a preset or devices");
    if (t.devices && (rc = read_devices(t.devices, &t.p, e)))
        return rc;
    *(struct synth_io *)params = t.p;
    return 0;
}

static void put_size(FILE *f, const char *key, const struct synth_io_size *z)
{
    fprintf(f, ",\"%s\":{\"median\":%.17g,\"max\":%.17g}", key, z->median_kib, z->max_kib);
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_io *p = params;
    fprintf(f, ",\"span_gib\":%.17g,\"devices\":[", p->span_gib);
    for (uint32_t i = 0; i < p->devices; i++) {
        const struct synth_io_device *d = &p->device[i];
        fprintf(f, "%s{\"read\":%.17g,\"gap_us\":%.17g", i ? "," : "", d->read, d->gap_us);
        put_size(f, "read_kib", &d->read_size);
        put_size(f, "write_kib", &d->write_size);
        fputc('}', f);
    }
    fputc(']', f);
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    const struct synth_io *p = params;
    double per_s = 0;
    for (uint32_t i = 0; i < p->devices; i++)
        per_s += 1e6 / p->device[i].gap_us;
    return synth_head_span(&p->head, (double)p->head.rows / per_s);
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_io *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, SOURCE};
    if (p) {
        *p = defaults();
        p->head.duration_s = 10;
        fill(p, presets[i].mix, presets[i].rate);
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_io = {.table = TRACE_IO,
                                         .read = read_params,
                                         .json = json,
                                         .open = synth_io_open,
                                         .set_rows = synth_head_set_rows,
                                         .rows = synth_head_rows,
                                         .span_s = span_s,
                                         .name = synth_head_name,
                                         .seeded = synth_head_seeded,
                                         .preset_at = preset_at};
