/* Tables of measured costs: how a CSV of them reads, what is refused, and that it all comes back.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "traces/convert.h"
#include "traces/source.h"

#define HEAD "name,where,with,unit,k1,k2,k3,k4,k5,k6,value\n"
#define TEXT                                                                                       \
    HEAD "attention,A100,,us,4,2048,,,,,12.5\n"                                                    \
         "steps,v100,resnet,1,1,,,,,,3.141593\n"                                                   \
         "\"dense, qkv\",,,ps,9,8,7,6,5,4,123\n"                                                   \
         "failures,,,count,,,,,,,7\n"

static char dir[64], csv[96], h5[96];

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0);
    fclose(f);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-costs-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(csv, sizeof csv, "%s/t.csv", dir);
    snprintf(h5, sizeof h5, "%s/t.h5", dir);
    put(csv, TEXT);
}

static void end(void)
{
    unlink(csv);
    unlink(h5);
    rmdir(dir);
}

TestSuite(costs, .init = begin, .fini = end);

static struct row_source *open_section(const char *text, unsigned tables, int *rc, struct err *e)
{
    struct config *c;
    struct row_source *s = NULL;
    struct trace_places where = {dir, dir};
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), e), 0, "%s", e->msg);
    *rc = trace_rows_open(c, tables, 1, &where, &s, NULL, e);
    config_free(c);
    return s;
}

static bool is(const struct row_source *s, uint32_t id, const char *text)
{
    const char *name = id == TRACE_NAME_NONE ? NULL : s->name(s, id);
    return text ? name && !strcmp(name, text) : !name;
}

static void check_rows(const char *section)
{
    static const struct {
        const char *name, *where, *with;
        enum trace_cost_unit unit;
        uint64_t key[6], value;
    } want[] = {
        {"attention", "A100", NULL, TRACE_COST_PS, {4, 2048}, 12500000},
        {"steps", "v100", "resnet", TRACE_COST_MICRO, {1}, 3141593},
        {"dense, qkv", NULL, NULL, TRACE_COST_PS, {9, 8, 7, 6, 5, 4}, 123},
        {"failures", NULL, NULL, TRACE_COST_COUNT, {0}, 7},
    };
    struct err e = {0};
    union trace_row row;
    int rc;
    struct row_source *s = open_section(section, 1u << TRACE_COSTS, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
            memset(&row, 0xff, sizeof row); /* whatever was there */
            cr_assert_eq(s->next(s, &row, &e), 1, "%s", e.msg);
            const struct trace_cost *c = &row.cost;
            cr_expect(is(s, c->name, want[i].name) && is(s, c->where, want[i].where) &&
                          is(s, c->with, want[i].with),
                      "names of row %zu", i);
            cr_expect_eq(c->unit, want[i].unit);
            cr_expect_eq(c->value, want[i].value);
            cr_expect_arr_eq(c->key, want[i].key, sizeof c->key);
            cr_expect(c->time_ns == 0 && c->tenant == 0);
        }
        cr_expect_eq(s->next(s, &row, &e), 0);
        cr_assert_eq(s->rewind(s, &e), 0);
    }
    s->close(s);
}

static void store(void)
{
    struct trace_file *t;
    struct trace_meta m;
    struct err e = {0};
    cr_assert_eq(trace_file_open(&t, csv, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(convert_to_store(t, h5, STORE_DEFLATE, &m, NULL, NULL, &e), 0, "%s", e.msg);
    cr_expect_eq(m.costs, 4);
    trace_file_close(t);
}

Test(costs, rows_are_read_by_column_name)
{
    check_rows("{\"import\": {\"format\": \"costs-csv\", \"file\": \"t.csv\"}}");
}

Test(costs, rows_come_out_of_the_store)
{
    store();
    check_rows("{\"file\": \"t.h5\"}");
}

Test(costs, only_name_unit_and_value_must_be_there)
{
    struct err e = {0};
    union trace_row row;
    int rc;
    put(csv, "name,unit,value\nx,s,2\n");
    struct row_source *s =
        open_section("{\"import\": {\"file\": \"t.csv\"}}", 1u << TRACE_COSTS, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(s->next(s, &row, &e), 1);
    cr_expect_eq(row.cost.value, UINT64_C(2000000000000));
    cr_expect_eq(row.cost.with, TRACE_NAME_NONE);
    s->close(s);
}

Test(costs, an_export_reads_as_the_same_records)
{
    char again[96];
    struct trace_file *t;
    struct trace_meta a, b;
    struct err e = {0};
    store();
    snprintf(again, sizeof again, "%s/again.csv", dir);
    cr_assert_eq(trace_file_open(&t, h5, NULL, 0, &e), 0, "%s", e.msg);
    FILE *to = fopen(again, "w");
    cr_assert_eq(convert_export(t, import_format("costs-csv"), to, &e), 0, "%s", e.msg);
    fclose(to);
    a = *trace_file_meta(t);
    trace_file_close(t);
    cr_assert_eq(trace_file_open(&t, again, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(convert_to_store(t, h5, STORE_DEFLATE, &b, NULL, NULL, &e), 0, "%s", e.msg);
    trace_file_close(t);
    cr_expect_str_eq(a.digest, b.digest);
    unlink(again);
}

static const struct {
    const char *text, *want;
} bad[] = {
    {HEAD ",a,,ps,,,,,,,1\n", "t:2:1: got \"\", want a name"},
    {HEAD "a,,,hours,,,,,,,1\n", "t:2:5: got \"hours\", want ps, ns, us, ms, s, 1 or count"},
    {HEAD "a,,,us,x,,,,,,1\n", "t:2:8: got \"x\", want an integer 0..18446744073709551615"},
    {HEAD "a,,,us,,,,,,,-1\n", "t:2:14: got \"-1\", want a number, at most 9223372036854"},
    {HEAD "a,,,count,,,,,,,1.5\n", "t:2:17: got \"1.5\", want an integer 0..9223372036854775807"},
    {HEAD "a,,,us,1\n", "t:2:1: got 5 fields, want 11"},
    {"name,value\na,1\n", "t:1:1: column \"unit\" is missing"},
};

ParameterizedTestParameters(costs, bad_rows)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, costs, bad_rows)
{
    struct err e = {0};
    struct input *in;
    struct importer *im = NULL;
    union trace_row r;
    int rc = input_open_memory(&in, "t", bad[*row].text, strlen(bad[*row].text), &e);
    if (!rc)
        rc = import_open_input(&im, in, import_format("costs-csv"), 0, &e);
    if (!rc)
        rc = import_next(im, &r, &e);
    cr_expect_lt(rc, 0, "%s: it was taken", bad[*row].text);
    cr_expect_str_eq(e.msg, bad[*row].want);
    import_close(im);
}

Test(costs, a_rate_or_a_window_of_rows_without_time_is_refused)
{
    struct err e = {0};
    int rc;
    open_section("{\"import\": {\"file\": \"t.csv\"}, \"rate_scale\": 2}", 1u << TRACE_COSTS, &rc,
                 &e);
    cr_expect_eq(rc, ERR_ENAME);
    cr_expect_str_eq(e.msg, "x.json: rate_scale: of no use: costs have no time");
}

Test(costs, another_table_is_refused_by_name)
{
    struct err e = {0};
    int rc;
    open_section("{\"import\": {\"format\": \"costs-csv\", \"file\": \"t.csv\"}}", 1u << TRACE_JOBS,
                 &rc, &e);
    cr_expect_str_eq(e.msg, "x.json: import.format: got \"costs-csv\", want a format of jobs");
}
