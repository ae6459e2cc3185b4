/* RFC 4180 and what the field makes of it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/csv.h"
#include "traces/parse.h"

static const struct {
    const char *name, *text, *want; /* want: fields joined by |, rows by / ; or the sentence */
} cases[] = {
    {"plain", "a,b\n1,2\n3,4\n", "1|2/3|4/"},
    {"no end of the last line", "a,b\n1,2", "1|2/"},
    {"crlf", "a,b\r\n1,2\r\n", "1|2/"},
    {"byte order mark",
     "\xef\xbb\xbf"
     "a,b\n1,2\n",
     "1|2/"},
    {"empty fields", "a,b\n,\n", "|/"},
    {"empty lines are passed over", "a,b\n\n1,2\n\r\n", "1|2/"},
    {"quoted comma", "a,b\n\"1,5\",2\n", "1,5|2/"},
    {"doubled quote", "a,b\n\"say \"\"no\"\"\",2\n", "say \"no\"|2/"},
    {"quoted line end", "a,b\n\"1\n5\",2\n3,4\n", "1\n5|2/3|4/"},
    {"quoted crlf", "a,b\r\n\"1\r\n5\",2\r\n", "1\r\n5|2/"},
    {"empty quoted", "a,b\n\"\",2\n", "|2/"},
    {"quote in the middle is a byte", "a,b\n1\"5,2\n", "1\"5|2/"},
    {"too few", "a,b\n1\n", "t:2:1: got 1 field, want 2"},
    {"too many", "a,b\n1,2\n1,2,3\n", "t:3:1: got 3 fields, want 2"},
    {"open quote", "a,b\n1,\"2\n3,4\n", "t:2:3: got a quote that is never closed"},
    {"junk behind a quote", "a,b\n\"1\"x,2\n",
     "t:2:4: got text behind a closing quote, want a comma"},
    {"empty", "", "t:1:1: got an empty file, want a line of column names"},
    {"utf-16",
     "\xff\xfe"
     "a\0,\0",
     "t:1:1: got UTF-16 text, want UTF-8"},
    {"rows behind a long quoted field keep their numbers", "a,b\n\"x\ny\nz\",2\n1\n",
     "t:5:1: got 1 field, want 2"},
};

ParameterizedTestParameters(csv, reads)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static void render(struct csv *c, FILE *f)
{
    for (int i = 0; i < c->fields; i++) {
        fputs(i ? "|" : "", f);
        fwrite(c->field[i].text, 1, c->field[i].len, f);
    }
    fputc('/', f);
}

ParameterizedTest(int *row, csv, reads)
{
    struct err e = {0};
    struct input *in;
    struct csv c;
    char *got = NULL;
    size_t n;
    FILE *f = open_memstream(&got, &n);
    const char *text = cases[*row].text;
    cr_assert_eq(input_open_memory(&in, "t", text, strlen(text), &e), 0);
    int rc = csv_open(&c, in, &e);
    bool open = rc == 0;
    while (rc >= 0 && (rc = csv_next(&c, &e)) == 1)
        render(&c, f);
    if (open)
        csv_close(&c);
    fclose(f);
    cr_expect_str_eq(rc < 0 ? e.msg : got, cases[*row].want, "%s: %s", cases[*row].name,
                     rc < 0 ? e.msg : got);
    free(got);
}

Test(csv, columns_are_found_by_name)
{
    struct err e = {0};
    struct input *in;
    struct csv c;
    int at;
    cr_assert_eq(input_open_memory(&in, "t", "a,\"b c\",d\n", 10, &e), 0);
    cr_assert_eq(csv_open(&c, in, &e), 0);
    cr_assert_eq(csv_column(&c, "b c"), 1);
    cr_assert_eq(csv_want_column(&c, "e", &at, &e), ERR_ENAME);
    cr_assert_str_eq(e.msg, "t:1:1: column \"e\" is missing");
    csv_close(&c);
}

/* Longer than the buffer that lines begin with, twice. */
Test(csv, long_lines_come_out_whole)
{
    struct err e = {0};
    struct input *in;
    struct csv c;
    size_t n = 700000;
    char *text = malloc(n + 16);
    memcpy(text, "a\n", 2);
    memset(text + 2, 'x', n);
    memcpy(text + 2 + n, "\ny\n", 3);
    cr_assert_eq(input_open_memory(&in, "t", text, n + 5, &e), 0);
    cr_assert_eq(csv_open(&c, in, &e), 0);
    cr_assert_eq(csv_next(&c, &e), 1);
    cr_assert_eq(c.field[0].len, n);
    cr_assert_eq(csv_next(&c, &e), 1);
    cr_assert_eq(c.field[0].text[0], 'y');
    csv_close(&c);
    free(text);
}

Test(csv, endless_lines_are_a_sentence)
{
    struct err e = {0};
    struct input *in;
    struct csv c;
    size_t n = 2 * LINE_MAX_BYTES + 100;
    char *text = malloc(n);
    memset(text, 'x', n);
    cr_assert_eq(input_open_memory(&in, "t", text, n, &e), 0);
    cr_assert_eq(csv_open(&c, in, &e), ERR_EIO);
    cr_assert_str_eq(e.msg, "t:1:1: got a line of more than 16777216 bytes");
    free(text);
}

