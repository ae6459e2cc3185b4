/* import_orion.c - Orion's kernel profiles: Name,Profile,Memory_footprint,SM_usage,Duration.
 *
 * One iteration of a model, profiled alone: its kernels in their order on one stream, each
 * beginning as the one before ends (the profile has no gaps, no launches and no copies).
 * Profile is what bounds the kernel (1 compute, 0 memory, -1 not said); SM_usage is its blocks over
 * the blocks that fit an SM, so that it may exceed the SMs there are; Duration is ns.
 * Memory_footprint is 0 in every published file and is not kept: it is no traffic.  Export gives
 * the published bytes back.                                                                     */
#include <string.h>

#include "traces/import.h"

enum { NAME, PROFILE, FOOTPRINT, SMS, DURATION, COLUMNS };
enum { ENDS }; /* held: when the kernel above ends */
#define DURATION_MAX UINT64_C(1000000000000)
#define END_MAX      (UINT64_MAX / 4)

static const char *const names[COLUMNS] = {"Name", "Profile", "Memory_footprint", "SM_usage",
                                           "Duration"};
static const char header[] = "Name,Profile,Memory_footprint,SM_usage,Duration";

static bool orion_sniff(const char *head, size_t len)
{
    return len == strlen(header) && !memcmp(head, header, len);
}

static int orion_open(struct importer *im, struct err *e)
{
    int rc = 0;
    for (int i = 0; !rc && i < COLUMNS; i++)
        rc = csv_want_column(&im->csv, names[i], &im->column[i], e);
    return rc;
}

static int bound_of(const struct importer *im, uint32_t *out, struct err *e)
{
    static const struct {
        const char *text;
        uint32_t bound;
    } known[] = {
        {"-1", TRACE_OP_BOUND_NONE}, {"0", TRACE_OP_BOUND_MEMORY}, {"1", TRACE_OP_BOUND_COMPUTE}};
    const struct csv_field *f = &im->csv.field[im->column[PROFILE]];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (f->len != strlen(known[i].text) || memcmp(f->text, known[i].text, f->len))
            continue;
        *out = known[i].bound;
        return 0;
    }
    return csv_complain(&im->csv, im->column[PROFILE], e,
                        "1 (compute-bound), 0 (memory-bound) or -1");
}

static int orion_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_op *op = &out->op;
    int rc = csv_next(&im->csv, e), *col = im->column;
    uint64_t footprint;
    if (rc <= 0)
        return rc;
    if ((rc = bound_of(im, &op->bound, e)) ||
        (rc = csv_u64(&im->csv, col[FOOTPRINT], UINT64_MAX, &footprint, e)) ||
        (rc = csv_u32(&im->csv, col[SMS], UINT32_MAX, &op->sms, e)) ||
        (rc = csv_u64(&im->csv, col[DURATION], DURATION_MAX, &op->duration_ns, e)) ||
        (rc = import_name(im, col[NAME], &op->name, e)))
        return rc;
    if (im->held[ENDS] > END_MAX)
        return csv_complain(&im->csv, col[DURATION], e, "kernels of at most 146 years together");
    op->kind = TRACE_OP_KERNEL;
    op->time_ns = im->held[ENDS];
    im->held[ENDS] += op->duration_ns;
    return 1;
}

static void orion_head(struct exporter *x)
{
    fputs(header, x->to);
}

/* Copies, launches and waits have no place in a profile. */
static bool orion_leaves_out(const union trace_row *row)
{
    return row->op.kind != TRACE_OP_KERNEL && row->op.kind != TRACE_OP_COMM;
}

static void orion_put(struct exporter *x, const union trace_row *row)
{
    static const int profile[] = {
        [TRACE_OP_BOUND_NONE] = -1, [TRACE_OP_BOUND_COMPUTE] = 1, [TRACE_OP_BOUND_MEMORY] = 0};
    const struct trace_op *op = &row->op;
    if (orion_leaves_out(row))
        return;
    export_csv_name(x, op->name);
    fprintf(x->to, ",%d,0,%u,%llu", op->bound <= TRACE_OP_BOUND_MEMORY ? profile[op->bound] : -1,
            op->sms, (unsigned long long)op->duration_ns);
}

const struct import_format import_orion = {
    .name = "orion",
    .title = "Orion's kernel profiles: one iteration of a model",
    .source = "Orion (Strati et al., EuroSys'24), github.com/eth-easl/orion",
    .licence = "MIT",
    .table = TRACE_OPS,
    .csv = true,
    .sniff = orion_sniff,
    .open = orion_open,
    .row = orion_row,
    .head = orion_head,
    .put = orion_put,
    .joins = orion_leaves_out,
};
