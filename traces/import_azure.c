/* import_azure.c - Azure LLM inference traces: TIMESTAMP,ContextTokens,GeneratedTokens.
 *
 * The 2023 release (Splitwise, ISCA'24) has 100 ns ticks, CRLF and no zone;
 * the 2024 week has microseconds, "+00:00", and no fraction where it is 0.
 * Time 0 is the first row; the calendar time goes into `epoch`.             */
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

enum { AT, PROMPT, OUTPUT };
#define TOKENS_MAX 100000000u

/* The multimodal release has NumImages in between. */
static bool azure_sniff(const char *head, size_t len)
{
    static const char begin[] = "TIMESTAMP,", with[] = "ContextTokens,GeneratedTokens";
    return len > sizeof begin && !memcmp(head, begin, sizeof begin - 1) &&
           memmem(head, len, with, sizeof with - 1);
}

static int azure_open(struct importer *im, struct err *e)
{
    int rc = csv_want_column(&im->csv, "TIMESTAMP", &im->column[AT], e);
    if (!rc)
        rc = csv_want_column(&im->csv, "ContextTokens", &im->column[PROMPT], e);
    if (!rc)
        rc = csv_want_column(&im->csv, "GeneratedTokens", &im->column[OUTPUT], e);
    return rc;
}

/* The first stamp sets time 0 and how stamps are written. */
static int azure_time(struct importer *im, uint64_t *ns, struct err *e)
{
    const struct csv_field *f = &im->csv.field[im->column[AT]];
    struct stamp s;
    if (!parse_stamp(f->text, f->len, &s))
        return csv_complain(&im->csv, im->column[AT], e, "a time YYYY-MM-DD HH:MM:SS.fraction");
    if (!*im->meta.epoch) {
        im->time_zero = s.ns;
        memcpy(im->stamp.zone, s.zone, sizeof s.zone);
        snprintf(im->meta.epoch, sizeof im->meta.epoch, "%.*s", (int)f->len, f->text);
    }
    if (strcmp(s.zone, im->stamp.zone))
        return csv_complain(&im->csv, im->column[AT], e, "the zone of the first row (\"%s\")",
                            im->stamp.zone);
    if (s.ns < im->time_zero)
        return csv_complain(&im->csv, im->column[AT], e, "a time not before the first row's");
    if (s.fraction_digits > im->stamp.digits)
        im->stamp.digits = s.fraction_digits;
    im->stamp.elide |= s.fraction_digits == 0;
    *ns = s.ns - im->time_zero;
    return 0;
}

static int azure_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_request *r = &out->request;
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    r->model = TRACE_NAME_NONE;
    if ((rc = csv_u32(&im->csv, im->column[PROMPT], TOKENS_MAX, &r->prompt_tokens, e)) ||
        (rc = csv_u32(&im->csv, im->column[OUTPUT], TOKENS_MAX, &r->output_tokens, e)) ||
        (rc = azure_time(im, &r->time_ns, e)))
        return rc;
    return 1;
}

static void azure_head(struct exporter *x)
{
    fputs("TIMESTAMP,ContextTokens,GeneratedTokens", x->to);
}

static void azure_put(struct exporter *x, const union trace_row *row)
{
    char at[64];
    uint64_t ns = x->epoch_ns + row->request.time_ns;
    format_stamp(at, ns, x->stamp.elide && ns % 1000000000 == 0 ? 0 : x->stamp.digits);
    fprintf(x->to, "%s%s,%u,%u", at, x->stamp.zone, row->request.prompt_tokens,
            row->request.output_tokens);
}

const struct import_format import_azure_llm = {
    .name = "azure-llm",
    .title = "Azure LLM inference trace (2023, 2024)",
    .source = "Azure LLM inference traces (Patel et al., Splitwise, ISCA'24; "
              "Stojkovic et al., DynamoLLM), github.com/Azure/AzurePublicDataset",
    .licence = "CC-BY-4.0",
    .table = TRACE_REQUESTS,
    .labels = {"ContextTokens", "GeneratedTokens"},
    .csv = true,
    .sniff = azure_sniff,
    .open = azure_open,
    .row = azure_row,
    .head = azure_head,
    .put = azure_put,
};
