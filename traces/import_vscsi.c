/* import_vscsi.c - VMware's vscsiStats command traces as text:
 *
 *   #Vscsi Cmd Trace. (Trace Format Version 1)
 *   #Serial Number,IO Data Length,Num SG Entries,Command Type,LBN,Time Stamp (microseconds)
 *   2147483692,4096,1,write,24048792,2756778716647
 *
 * Columns are found by name.  Length counts bytes, LBN sectors of 512.  Times count from the
 * host's start and stay so.  Serial numbers and scatter-gather entries have no place in the
 * records: an export numbers its rows and says 1.                            */
#include "traces/import_text.h"

enum { LENGTH, TYPE, LBN, STAMP, COLUMNS, ALL = 8 };
#define SECTOR 512
#define US     1000

static const char *const names[COLUMNS] = {"IO Data Length", "Command Type", "LBN",
                                           "Time Stamp (microseconds)"};

static bool vscsi_sniff(const char *head, size_t len)
{
    struct slice line = {head, len};
    return slice_begins(line, "#Vscsi Cmd Trace") || slice_begins(line, "#Serial Number,IO Data");
}

/* The line of names; held[0] is how many there are. */
static int read_names(struct importer *im, struct slice line, struct err *e)
{
    struct slice rest = {line.s + 1, line.n - 1}, f;
    int n = 0;
    for (int i = 0; i < COLUMNS; i++)
        im->column[i] = -1;
    for (bool more = true; more; n++) {
        more = slice_until(&rest, ",", &f);
        f = slice_trim(more ? f : rest);
        for (int i = 0; i < COLUMNS && n < ALL; i++)
            if (slice_is(f, names[i]))
                im->column[i] = n;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (im->column[i] < 0 || n > ALL)
            return import_complain(im, line, e, "a column \"%s\" among at most %d", names[i], ALL);
    im->held[0] = (uint64_t)n;
    return 0;
}

static int next_line(struct importer *im, struct err *e)
{
    for (;;) {
        int rc = import_line(im, e);
        if (rc <= 0)
            return rc;
        struct slice line = slice_line(im);
        if (line.s[0] != '#')
            return im->held[0] ? 1
                               : import_complain(im, line, e,
                                                 "the line of names, #Serial Number,.., first");
        if (slice_begins(line, "#Serial Number") && (rc = read_names(im, line, e)))
            return rc;
    }
}

static int vscsi_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_io *r = &out->io;
    struct slice f[ALL];
    uint64_t lbn, us;
    int rc = next_line(im, e);
    if (rc <= 0)
        return rc;
    if ((rc = import_split(im, ',', f, (int)im->held[0], e)) ||
        (rc = import_u64(im, f[im->column[LENGTH]], UINT64_MAX, &r->bytes, e)) ||
        (rc = import_u64(im, f[im->column[LBN]], UINT64_MAX / SECTOR, &lbn, e)) ||
        (rc = import_u64(im, f[im->column[STAMP]], UINT64_MAX / US - 1, &us, e)))
        return rc;
    struct slice type = f[im->column[TYPE]];
    if (!slice_is(type, "read") && !slice_is(type, "write"))
        return import_complain(im, type, e, "read or write");
    r->write = slice_is(type, "write");
    r->offset = lbn * SECTOR;
    r->time_ns = us * US;
    r->latency_ns = TRACE_TIME_NONE;
    return 1;
}

static void vscsi_head(struct exporter *x)
{
    fprintf(x->to,
            "#Vscsi Cmd Trace. (Trace Format Version 1)%s#Serial Number,IO Data Length,Num SG "
            "Entries,Command Type,LBN,Time Stamp (microseconds)",
            x->crlf ? "\r\n" : "\n");
}

static void vscsi_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_io *r = &row->io;
    fprintf(x->to, "%llu,%llu,1,%s,%llu,%llu", (unsigned long long)++x->held[0],
            (unsigned long long)r->bytes, r->write ? "write" : "read",
            (unsigned long long)(r->offset / SECTOR), (unsigned long long)(r->time_ns / US));
}

const struct import_format import_vscsi = {
    .name = "vscsi",
    .title = "VMware vscsiStats command trace, text",
    .source = "vscsiStats -t of a VMware ESX host",
    .licence = "whoever traced says",
    .table = TRACE_IO,
    .sniff = vscsi_sniff,
    .row = vscsi_row,
    .head = vscsi_head,
    .put = vscsi_put,
};
