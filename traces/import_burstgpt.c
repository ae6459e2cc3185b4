/* import_burstgpt.c - BurstGPT: Timestamp,Model,Request tokens,Response tokens,Total tokens,Log
 * Type.
 *
 * Later releases insert "Session ID" (a UUID) and "Elapsed time" behind
 * Timestamp, so columns are found by name.  Timestamp is seconds from local
 * midnight of the first day of all: the third file begins at 19440110.0.  No response tokens: the
 * request failed; the row is kept, and counted, and whoever replays the trace leaves it out.  Log
 * Type is the tenant (0 conversation, 1 API).  A total that is not the sum is not an error: nothing
 * here uses it.                                              */
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

enum { AT, MODEL, PROMPT, OUTPUT, TOTAL, LOG, SESSION };
#define TOKENS_MAX   100000000u
#define WITH_SESSION 1u /* flags: the file has sessions; */
#define WITH_POINT   2u /* its seconds are floating-point: 5.0 */
#define NS_PER_S     UINT64_C(1000000000)

static const char *const log_types[] = {"Conversation log", "API log"};

static bool burst_sniff(const char *head, size_t len)
{
    static const char begin[] = "Timestamp,", with[] = ",Model,Request tokens,Response tokens";
    return len > sizeof begin && !memcmp(head, begin, sizeof begin - 1) &&
           memmem(head, len, with, sizeof with - 1);
}

static int burst_open(struct importer *im, struct err *e)
{
    static const char *const names[] = {"Timestamp",       "Model",        "Request tokens",
                                        "Response tokens", "Total tokens", "Log Type"};
    for (int i = 0; i < 6; i++) {
        int rc = csv_want_column(&im->csv, names[i], &im->column[i], e);
        if (rc)
            return rc;
    }
    im->column[SESSION] = csv_column(&im->csv, "Session ID");
    im->flags = im->column[SESSION] >= 0 ? WITH_SESSION : 0;
    return 0;
}

static int burst_tenant(struct importer *im, uint32_t *tenant, struct err *e)
{
    const struct csv_field *f = &im->csv.field[im->column[LOG]];
    for (*tenant = 0; *tenant < 2; ++*tenant)
        if (strlen(log_types[*tenant]) == f->len && !memcmp(log_types[*tenant], f->text, f->len))
            return 0;
    return csv_complain(&im->csv, im->column[LOG], e, "\"Conversation log\" or \"API log\"");
}

static int burst_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_request *r = &out->request;
    uint64_t total;
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    const struct csv_field *at = &im->csv.field[im->column[AT]];
    if (!parse_decimal_ns(at->text, at->len, NS_PER_S, &r->time_ns))
        return csv_complain(&im->csv, im->column[AT], e, "a number of seconds");
    if (memchr(at->text, '.', at->len))
        im->flags |= WITH_POINT;
    if ((rc = csv_u32(&im->csv, im->column[PROMPT], TOKENS_MAX, &r->prompt_tokens, e)) ||
        (rc = csv_u32(&im->csv, im->column[OUTPUT], TOKENS_MAX, &r->output_tokens, e)) ||
        (rc = csv_u64(&im->csv, im->column[TOTAL], 2 * TOKENS_MAX, &total, e)) ||
        (rc = burst_tenant(im, &r->tenant, e)) ||
        (rc = import_name(im, im->column[MODEL], &r->model, e)))
        return rc;
    r->session = im->column[SESSION] < 0 ? 0 : import_session(&im->csv.field[im->column[SESSION]]);
    return 1;
}

static void burst_head(struct exporter *x)
{
    fputs("Timestamp,", x->to);
    if (x->flags & WITH_SESSION)
        fputs("Session ID,", x->to);
    fputs("Model,Request tokens,Response tokens,Total tokens,Log Type", x->to);
}

static void burst_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_request *r = &row->request;
    char at[40];
    format_decimal_ns(at, r->time_ns, NS_PER_S);
    bool whole = (x->flags & WITH_POINT) && r->time_ns % NS_PER_S == 0;
    fprintf(x->to, "%s%s,", at, whole ? ".0" : "");
    if ((x->flags & WITH_SESSION) && r->session >> 63)
        fprintf(x->to, "#%016llx", (unsigned long long)r->session);
    else if ((x->flags & WITH_SESSION) && r->session)
        fprintf(x->to, "%llu", (unsigned long long)r->session - 1);
    if (x->flags & WITH_SESSION)
        fputc(',', x->to);
    export_csv_name(x, r->model);
    fprintf(x->to, ",%u,%u,%llu,%s", r->prompt_tokens, r->output_tokens,
            (unsigned long long)r->prompt_tokens + r->output_tokens, log_types[r->tenant % 2]);
}

const struct import_format import_burstgpt = {
    .name = "burstgpt",
    .title = "BurstGPT, all releases",
    .source = "BurstGPT (Wang et al., arXiv 2401.17644), github.com/HPMLL/BurstGPT",
    .licence = "CC-BY-4.0",
    .table = TRACE_REQUESTS,
    .labels = {"Request tokens", "Response tokens"},
    .csv = true,
    .sniff = burst_sniff,
    .open = burst_open,
    .row = burst_row,
    .head = burst_head,
    .put = burst_put,
};
