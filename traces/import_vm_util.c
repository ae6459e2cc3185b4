/* import_vm_util.c - the utilisation of one VM, as two archives publish it.
 *
 *   bitbrains   GWA-T-12, a file per VM: "Timestamp [ms];\tCPU cores;\t.. CPU usage [%];\t..",
 * columns found by name.  The published stamps are seconds since 1970 whatever the name says: a
 * stamp below 10^11 is taken as seconds. azure-vm    vm_cpu_readings of AzurePublicDatasetV1/V2,
 * which has no line of names: second,vm id,min cpu,max cpu,avg cpu (percent).  One VM's rows: the
 * published files hold many, sorted by time; grep the one you want.
 *
 * The file is one row.  Its step is the first gap; a reading belongs to the nearest step, steps
 * without one repeat the reading before.  Utilisation is rounded to 1/1000; of Azure's three it
 * is the average; an export leaves the other two empty.  The other columns have no place in the
 * record.            */
#include "traces/import_text.h"
#include "traces/parse.h"

enum { STAMP, CORES, USAGE, MEMORY, COLUMNS, ALL = 32 };
enum { DONE, FIRST, STEP, LAST, VCPUS, MEM, FIELDS, UNIT, NAME };
#define NS_PER_S    UINT64_C(1000000000)
#define SECONDS_TO  UINT64_C(100000000000) /* below: seconds; above: ms */
#define STEPS_MAX   (1u << 20)
#define STAMP_MAX   UINT64_C(16000000000) /* seconds: the year 2477 */
#define PERCENT_MAX 100000
#define DIGITS_MAX  40

static const char *const names[COLUMNS] = {"Timestamp [ms]", "CPU cores", "CPU usage [%]",
                                           "Memory capacity provisioned [KB]"};

/* "12", "0.25", "6.7108864E7" times 10^scale, exact, rounded half up. */
static bool scaled(struct slice t, int scale, uint64_t *out)
{
    char digits[2 * DIGITS_MAX + 1] = {0};
    size_t n = 0;
    int point = -1;
    int32_t exponent = 0;
    struct slice rest = t, mantissa;
    if (slice_until(&rest, "E", &mantissa)) {
        if (!slice_i32(rest, &exponent) || exponent < -DIGITS_MAX || exponent > DIGITS_MAX / 2)
            return false;
    } else {
        mantissa = t;
    }
    for (size_t i = 0; i < mantissa.n; i++) {
        char c = mantissa.s[i];
        if (c == '.' && point < 0 && n > 0)
            point = (int)n;
        else if (c < '0' || c > '9' || n == DIGITS_MAX)
            return false;
        else
            digits[n++] = c;
    }
    int whole = (point < 0 ? (int)n : point) + exponent + scale;
    if (n == 0 || point == (int)n || whole > 2 * DIGITS_MAX)
        return false;
    while ((int)n < whole)
        digits[n++] = '0';
    *out = 0;
    if (whole > 0 && !parse_u64(digits, (size_t)whole, UINT64_MAX / 4096, out))
        return false;
    *out += whole >= 0 && whole < (int)n && digits[whole] >= '5';
    return true;
}

/* Percent to 1/1000. */
static int per_mille(const struct importer *im, struct slice t, uint64_t *out, struct err *e)
{
    if (scaled(t, 1, out) && *out <= (uint64_t)PERCENT_MAX * 10)
        return 0;
    return import_complain(im, t, e, "a percentage");
}

/* The reading at t goes to its step; the steps passed over repeat the last. */
static int add_reading(struct importer *im, struct slice stamp, uint64_t t, uint64_t util,
                       struct err *e)
{
    uint32_t n = im->prefix.n;
    if (n == 0) {
        im->held[FIRST] = im->held[LAST] = t;
        return import_push(im, util, STEPS_MAX, e);
    }
    if (t <= im->held[LAST])
        return import_complain(im, stamp, e, "a time after the reading above");
    if (n == 1)
        im->held[STEP] = t - im->held[FIRST];
    im->held[LAST] = t;
    uint64_t step = im->held[STEP];
    uint64_t slot = (t - im->held[FIRST] + step / 2) / step, last = im->prefix.v[n - 1];
    if (slot >= STEPS_MAX)
        return import_complain(im, stamp, e, "at most %u steps of %.6g s", STEPS_MAX,
                               (double)step * 1e-9);
    if (slot < n)
        return import_complain(im, stamp, e, "one reading in each step of %.6g s",
                               (double)step * 1e-9);
    int rc = 0;
    while (!rc && im->prefix.n < slot)
        rc = import_push(im, last, STEPS_MAX, e);
    return rc ? rc : import_push(im, util, STEPS_MAX, e);
}

