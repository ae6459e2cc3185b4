/* Column maps of requests: what they read, in which unit, and what they refuse. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "traces/column_map.h"
#include "traces/names.h"

#define S      UINT64_C(1000000000)
#define TOKENS "\"prompt_tokens\": {\"column\": \"in\"}, \"output_tokens\": {\"column\": \"out\"}"
#define MAP    "{\"table\": \"requests\", \"arrival\": {\"column\": \"at\", \"unit\": "

static int read_text(struct column_map *m, const char *text, struct err *e)
{
    struct config *doc;
    int rc = config_parse(&doc, "m", text, strlen(text), e);
    cr_assert_eq(rc, 0, "%s", e->msg);
    rc = column_map_read(m, doc, e);
    config_free(doc);
    return rc;
}

static struct importer *open_text(const struct column_map *m, const char *text, int *rc,
                                  struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    *rc = input_open_memory(&in, "t", text, strlen(text), e);
    if (!*rc)
        *rc = import_open_input(&im, in, &m->format, 0, e);
    return im;
}

static const struct trace_request *next(struct importer *im)
{
    static union trace_row row;
    struct err e = {0};
    cr_assert_eq(import_next(im, &row, &e), 1, "%s", e.msg);
    return &row.request;
}

Test(requests_map, columns_in_any_order_names_and_sessions)
{
    static const char map[] =
        MAP "\"datetime\"}, " TOKENS ", \"tenant\": {\"column\": \"who\"}, \"model\": {\"column\": "
            "\"llm\"}, \"session\": {\"column\": \"chat\"}, \"missing\": "
            "[\"-\"]}";
    static const char text[] = "who,out,at,in,llm,chat,more\n"
                               "ann,5,2025-03-01T09:00:00.250Z,100,l8,41,x\n"
                               "bob,6,2025-03-01T09:00:01Z,200,l70,abc,y\n"
                               "ann,7,2025-03-01T10:00:00.250Z,300,-,-,z\n";
    struct column_map m;
    struct err e = {0};
    int rc;
    cr_assert_eq(read_text(&m, map, &e), 0, "%s", e.msg);
    struct importer *im = open_text(&m, text, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    const struct trace_request a = *next(im), b = *next(im), c = *next(im);
    cr_expect_eq(a.time_ns, 0);
    cr_expect_eq(b.time_ns, 750 * S / 1000);
    cr_expect_eq(c.time_ns, 3600 * S);
    cr_expect_eq(a.prompt_tokens, 100);
    cr_expect_eq(b.output_tokens, 6);
    cr_expect_str_eq(names_text(im->names, a.tenant), "ann");
    cr_expect_str_eq(names_text(im->names, b.model), "l70");
    cr_expect_eq(c.tenant, a.tenant);
    cr_expect_neq(b.tenant, a.tenant);
    cr_expect_eq(c.model, TRACE_NAME_NONE);
    cr_expect_eq(a.session, 42);
    cr_expect_neq(b.session, 0);
    cr_expect_eq(c.session, 0);
    cr_expect_str_eq(import_meta(im)->epoch, "2025-03-01T09:00:00.250Z");
    import_close(im);
}

static const struct {
    const char *unit, *text;
    uint64_t second; /* arrival of the second row */
} units[] = {
    {"s", "1700000000.5,1,1\n1700000002,1,1\n", 3 * S / 2},
    {"ms", "12.25,1,1\n13,1,1\n", 750000},
    {"us", "0,1,1\n3,1,1\n", 3000},
    {"ns", "1700000000000000001,1,1\n1700000000000000003,1,1\n", 2},
    {"min", "1,1,1\n2.5,1,1\n", 90 * S},
};

ParameterizedTestParameters(requests_map, times_in_any_unit)
{
    static int row[sizeof units / sizeof *units];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, requests_map, times_in_any_unit)
{
    char map[512];
    struct column_map m;
    struct err e = {0};
    int rc;
    snprintf(map, sizeof map,
             "{\"table\": \"requests\", \"header\": false, \"columns\": [\"at\", \"in\", \"out\"], "
             "\"arrival\": {\"column\": \"at\", \"unit\": \"%s\"}, " TOKENS "}",
             units[*row].unit);
    cr_assert_eq(read_text(&m, map, &e), 0, "%s", e.msg);
    struct importer *im = open_text(&m, units[*row].text, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_expect_eq(next(im)->time_ns, 0);
    cr_expect_eq(next(im)->time_ns, units[*row].second);
    import_close(im);
}

static const struct {
    const char *map, *text, *want;
} bad[] = {
    {"{\"table\": \"rows\"}", "", "m: table: got \"rows\", want one of \"jobs\", \"requests\""},
    {"{\"table\": \"requests\", \"submit\": {\"column\": \"at\"}}", "", "m: submit: unknown key"},
    {"{\"table\": \"requests\", " TOKENS "}", "", "m: got an object, want a field \"arrival\""},
    {MAP "\"s\"}, \"prompt_tokens\": {\"column\": \"in\"}}", "",
     "m: got an object, want a field \"output_tokens\""},
    {MAP "\"s\"}, \"prompt_tokens\": {\"column\": \"in\", \"unit\": \"1\"}, \"output_tokens\": "
         "{\"column\": \"out\"}}",
     "", "m: prompt_tokens.unit: got \"1\", want none: it is a number"},
    {MAP "\"s\"}, " TOKENS "}", "at,in\n1,1\n", "t:1:1: column \"out\" is missing"},
    {MAP "\"s\"}, " TOKENS "}", "at,in,out\n1,x,1\n", "t:2:3: got \"x\", want an integer"},
    {MAP "\"s\"}, " TOKENS "}", "at,in,out\n,1,1\n", "t:2:1: got \"\", want when the request"},
    {MAP "\"s\"}, " TOKENS "}", "at,in,out\n9,1,1\n8.5,1,1\n",
     "t:3:1: got \"8.5\", want a time not before the first row's"},
    {MAP "\"s\"}, " TOKENS "}", "at,in,out\n9,1,1\n12,1,1\n11,1,1\n", "t:4:"},
};

ParameterizedTestParameters(requests_map, what_is_wrong_is_said)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, requests_map, what_is_wrong_is_said)
{
    struct column_map m;
    struct err e = {0};
    union trace_row r;
    struct importer *im = NULL;
    int rc = read_text(&m, bad[*row].map, &e);
    if (!rc)
        im = open_text(&m, bad[*row].text, &rc, &e);
    while (!rc && (rc = import_next(im, &r, &e)) == 1)
        rc = 0;
    cr_expect_lt(rc, 0, "%s: %s was taken", bad[*row].map, bad[*row].text);
    cr_expect(!strncmp(e.msg, bad[*row].want, strlen(bad[*row].want)), "said %s", e.msg);
    import_close(im);
}
