/* import_ramulator.c - Ramulator's CPU traces: what missed the last cache level of one core.
 *
 * A line is "<non-memory instructions before it> <read address> [<address written back>]", all
 * decimal.  There are no times: time is the number of instructions before the read, and one
 * instruction counts as one ns (the read is an instruction, the write-back is not).  A line becomes
 * a read and, at the same time, a write.  Export gives the bytes back.       */
#include "traces/import_text.h"

enum { NOW, READS, WRITES, ADDRESS };
#define BUBBLES_MAX UINT64_C(1000000000000)
#define TIME_MAX    (UINT64_C(1) << 62)
#define PAGE_BITS   12

static void set_page(struct trace_page *p, uint64_t time, uint64_t address, uint32_t write)
{
    *p = (struct trace_page){.time_ns = time,
                             .page = address >> PAGE_BITS,
                             .pages = 1,
                             .offset = (uint32_t)(address & ((1u << PAGE_BITS) - 1)),
                             .write = write,
                             .count = 1};
}

static bool ramulator_sniff(const char *head, size_t len)
{
    struct slice rest = {head, len};
    uint64_t v;
    int fields = 0;
    for (; fields < 3 && slice_number(&rest, UINT64_MAX, &v); fields++) {
        if (rest.n == 0)
            return fields + 1 >= 2;
        if (rest.s[0] != ' ')
            return false;
        rest = (struct slice){rest.s + 1, rest.n - 1};
    }
    return false;
}

/* Single spaces, as published: what else there may be would not come back from an export. */
static int ramulator_line(struct importer *im, struct trace_page *p, struct err *e)
{
    struct slice rest = slice_line(im), field;
    uint64_t bubbles, read, written;
    bool back = false;
    if (!slice_until(&rest, " ", &field))
        return import_complain(im, rest, e, "instructions, a read address and perhaps another");
    int rc = import_u64(im, field, BUBBLES_MAX, &bubbles, e);
    if (rc)
        return rc;
    back = slice_until(&rest, " ", &field);
    if ((rc = import_u64(im, back ? field : rest, UINT64_MAX, &read, e)) ||
        (back && (rc = import_u64(im, rest, UINT64_MAX, &written, e))))
        return rc;
    uint64_t now = im->held[NOW] + bubbles;
    if (now >= TIME_MAX)
        return import_complain(im, slice_line(im), e, "fewer than 2^62 instructions in all");
    set_page(p, now, read, 0);
    im->held[READS] = 1;
    im->held[WRITES] = back;
    im->held[ADDRESS] = back ? written : 0;
    im->held[NOW] = now + 1;
    return 1;
}

static int ramulator_row(struct importer *im, union trace_row *out, struct err *e)
{
    if (im->held[WRITES]) {
        im->held[WRITES] = 0;
        set_page(&out->page, im->held[NOW] - 1, im->held[ADDRESS], 1);
        return 1;
    }
    int rc = import_line(im, e);
    return rc == 1 ? ramulator_line(im, &out->page, e) : rc;
}

static bool ramulator_joins(const union trace_row *row)
{
    return row->page.write != 0;
}

static void ramulator_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_page *p = &row->page;
    unsigned long long address = p->page << PAGE_BITS | p->offset;
    if (p->write) {
        fprintf(x->to, " %llu", address);
        return;
    }
    uint64_t before = x->held[NOW];
    fprintf(x->to, "%llu %llu", (unsigned long long)(p->time_ns > before ? p->time_ns - before : 0),
            address);
    x->held[NOW] = p->time_ns + 1;
}

const struct import_format import_ramulator = {
    .name = "ramulator",
    .title = "Ramulator CPU trace: instructions, read, write-back",
    .source = "Ramulator cputraces (SPEC CPU2006), github.com/CMU-SAFARI/ramulator",
    .licence = "MIT",
    .table = TRACE_PAGES,
    .sniff = ramulator_sniff,
    .row = ramulator_row,
    .joins = ramulator_joins,
    .put = ramulator_put,
};