static const struct {
    const char *text;
    uint64_t max;
    bool ok;
    uint64_t want;
} numbers[] = {
    {"0", 9, true, 0},
    {"9", 9, true, 9},
    {"10", 9, false, 0},
    {"", 9, false, 0},
    {"+1", 9, false, 0},
    {"-1", 9, false, 0},
    {" 1", 9, false, 0},
    {"1 ", 9, false, 0},
    {"1.0", 9, false, 0},
    {"1e1", 99, false, 0},
    {"0x1", 9, false, 0},
    {"007", 9, true, 7},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, 0},
    {"99999999999999999999", UINT64_MAX, false, 0},
};

Test(parse, integers_are_strict)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t v = 0;
        bool ok = parse_u64(numbers[i].text, strlen(numbers[i].text), numbers[i].max, &v);
        cr_expect_eq(ok, numbers[i].ok, "\"%s\"", numbers[i].text);
        if (ok)
            cr_expect_eq(v, numbers[i].want, "\"%s\"", numbers[i].text);
    }
}

static const struct {
    const char *text;
    bool ok;
    uint64_t ns;
    const char *again;
} seconds[] = {
    {"0", true, 0, "0"},
    {"5", true, 5000000000, "5"},
    {"5.0", true, 5000000000, "5"},
    {"1.5", true, 1500000000, "1.5"},
    {"0.000000001", true, 1, "0.000000001"},
    {"0.0000000014", true, 1, "0.000000001"},
    {"0.0000000015", true, 2, "0.000000002"},
    {"0.9999999999", true, 1000000000, "1"},
    {"123456.789", true, 123456789000000, "123456.789"},
    {"18446744072", true, UINT64_C(18446744072000000000), "18446744072"},
    {"18446744074", false, 0, ""},
    {"1.", false, 0, ""},
    {".5", false, 0, ""},
    {"1.5s", false, 0, ""},
    {"-1", false, 0, ""},
    {"1e3", false, 0, ""},
    {"", false, 0, ""},
    {"nan", false, 0, ""},
};

Test(parse, decimal_seconds_are_exact)
{
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        uint64_t ns = 0;
        char again[40];
        bool ok = parse_decimal_ns(seconds[i].text, strlen(seconds[i].text), 1000000000, &ns);
        cr_expect_eq(ok, seconds[i].ok, "\"%s\"", seconds[i].text);
        if (!ok)
            continue;
        cr_expect_eq(ns, seconds[i].ns, "\"%s\": %llu", seconds[i].text, (unsigned long long)ns);
        format_decimal_ns(again, ns, 1000000000);
        cr_expect_str_eq(again, seconds[i].again);
    }
}

/* Seconds since 1970 by date(1). */
static const struct {
    const char *text;
    uint64_t s, ns;
    int digits;
    const char *zone;
} stamps[] = {
    {"1970-01-01 00:00:00", 0, 0, 0, ""},
    {"2023-11-16 18:17:03.9799600", 1700158623, 979960000, 7, ""},
    {"2024-05-10 00:00:00.009930+00:00", 1715299200, 9930000, 6, "+00:00"},
    {"2024-02-29T23:59:59Z", 1709251199, 0, 0, "Z"},
    {"2000-03-01 00:00:00.1", 951868800, 100000000, 1, ""},
    {"2100-03-01 12:00:00", 4107585600, 0, 0, ""},
};
static const char *const no_stamps[] = {"",
                                        "2023-11-16",
                                        "2023-11-16 18:17",
                                        "2023-13-16 18:17:03",
                                        "2023-02-29 18:17:03",
                                        "2100-02-29 00:00:00",
                                        "2023-11-31 00:00:00",
                                        "2023-11-16 24:00:00",
                                        "2023-11-16 18:60:03",
                                        "2023-11-16 18:17:60",
                                        "1969-12-31 00:00:00",
                                        "2023-11-16_18:17:03",
                                        "2023-11-16 18:17:03.",
                                        "2023-11-16 18:17:03.1234567890",
                                        "2023-11-16 18:17:03+1",
                                        "2023-11-16 18:17:03.5x",
                                        "2023-11-16 18:17:03+99:00",
                                        "2023-1-16 18:17:033"};

Test(parse, calendar_times_come_back_as_they_were)
{
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        struct stamp s;
        char again[80];
        cr_assert(parse_stamp(stamps[i].text, strlen(stamps[i].text), &s), "%s", stamps[i].text);
        cr_expect_eq(s.ns, stamps[i].s * 1000000000 + stamps[i].ns, "%s: %llu", stamps[i].text,
                     (unsigned long long)s.ns);
        cr_expect_eq(s.fraction_digits, stamps[i].digits);
        cr_expect_str_eq(s.zone, stamps[i].zone);
        int n = format_stamp(again, s.ns, s.fraction_digits);
        again[10] = stamps[i].text[10];
        cr_expect_eq(strncmp(again, stamps[i].text, (size_t)n), 0, "%s: %s", stamps[i].text, again);
    }
    for (size_t i = 0; i < sizeof no_stamps / sizeof *no_stamps; i++) {
        struct stamp s;
        cr_expect_not(parse_stamp(no_stamps[i], strlen(no_stamps[i]), &s), "\"%s\"", no_stamps[i]);
    }
}

Test(parse, a_zero_byte_is_no_space)
{
    struct stamp s;
    cr_expect_not(parse_stamp("2023-12-16\0"
                              "18:17:05",
                              19, &s));
}
