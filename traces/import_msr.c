/* import_msr.c - MSR Cambridge block traces, which have no line of names:
 * Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime
 *
 * Timestamp and ResponseTime count 100 ns, the first from 1601 on (Windows filetime).  The host is
 * the tenant, its name is kept.  Time 0 is the earliest row.  The tracer logs a request when it is
 * complete and stamps it with when it was issued, so rows may come out of order: WINDOW of them
 * are held and given out by time.  Export gives the bytes of a file in order back.          */
#include <stdlib.h>
#include <string.h>

#include "traces/import_text.h"
#include "traces/parse.h"

enum { STAMP, HOST, DISK, TYPE, OFFSET, SIZE, RESPONSE, FIELDS };
#define TICK_NS       100
#define UNIX_FILETIME UINT64_C(116444736000000000)                   /* 1970 in ticks since 1601 */
#define FILETIME_MAX  (UNIX_FILETIME + UINT64_C(167000000000000000)) /* the year 2499 */
#define EPOCH_DIGITS  7
#define WINDOW        1024
#define HOST_MAX      39

enum {
    ROWS,
    SEEN,
    ENDED,
    GIVEN
}; /* held: in the heap; read; no more lines; ticks of the last given out */

struct waiting {        /* a row in the heap, whose time_ns still counts ticks */
    struct trace_io io; /* but for the tenant: hosts are numbered as rows are given out */
    char host[HOST_MAX + 1];
    uint64_t seen; /* equal stamps keep their order */
};
#define WORDS (sizeof(struct waiting) / sizeof(uint64_t)) /* the heap lies in the ragged values */

static bool msr_sniff(const char *head, size_t len)
{
    struct slice rest = {head, len}, f;
    uint64_t v;
    if (!slice_until(&rest, ",", &f) || !slice_u64(f, UINT64_MAX, &v) || v < UNIX_FILETIME)
        return false;
    return slice_until(&rest, ",", &f) && slice_until(&rest, ",", &f) &&
           slice_until(&rest, ",", &f) && (slice_is(f, "Read") || slice_is(f, "Write"));
}

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->io.time_ns != b->io.time_ns ? a->io.time_ns < b->io.time_ns : a->seen < b->seen;
}

static void swap(struct waiting *a, struct waiting *b)
{
    struct waiting t = *a;
    *a = *b;
    *b = t;
}

static void push(struct importer *im, const struct waiting *w)
{
    struct waiting *h = (struct waiting *)(void *)im->prefix.v;
    uint64_t i = im->held[ROWS]++;
    h[i] = *w;
    h[i].seen = im->held[SEEN]++;
    for (; i && before(&h[i], &h[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&h[i], &h[(i - 1) / 2]);
}

static void pop(struct importer *im, struct waiting *out)
{
    struct waiting *h = (struct waiting *)(void *)im->prefix.v;
    uint64_t n = --im->held[ROWS];
    *out = h[0];
    h[0] = h[n];
    for (uint64_t i = 0, least = 0;; i = least) {
        for (uint64_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++)
            if (before(&h[k], &h[least]))
                least = k;
        if (least == i)
            return;
        swap(&h[i], &h[least]);
    }
}

static int read_line(struct importer *im, struct waiting *w, struct err *e)
{
    struct trace_io *r = &w->io;
    struct slice f[FIELDS];
    uint64_t disk, ticks;
    int rc = import_line(im, e);
    if (rc <= 0)
        return rc;
    if ((rc = import_split(im, ',', f, FIELDS, e)))
        return rc;
    if (!slice_u64(f[STAMP], FILETIME_MAX, &r->time_ns) || r->time_ns < UNIX_FILETIME)
        return import_complain(im, f[STAMP], e,
                               "a Windows filetime from 1970 on: 100 ns since 1601");
    if (r->time_ns < im->held[GIVEN])
        return import_complain(im, f[STAMP], e, "a time at most %d rows out of order", WINDOW);
    if (!slice_is(f[TYPE], "Read") && !slice_is(f[TYPE], "Write"))
        return import_complain(im, f[TYPE], e, "Read or Write");
    if ((rc = import_u64(im, f[DISK], UINT32_MAX, &disk, e)) ||
        (rc = import_u64(im, f[OFFSET], UINT64_MAX, &r->offset, e)) ||
        (rc = import_u64(im, f[SIZE], UINT64_MAX, &r->bytes, e)) ||
        (rc = import_u64(im, f[RESPONSE], UINT64_MAX / TICK_NS - 1, &ticks, e)))
        return rc;
    if (f[HOST].n == 0 || f[HOST].n > HOST_MAX || memchr(f[HOST].s, 0, f[HOST].n))
        return import_complain(im, f[HOST], e, "a host's name of 1..%d bytes", HOST_MAX);
    memcpy(w->host, f[HOST].s, f[HOST].n);
    r->device = (uint32_t)disk;
    r->write = slice_is(f[TYPE], "Write");
    r->latency_ns = ticks * TICK_NS;
    return 1;
}

static int msr_open(struct importer *im, struct err *e)
{
    im->prefix.v = calloc(WINDOW * WORDS, sizeof(uint64_t));
    return im->prefix.v ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

/* The first row given out is the earliest: time 0. */
static void begin_time(struct importer *im, uint64_t ticks)
{
    char text[64];
    im->time_zero = (ticks - UNIX_FILETIME) * TICK_NS;
    im->stamp.digits = EPOCH_DIGITS;
    format_stamp(text, im->time_zero, EPOCH_DIGITS);
    snprintf(im->meta.epoch, sizeof im->meta.epoch, "%s", text);
}

static int msr_row(struct importer *im, union trace_row *out, struct err *e)
{
    while (!im->held[ENDED] && im->held[ROWS] < WINDOW) {
        struct waiting w = {0};
        int rc = read_line(im, &w, e);
        if (rc < 0)
            return rc;
        if (rc == 1)
            push(im, &w);
        else
            im->held[ENDED] = 1;
    }
    if (!im->held[ROWS])
        return 0;
    struct waiting w;
    pop(im, &w);
    out->io = w.io;
    im->held[GIVEN] = out->io.time_ns;
    if (!*im->meta.epoch)
        begin_time(im, out->io.time_ns);
    out->io.time_ns = (out->io.time_ns - UNIX_FILETIME) * TICK_NS - im->time_zero;
    int rc = import_label(im, w.host, &out->io.tenant, e);
    return rc ? rc : 1;
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
    .open = msr_open,
    .row = msr_row,
    .put = msr_put,
};
