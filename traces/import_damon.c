/* import_damon.c - DAMON's region samples as text, in either form that its tools print:
 *
 *   damo report raw                                the tracepoint (perf script, trace-cmd, ftrace)
 *     base_time_absolute: 8 m 59.809 s               kdamond.0 42 [003] 539.9:
 * damon:damon_aggregated: target_id=0 nr_regions=3 4096-8192: 1 5 monitoring_start: 104.599 ms
 *     monitoring_end:            208.590 ms
 *     monitoring_duration:       103.991 ms
 *     target_id: 18446623438842320000
 *     nr_regions: 2
 *     # start_addr     end_addr        length  nr_accesses   age
 *     563ebaa00000-563ebc99e000 (  31.617 MiB)           1     0
 *     7fff66b0a000-7fff66bb2000( 672.000 KiB):        5            (older damo, without age)
 *
 * A region of a snapshot is a row: its first page, its pages, and count = nr_accesses (samples in
 * which it was found accessed, not accesses).  Time is monitoring_start, from the record's base,
 * or the tracepoint's.  Targets are tenants, numbered as they come.  Age, lengths and ends of
 * snapshots have no place in the records; an export writes the first form without them.       */
#include "traces/import_text.h"
#include "traces/parse.h"

enum { START, TARGET, BASES, STARTED };
#define PAGE_BYTES 4096u
#define NS_PER_S   UINT64_C(1000000000)

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {{"ns", 1},
             {"us", 1000},
             {"ms", 1000000},
             {"s", NS_PER_S},
             {"m", 60 * NS_PER_S},
             {"h", 3600 * NS_PER_S},
             {"d", 86400 * NS_PER_S}};
#define UNITS (sizeof units / sizeof *units)

static bool damon_sniff(const char *head, size_t len)
{
    struct slice line = {head, len}, f;
    return slice_begins(line, "base_time_absolute:") || slice_begins(line, "monitoring_start:") ||
           slice_until(&line, "damon_aggregated: target_id=", &f);
}

/* "8 m 59.809 s"; a bare number counts ns. */
static bool parse_span(struct slice rest, uint64_t *ns)
{
    *ns = 0;
    rest = slice_trim(rest);
    do {
        struct slice number, unit = {"ns", 2};
        uint64_t v, per = 0;
        if (!slice_until(&rest, " ", &number)) {
            number = rest;
            rest.n = 0;
        } else if (!slice_until(&rest, " ", &unit)) {
            unit = rest;
            rest.n = 0;
        }
        for (size_t i = 0; i < UNITS; i++)
            per = slice_is(unit, units[i].name) ? units[i].ns : per;
        if (!per || !parse_decimal_ns(number.s, number.n, per, &v) || v > UINT64_MAX / 2 - *ns)
            return false;
        *ns += v;
    } while (rest.n);
    return true;
}

static int target(struct importer *im, struct slice id, struct err *e)
{
    return import_u64(im, slice_trim(id), UINT64_MAX, &im->held[TARGET], e);
}

/* Lines between the regions: 0 understood, 1 it is a region, negative an error. */
static int heading(struct importer *im, struct slice line, struct err *e)
{
    struct slice key, rest = line;
    if (line.s[0] == '#' || !slice_until(&rest, ": ", &key))
        return line.s[0] != '#';
    if (slice_is(key, "base_time_absolute")) {
        if (im->held[BASES]++)
            return import_complain(im, line, e,
                                   "one record: cut the text at each base_time_absolute");
        return 0;
    }
    if (slice_is(key, "monitoring_start")) {
        im->held[STARTED] = 1;
        return parse_span(rest, &im->held[START])
                   ? 0
                   : import_complain(im, slice_trim(rest), e, "a time as 104.599 ms");
    }
    if (slice_is(key, "target_id"))
        return target(im, rest, e);
    return !slice_is(key, "monitoring_end") && !slice_is(key, "monitoring_duration") &&
           !slice_is(key, "nr_regions");
}

static int set_region(struct importer *im, struct slice line, uint64_t from, uint64_t to,
                      uint64_t count, struct trace_page *p, struct err *e)
{
    if (from % PAGE_BYTES || to % PAGE_BYTES || to <= from || (to - from) / PAGE_BYTES > UINT32_MAX)
        return import_complain(im, line, e,
                               "a region start-end of whole 4 KiB pages, up to 16 TiB");
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)im->held[TARGET]);
    *p = (struct trace_page){.time_ns = im->held[START],
                             .page = from / PAGE_BYTES,
                             .pages = (uint32_t)((to - from) / PAGE_BYTES),
                             .count = (uint32_t)count};
    int rc = import_label(im, id, &p->tenant, e); /* only of targets that have regions */
    return rc ? rc : 1;
}

