#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#include "harness/report/published.h"

Test(published, reads_quotes_notes_and_columns_in_any_order)
{
    const char *text = "# from a table\nsource,value,x,series\r\n\"Smith, "
                       "\"\"Queues\"\"\",2.5,0.1,M/M/1\n\n,-1e3,0.2,M/M/1";
    struct published p;
    struct err e = {0};
    cr_assert_eq(published_parse(&p, "t.csv", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(p.n, 2);
    cr_expect_str_eq(p.row[0].source, "Smith, \"Queues\"");
    cr_expect_str_eq(p.row[0].series, "M/M/1");
    cr_expect_eq(p.row[0].value, 2.5);
    cr_expect_eq(p.row[1].x, 0.2);
    cr_expect_eq(p.row[1].value, -1000);
    published_free(&p);
}

Test(published, a_value_may_be_a_band_or_missing)
{
    const char *text = "series,x,value,source\na,1,0.5..-1e-1,s\n";
    struct published p;
    struct err e = {0};
    cr_expect_eq(published_parse(&p, "t.csv", text, strlen(text), &e), ERR_EPARSE);
    cr_expect_str_eq(e.msg, "t.csv:2:5: got \"0.5..-1e-1\", want a band lo..hi");
    text = "series,x,value,source\na,1,1..1.06,s\na,2,,nobody\na,3,7,s\n";
    cr_assert_eq(published_parse(&p, "t.csv", text, strlen(text), &e), 0, "%s", e.msg);
    cr_expect_eq(p.row[0].lo, 1);
    cr_expect_eq(p.row[0].hi, 1.06);
    cr_expect_float_eq(p.row[0].value, 1.03, 1e-12);
    cr_expect(isnan(p.row[1].value) && isnan(p.row[1].lo));
    cr_expect(p.row[2].lo == 7 && p.row[2].value == 7 && p.row[2].hi == 7);
    published_free(&p);
}

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "t.csv: is empty, want a line of column names"},
    {"# only a note\n", "t.csv: is empty, want a line of column names"},
    {"series,x,value\n", "t.csv:1: no column \"source\", want series, x, value, source"},
    {"series,x,value,source\n", "t.csv: holds no values"},
    {"series,x,value,source\na,1,2\n", "t.csv:2: got 3 fields, want 4 as in the first line"},
    {"series,x,value,source\na,one,2,s\n", "t.csv:2:3: got \"one\", want a number"},
    {"series,x,value,source\n\na,1,2e,s\n", "t.csv:3:5: got \"2e\", want a number"},
    {"series,x,value,source\na,1,inf,s\n", "t.csv:2:5: got \"inf\", want a number"},
    {"series,x,value,source\n,1,2,s\n", "t.csv:2:1: the series has no name"},
    {"series,x,value,source\na,1,2,s\na,1,3,s\n", "t.csv:3: \"a\" at 1 stands twice"},
    {"series,x,value,source\n\"a,1,2,s\n", "t.csv:2:1: the quoted field does not end in its line"},
    {"series,x,value,source\n\"a\"b,1,2,s\n",
     "t.csv:2:4: got 'b' after a quoted field, want a comma"},
};

ParameterizedTestParameters(published, each_mistake_has_its_sentence)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, published, each_mistake_has_its_sentence)
{
    struct published p;
    struct err e = {0};
    cr_expect_eq(published_parse(&p, "t.csv", bad[*row].text, strlen(bad[*row].text), &e),
                 ERR_EPARSE);
    cr_expect_str_eq(e.msg, bad[*row].says);
}