/* All of the file has been read. */
static int whole(struct importer *im, struct trace_vm *v, uint64_t t, uint32_t name)
{
    im->held[DONE] = 1;
    if (im->prefix.n == 0)
        return 0;
    *v = (struct trace_vm){.time_ns = t,
                           .name = name,
                           .end_ns =
                               im->held[STEP] ? t + im->held[STEP] * im->prefix.n : TRACE_TIME_NONE,
                           .vcpus = (uint32_t)im->held[VCPUS],
                           .mem_bytes = im->held[MEM],
                           .step_ns = im->held[STEP],
                           .n_util = im->prefix.n,
                           .util = im->prefix.v};
    return 1;
}

static bool bitbrains_sniff(const char *head, size_t len)
{
    return slice_begins((struct slice){head, len}, "Timestamp [ms];");
}

static int bitbrains_names(struct importer *im, struct err *e)
{
    struct slice line = slice_line(im), rest = line, f;
    int n = 0;
    for (int i = 0; i < COLUMNS; i++)
        im->column[i] = -1;
    for (bool more = true; more && n < ALL; n++) {
        more = slice_until(&rest, ";", &f);
        f = slice_trim(more ? f : rest);
        for (int i = 0; i < COLUMNS; i++)
            if (slice_is(f, names[i]))
                im->column[i] = n;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (im->column[i] < 0)
            return import_complain(im, line, e, "a column \"%s\"", names[i]);
    im->held[FIELDS] = (uint64_t)n;
    return 0;
}

static int bitbrains_open(struct importer *im, struct err *e)
{
    int rc = import_line(im, e);
    if (rc == 0)
        return err_set(e, ERR_EPARSE, "%s:1:1: got an empty file, want a line of column names",
                       input_name(im->csv.lines.in));
    return rc < 0 ? rc : bitbrains_names(im, e);
}

static int bitbrains_reading(struct importer *im, struct err *e)
{
    struct slice f[ALL];
    uint64_t stamp, cores, util, kib;
    int rc = import_split(im, ';', f, (int)im->held[FIELDS], e);
    if (rc || (rc = import_u64(im, f[im->column[STAMP]], STAMP_MAX * 1000, &stamp, e)) ||
        (rc = import_u64(im, f[im->column[CORES]], 65536, &cores, e)) ||
        (rc = per_mille(im, f[im->column[USAGE]], &util, e)))
        return rc;
    struct slice mem = f[im->column[MEMORY]];
    if (!scaled(mem, 0, &kib) || kib > UINT64_C(1) << 50)
        return import_complain(im, mem, e, "KB");
    if (im->prefix.n == 0)
        im->held[UNIT] = stamp < SECONDS_TO ? NS_PER_S : NS_PER_S / 1000;
    if (stamp > STAMP_MAX * NS_PER_S / im->held[UNIT])
        return import_complain(im, f[im->column[STAMP]], e, "a time before the year 2477");
    if ((rc = add_reading(im, f[im->column[STAMP]], stamp * im->held[UNIT], util, e)))
        return rc;
    im->held[VCPUS] = cores > im->held[VCPUS] ? cores : im->held[VCPUS];
    kib *= 1024;
    im->held[MEM] = kib > im->held[MEM] ? kib : im->held[MEM];
    return 0;
}

static int bitbrains_row(struct importer *im, union trace_row *out, struct err *e)
{
    char text[64];
    int rc;
    if (im->held[DONE])
        return 0;
    while ((rc = import_line(im, e)) == 1)
        if ((rc = bitbrains_reading(im, e)))
            return rc;
    if (rc < 0)
        return rc;
    rc = whole(im, &out->vm, 0, TRACE_NAME_NONE);
    if (rc == 1) {
        format_stamp(text, im->held[FIRST], im->held[FIRST] % NS_PER_S ? 3 : 0);
        snprintf(im->meta.epoch, sizeof im->meta.epoch, "%s", text);
    }
    return rc;
}

static void bitbrains_head(struct exporter *x)
{
    fprintf(x->to, "%s;\t%s;\t%s;\t%s", names[0], names[1], names[2], names[3]);
}

static void bitbrains_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_vm *v = &row->vm;
    uint64_t first = x->epoch_ns + v->time_ns;
    bool seconds = first % NS_PER_S == 0 && v->step_ns % NS_PER_S == 0;
    uint64_t unit = seconds ? NS_PER_S : NS_PER_S / 1000;
    for (uint32_t i = 0; i < v->n_util; i++) {
        fprintf(x->to, "%s%llu;\t%u;\t%llu.%llu;\t%llu",
                i == 0    ? ""
                : x->crlf ? "\r\n"
                          : "\n",
                (unsigned long long)((first + i * v->step_ns) / unit), v->vcpus,
                (unsigned long long)(v->util[i] / 10), (unsigned long long)(v->util[i] % 10),
                (unsigned long long)(v->mem_bytes / 1024));
    }
}