static int region(struct importer *im, struct slice line, struct trace_page *p, struct err *e)
{
    static const char want[] = "a region as 1000-3000 (8.000 KiB) 1 0";
    struct slice rest = line, a, b, length;
    uint64_t from, to, count, age;
    if (!slice_until(&rest, "-", &a) || !slice_until(&rest, "(", &b) ||
        !slice_until(&rest, ")", &length) || !slice_hex(a, &from) || !slice_hex(slice_trim(b), &to))
        return import_complain(im, line, e, want);
    if (rest.n && rest.s[0] == ':')
        rest = (struct slice){rest.s + 1, rest.n - 1};
    rest = slice_trim(rest);
    if (!slice_number(&rest, UINT32_MAX, &count))
        return import_complain(im, rest, e, "a number of accesses 0..4294967295");
    rest = slice_trim(rest);
    if (rest.n && !slice_is(rest, "-1") && !slice_u64(rest, UINT64_MAX, &age))
        return import_complain(im, rest, e, "an age");
    if (!im->held[STARTED])
        return import_complain(im, line, e, "a monitoring_start above it");
    return set_region(im, line, from, to, count, p, e);
}

/* "... 539.9: damon:damon_aggregated: target_id=0 nr_regions=3 4096-8192: 1 5" */
static int traced(struct importer *im, struct slice line, struct slice head, struct slice rest,
                  struct trace_page *p, struct err *e)
{
    static const char want[] = "target_id=N nr_regions=N START-END: ACCESSES";
    struct slice f, at = {NULL, 0};
    uint64_t from, to, count;
    if (head.n && head.s[head.n - 1] == ':') /* of damon: */
        head.n--;
    for (size_t i = head.n; i > 0 && !at.s; i--)
        if (head.s[i - 1] == ' ' && i < head.n && head.s[i] >= '0' && head.s[i] <= '9')
            at = (struct slice){head.s + i, head.n - i};
    if (!at.s || !slice_until(&at, ":", &f) ||
        !parse_decimal_ns(f.s, f.n, NS_PER_S, &im->held[START]))
        return import_complain(im, line, e, "a time in seconds before the event");
    if (!slice_until(&rest, " ", &f))
        return import_complain(im, rest, e, want);
    int rc = target(im, f, e);
    if (rc)
        return rc;
    if (!slice_begins(rest, "nr_regions=") || !slice_until(&rest, " ", &f) ||
        !slice_number(&rest, UINT64_MAX, &from) || !rest.n || rest.s[0] != '-')
        return import_complain(im, rest, e, want);
    rest = (struct slice){rest.s + 1, rest.n - 1};
    if (!slice_number(&rest, UINT64_MAX, &to) || !slice_begins(rest, ": "))
        return import_complain(im, rest, e, want);
    rest = (struct slice){rest.s + 2, rest.n - 2};
    if (!slice_number(&rest, UINT32_MAX, &count))
        return import_complain(im, rest, e, want);
    return set_region(im, line, from, to, count, p, e);
}

static int damon_row(struct importer *im, union trace_row *out, struct err *e)
{
    for (;;) {
        int rc = import_line(im, e);
        if (rc <= 0)
            return rc;
        struct slice line = slice_trim(slice_line(im)), rest = line, head;
        if (slice_until(&rest, "damon_aggregated: target_id=", &head))
            return traced(im, line, head, rest, &out->page, e);
        rc = heading(im, line, e);
        if (rc)
            return rc < 0 ? rc : region(im, line, &out->page, e);
    }
}

static void damon_head(struct exporter *x)
{
    fputs("base_time_absolute: 0 ns", x->to);
    x->held[STARTED] = 0;
}

static void damon_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_page *p = &row->page;
    const char *id = names_text(x->names, p->tenant), *end = x->crlf ? "\r\n" : "\n";
    if (!x->held[STARTED] || x->held[START] != p->time_ns || x->held[TARGET] != p->tenant) {
        fprintf(x->to, "%smonitoring_start: %llu ns%starget_id: ", end,
                (unsigned long long)p->time_ns, end);
        if (id)
            fputs(id, x->to);
        else
            fprintf(x->to, "%u", p->tenant);
        fputs(end, x->to);
    }
    x->held[START] = p->time_ns;
    x->held[TARGET] = p->tenant;
    x->held[STARTED] = 1;
    fprintf(x->to, "%012llx-%012llx (%12llu) %11u", (unsigned long long)p->page * PAGE_BYTES,
            (unsigned long long)(p->page + p->pages) * PAGE_BYTES,
            (unsigned long long)p->pages * PAGE_BYTES, p->count);
}

const struct import_format import_damon = {
    .name = "damon",
    .title = "DAMON regions: damo report raw, or the damon_aggregated tracepoint",
    .source = "DAMON of a Linux kernel, docs.kernel.org/mm/damon",
    .licence = "whoever traced says",
    .table = TRACE_PAGES,
    .sniff = damon_sniff,
    .row = damon_row,
    .head = damon_head,
    .put = damon_put,
};
