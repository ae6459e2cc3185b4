#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"

static const struct {
    double v;
    int digits;
    const char *want;
} numbers[] = {
    {0, 4, "0"},
    {5, 4, "5"},
    {-5, 4, "-5"},
    {12.3456, 4, "12.35"},
    {0.5, 3, "0.500"},
    {0.0123456, 3, "0.0123"},
    {0.99996, 4, "1.0000"},
    {1234.5, 3, "1234"},
    {12345.6, 4, "12\u202f346"},
    {-1234567.0, 4, "-1\u202f234\u202f567"},
    {0.000012345, 3, "1.23e-05"},
    {3e15, 3, "3.00e+15"},
    {NAN, 4, "\u2013"},
    {INFINITY, 4, "\u2013"},
};

ParameterizedTestParameters(fmt, numbers_as_people_read_them)
{
    static int row[sizeof numbers / sizeof *numbers];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, fmt, numbers_as_people_read_them)
{
    cr_expect_str_eq(fmt_number(numbers[*row].v, numbers[*row].digits).s, numbers[*row].want);
}

static char *printed(void (*f)(FILE *, const char *), const char *s)
{
    char *data;
    size_t len;
    FILE *to = open_memstream(&data, &len);
    f(to, s);
    fclose(to);
    return data;
}

static const struct {
    void (*f)(FILE *, const char *);
    const char *in, *want;
} texts[] = {
    {html_text, "a<script>alert('x')</script>", "a&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
    {html_text, "\"&\"", "&quot;&amp;&quot;"},
    {html_text, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {html_text, "\xff\xc0\x80\xed\xa0\x80.",
     "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd."}, /* overlong, surrogate */
    {html_text, "cut\xe2\x82", "cut\ufffd\ufffd"},
    {html_text, "bell\a", "bell\ufffd"},
    {json_string, "a\"b\\c\n", "\"a\\\"b\\\\c\\u000a\""},
    {json_string, "\xff", "\"\ufffd\""},
    {csv_text, "plain text", "plain text"},
    {csv_text, "a,b", "\"a,b\""},
    {csv_text, "say \"hi\"", "\"say \"\"hi\"\"\""},
};

ParameterizedTestParameters(fmt, text_cannot_break_out)
{
    static int row[sizeof texts / sizeof *texts];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, fmt, text_cannot_break_out)
{
    char *got = printed(texts[*row].f, texts[*row].in);
    cr_expect_str_eq(got, texts[*row].want);
    free(got);
}

Test(fmt, json_numbers_read_back_the_same)
{
    const double v[] = {0, 0.1, 1.0 / 3, 1e300, -2.5, 123456789.123456789};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        char *data;
        size_t len;
        FILE *f = open_memstream(&data, &len);
        json_number(f, v[i]);
        fclose(f);
        cr_expect_eq(strtod(data, NULL), v[i], "%s", data);
        free(data);
    }
}
