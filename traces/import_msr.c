/* import_msr.c - MSR Cambridge block traces, which have no line of names:
 * Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime
 *
 * Timestamp and ResponseTime count 100 ns, the first from 1601 on (Windows filetime).  The host is
 * the tenant, its name is kept.  Time 0 is the first row.  Export gives the bytes back.  Rows that
 * go back in time are bad rows: sort such a volume by its first column.      */
#include "traces/import_text.h"
#include "traces/parse.h"

enum { STAMP, HOST, DISK, TYPE, OFFSET, SIZE, RESPONSE, FIELDS };
#define TICK_NS       100
#define UNIX_FILETIME UINT64_C(116444736000000000)                   /* 1970 in ticks since 1601 */
#define FILETIME_MAX  (UNIX_FILETIME + UINT64_C(167000000000000000)) /* the year 2499 */
#define EPOCH_DIGITS  7

static bool msr_sniff(const char *head, size_t len)
{
    struct slice rest = {head, len}, f;
    uint64_t v;
    if (!slice_until(&rest, ",", &f) || !slice_u64(f, UINT64_MAX, &v) || v < UNIX_FILETIME)
        return false;
    return slice_until(&rest, ",", &f) && slice_until(&rest, ",", &f) &&
           slice_until(&rest, ",", &f) && (slice_is(f, "Read") || slice_is(f, "Write"));
}

static int msr_time(struct importer *im, struct slice f, uint64_t *ns, struct err *e)
{
    uint64_t ticks;
    char text[64];
    if (!slice_u64(f, FILETIME_MAX, &ticks) || ticks < UNIX_FILETIME)
        return import_complain(im, f, e, "a Windows filetime from 1970 on: 100 ns since 1601");
    uint64_t at = (ticks - UNIX_FILETIME) * TICK_NS;
    if (!*im->meta.epoch) {
        im->time_zero = at;
        im->stamp.digits = EPOCH_DIGITS;
        format_stamp(text, at, EPOCH_DIGITS);
        snprintf(im->meta.epoch, sizeof im->meta.epoch, "%s", text);
    }
    if (at < im->time_zero)
        return import_complain(im, f, e, "a time not before the first row's");
    *ns = at - im->time_zero;
    return 0;
}

static int msr_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_io *r = &out->io;
    struct slice f[FIELDS];
    uint64_t disk, ticks;
    int rc = import_line(im, e);
    if (rc <= 0)
        return rc;
    if ((rc = import_split(im, ',', f, FIELDS, e)) || (rc = msr_time(im, f[STAMP], &r->time_ns, e)))
        return rc;
    if (!slice_is(f[TYPE], "Read") && !slice_is(f[TYPE], "Write"))
        return import_complain(im, f[TYPE], e, "Read or Write");
    if ((rc = import_u64(im, f[DISK], UINT32_MAX, &disk, e)) ||
        (rc = import_u64(im, f[OFFSET], UINT64_MAX, &r->offset, e)) ||
        (rc = import_u64(im, f[SIZE], UINT64_MAX, &r->bytes, e)) ||
        (rc = import_u64(im, f[RESPONSE], UINT64_MAX / TICK_NS - 1, &ticks, e)) ||
        (rc = import_slice_name(im, f[HOST], &r->tenant, e)))
        return rc;
    r->device = (uint32_t)disk;
    r->write = slice_is(f[TYPE], "Write");
    r->latency_ns = ticks * TICK_NS;
    return 1;
}

static void msr_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_io *r = &row->io;
    const char *host = names_text(x->names, r->tenant);
    uint64_t ticks = (x->epoch_ns + r->time_ns) / TICK_NS + UNIX_FILETIME;
    fprintf(x->to, "%llu,", (unsigned long long)ticks);
    if (host)
        fputs(host, x->to);
    else
        fprintf(x->to, "host%u", r->tenant);
    fprintf(x->to, ",%u,%s,%llu,%llu,%llu", r->device, r->write ? "Write" : "Read",
            (unsigned long long)r->offset, (unsigned long long)r->bytes,
            (unsigned long long)(r->latency_ns == TRACE_TIME_NONE ? 0 : r->latency_ns / TICK_NS));
}

const struct import_format import_msr = {
    .name = "msr",
    .title = "MSR Cambridge block I/O trace",
    .source = "MSR Cambridge traces (Narayanan et al., Write Off-Loading, FAST'08), SNIA IOTTA 388",
    .licence = "SNIA Trace Data Files Download License",
    .table = TRACE_IO,
    .sniff = msr_sniff,
    .row = msr_row,
    .put = msr_put,
};
