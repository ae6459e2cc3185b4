/* import_requests_map.c - rows of a log of requests by a column map (column_map.h).
 *
 * The first row's arrival is time 0, whatever the log counts from.  Tenants and models are numbered
 * by their names.                                                            */
#include <stdio.h>

#include "traces/column_map.h"
#include "traces/parse.h"

#define TOKENS_MAX 100000000u

int requests_map_open(struct importer *im, struct err *e)
{
    return column_map_open(im, e);
}

static void begins(struct importer *im, uint64_t ns)
{
    const struct csv_field *f = &im->csv.field[im->column[REQUESTS_ARRIVAL]];
    im->time_zero = ns;
    if (column_map_of(im->format)->field[REQUESTS_ARRIVAL].datetime)
        snprintf(im->meta.epoch, sizeof im->meta.epoch, "%.*s", (int)f->len, f->text);
}

static int arrival(struct importer *im, uint64_t *ns, struct err *e)
{
    const int at = im->column[REQUESTS_ARRIVAL];
    int rc = column_map_time(im, REQUESTS_ARRIVAL, ns, e);
    if (rc)
        return rc;
    if (*ns == TRACE_TIME_NONE)
        return csv_complain(&im->csv, at, e, "when the request arrived");
    if (!im->rows)
        begins(im, *ns);
    if (*ns < im->time_zero)
        return csv_complain(&im->csv, at, e, "a time not before the first row's");
    *ns -= im->time_zero;
    return 0;
}

static int name(struct importer *im, int field, uint32_t *id, struct err *e)
{
    const int at = im->column[field];
    return column_map_missing(im, at) ? 0 : import_name(im, at, id, e);
}

int requests_map_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_request *r = &out->request;
    const int session = im->column[REQUESTS_SESSION];
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    *r = (struct trace_request){.model = TRACE_NAME_NONE};
    if ((rc = arrival(im, &r->time_ns, e)) ||
        (rc = csv_u32(&im->csv, im->column[REQUESTS_PROMPT], TOKENS_MAX, &r->prompt_tokens, e)) ||
        (rc = csv_u32(&im->csv, im->column[REQUESTS_OUTPUT], TOKENS_MAX, &r->output_tokens, e)) ||
        (rc = name(im, REQUESTS_TENANT, &r->tenant, e)) ||
        (rc = name(im, REQUESTS_MODEL, &r->model, e)))
        return rc;
    if (!column_map_missing(im, session))
        r->session = import_session(&im->csv.field[session]);
    im->rows++;
    return 1;
}

static int no_map(struct importer *im, struct err *e)
{
    return err_set(e, ERR_EUSAGE, "%s: requests-map wants a column map: \"map\", or --map",
                   im->path);
}

static int no_row(struct importer *im, union trace_row *out, struct err *e)
{
    (void)im;
    (void)out;
    (void)e;
    return 0;
}

const struct import_format import_requests_map = {
    .name = "requests-map",
    .title = "any log of requests, by a column map (--map)",
    .source = "not said",
    .licence = "not said",
    .table = TRACE_REQUESTS,
    .csv = true,
    .open = no_map,
    .row = no_row,
};