const struct import_format import_bitbrains = {
    .name = "bitbrains",
    .title = "Bitbrains (GWA-T-12): one VM's readings, ;-separated",
    .source = "GWA-T-12 Bitbrains (Shen et al., CCGrid'15), Grid Workloads Archive",
    .licence = "free for research, with a citation",
    .table = TRACE_VMS,
    .sniff = bitbrains_sniff,
    .open = bitbrains_open,
    .row = bitbrains_row,
    .head = bitbrains_head,
    .put = bitbrains_put,
};

static bool azure_vm_sniff(const char *head, size_t len)
{
    struct slice rest = {head, len}, f;
    uint64_t v;
    int fields = 1;
    if (!slice_until(&rest, ",", &f) || !slice_u64(f, UINT32_MAX, &v) ||
        !slice_until(&rest, ",", &f) || f.n < 32)
        return false;
    for (; slice_until(&rest, ",", &f); fields++)
        if (!parse_decimal_ns(f.s, f.n, 1000, &v))
            return false;
    return fields == 3 && parse_decimal_ns(rest.s, rest.n, 1000, &v);
}

static int azure_vm_reading(struct importer *im, struct err *e)
{
    struct slice f[5];
    uint64_t second, util;
    uint32_t id = 0;
    int rc = import_split(im, ',', f, 5, e);
    if (rc || (rc = import_u64(im, f[0], UINT32_MAX, &second, e)) ||
        (f[2].n && (rc = per_mille(im, f[2], &util, e))) ||
        (f[3].n && (rc = per_mille(im, f[3], &util, e))) || (rc = per_mille(im, f[4], &util, e)))
        return rc;
    if (im->prefix.n == 0 && (rc = import_slice_name(im, f[1], &id, e)))
        return rc;
    im->held[NAME] = im->prefix.n == 0 ? id : im->held[NAME];
    if (!slice_is(f[1], names_text(im->names, (uint32_t)im->held[NAME])))
        return import_complain(im, f[1], e, "one VM's rows, the first row's");
    return add_reading(im, f[0], second * NS_PER_S, util, e);
}

static int azure_vm_row(struct importer *im, union trace_row *out, struct err *e)
{
    int rc;
    if (im->held[DONE])
        return 0;
    while ((rc = import_line(im, e)) == 1)
        if ((rc = azure_vm_reading(im, e)))
            return rc;
    return rc < 0 ? rc : whole(im, &out->vm, im->held[FIRST], (uint32_t)im->held[NAME]);
}

static void azure_vm_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_vm *v = &row->vm;
    const char *name = names_text(x->names, v->name);
    for (uint32_t i = 0; i < v->n_util; i++) {
        unsigned whole_part = (unsigned)(v->util[i] / 10), tenth = (unsigned)(v->util[i] % 10);
        fprintf(x->to, "%s%llu,",
                i == 0    ? ""
                : x->crlf ? "\r\n"
                          : "\n",
                (unsigned long long)((v->time_ns + i * v->step_ns) / NS_PER_S));
        if (name)
            fputs(name, x->to);
        else
            fprintf(x->to, "vm%u", v->tenant);
        fprintf(x->to, ",,,%u.%u", whole_part, tenth);
    }
}

const struct import_format import_azure_vm = {
    .name = "azure-vm",
    .title = "Azure VM CPU readings: one VM's rows",
    .source = "Azure VM traces (Cortez et al., Resource Central, SOSP'17), "
              "github.com/Azure/AzurePublicDataset",
    .licence = "CC-BY-4.0",
    .table = TRACE_VMS,
    .sniff = azure_vm_sniff,
    .row = azure_vm_row,
    .put = azure_vm_put,
};
