/* Requests of described clients: their rates, shapes, lengths and talks against closed forms. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/clients.h"
#include "traces/convert.h"
#include "traces/schema.h"
#include "traces/source.h"

#define LENGTHS "\"lengths\": [{\"prompt\": {\"fixed\": 100}, \"output\": {\"fixed\": 10}}]"

static struct row_source *open_text(const char *text, uint64_t seed)
{
    struct config *doc;
    struct clients *c;
    struct row_source *rows;
    struct err e = {0};
    cr_assert_eq(config_parse(&doc, "c", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(clients_read(&c, doc, &e), 0, "%s", e.msg);
    config_free(doc);
    cr_assert_eq(clients_open(&rows, c, seed, &e), 0, "%s", e.msg);
    return rows;
}

static bool next(struct row_source *s, struct trace_request *r)
{
    union trace_row row;
    struct err e = {0};
    int rc = s->next(s, &row, &e);
    cr_assert_geq(rc, 0, "%s", e.msg);
    *r = row.request;
    return rc == 1;
}

/* Gamma(1/2) = sqrt(pi): of cv sqrt(5) the Weibull's shape is 1/2 and its unit-mean scale 1/2. */
Test(clients, shapes_have_their_coefficient_of_variation)
{
    cr_expect_float_eq(client_shape(CLIENT_WEIBULL, sqrt(5)), 0.5, 1e-9);
    cr_expect_float_eq(client_scale(CLIENT_WEIBULL, 0.5), 0.5, 1e-12);
    cr_expect_float_eq(client_shape(CLIENT_WEIBULL, 1), 1, 1e-9);
    cr_expect_float_eq(client_scale(CLIENT_WEIBULL, 2), 2 / sqrt(3.14159265358979323846), 1e-12);
    cr_expect_float_eq(client_shape(CLIENT_GAMMA, 2), 0.25, 1e-15);
    cr_expect_float_eq(client_scale(CLIENT_GAMMA, 0.25), 4, 1e-15);
}

static const struct {
    const char *process;
    double cv;
} renewals[] = {{"\"process\": \"poisson\"", 1},
                {"\"process\": \"gamma\", \"cv\": 0.5", 0.5},
                {"\"process\": \"gamma\", \"cv\": 3", 3},
                {"\"process\": \"gamma\", \"shape\": 4", 0.5},
                {"\"process\": \"weibull\", \"cv\": 0.4", 0.4},
                {"\"process\": \"weibull\", \"cv\": 2", 2},
                {"\"process\": \"weibull\", \"shape\": 1", 1}};

ParameterizedTestParameters(clients, a_renewal_process_has_its_rate_and_variation)
{
    static int row[sizeof renewals / sizeof *renewals];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, clients, a_renewal_process_has_its_rate_and_variation)
{
    const double n = 200000, rate = 5, cv = renewals[*row].cv;
    char text[512];
    struct trace_request r;
    double sum = 0, squares = 0, last = 0, count = 0;
    snprintf(
        text, sizeof text,
        "{\"requests\": %.0f, \"clients\": [{\"arrivals\": [{\"rate_per_s\": %g, %s}], " LENGTHS
        "}]}",
        n, rate, renewals[*row].process);
    struct row_source *s = open_text(text, 7);
    for (; next(s, &r); count++) {
        const double at = (double)r.time_ns * 1e-9, gap = at - last;
        sum += gap;
        squares += gap * gap;
        last = at;
    }
    s->close(s);
    const double mean = sum / n;
    cr_expect_eq(count, n);
    cr_expect_float_eq(mean * rate, 1, 4 * cv / sqrt(n), "mean %g", mean);
    cr_expect_float_eq(sqrt(squares / n - mean * mean) / mean, cv, 0.03 * cv);
}

/* 10/s for 10 s, silence for 20 s, 1/s for 30 s, again and again. */
Test(clients, a_rate_changes_with_the_time_of_the_period)
{
    double count[6] = {0};
    struct trace_request r;
    struct row_source *s = open_text(
        "{\"duration_s\": 60000, \"clients\": [{\"period_s\": 60, \"arrivals\": [{\"at_s\": 0, "
        "\"rate_per_s\": 10}, {\"at_s\": 10, \"rate_per_s\": 0}, {\"at_s\": 30, \"rate_per_s\": "
        "1, \"process\": \"gamma\", \"cv\": 0.7}], " LENGTHS "}]}",
        1);
    while (next(s, &r))
        count[r.time_ns / 10000000000 % 6]++;
    s->close(s);
    cr_expect_float_eq(count[0], 1e5, 4 * sqrt(1e5));
    cr_expect_eq(count[1] + count[2], 0);
    for (int i = 3; i < 6; i++)
        cr_expect_float_eq(count[i], 1e4, 4 * sqrt(1e4));
}

Test(clients, one_whose_last_rate_is_nothing_ends)
{
    struct trace_request r;
    int n = 0;
    struct row_source *s = open_text("{\"requests\": 100000, \"clients\": [{\"arrivals\": "
                                     "[{\"rate_per_s\": 100}, {\"at_s\": 10, "
                                     "\"rate_per_s\": 0}], " LENGTHS "}]}",
                                     1);
    for (; next(s, &r); n++)
        cr_assert_lt(r.time_ns, UINT64_C(10000000000));
    cr_expect(n > 800 && n < 1200);
    s->close(s);
}

Test(clients, lengths_are_of_their_distributions)
{
    struct trace_request r;
    double n = 0, of[3] = {0}, sum = 0, tail = 0;
    struct row_source *s = open_text(
        "{\"requests\": 100000, \"clients\": [{\"arrivals\": [{\"rate_per_s\": 100}], \"lengths\": "
        "[{\"prompt\": {\"values\": [8, 80, 800], \"weights\": [1, 2, 1]}, \"output\": "
        "{\"exponential\": {\"mean\": 300}, \"min\": 0}}]}, {\"arrivals\": [{\"rate_per_s\": "
        "100}], "
        "\"lengths\": [{\"prompt\": {\"lognormal\": {\"median\": 500, \"sigma\": 0.5}}, "
        "\"output\": {\"pareto\": {\"alpha\": 2, \"least\": 50}}}]}]}",
        3);
    double below = 0, others = 0;
    while (next(s, &r)) {
        if (r.tenant == 1) {
            others++;
            below += r.prompt_tokens < 500;
            tail += r.output_tokens >= 100;
            continue;
        }
        n++;
        of[r.prompt_tokens == 8 ? 0 : r.prompt_tokens == 80 ? 1 : 2]++;
        sum += r.output_tokens;
    }
    s->close(s);
    cr_expect_float_eq(of[0] / n, 0.25, 4 * sqrt(0.25 * 0.75 / n));
    cr_expect_float_eq(of[1] / n, 0.5, 4 * sqrt(0.25 / n));
    cr_expect_float_eq(sum / n, 300, 4 * 300 / sqrt(n));
    cr_expect_float_eq(below / others, 0.5, 0.001 + 4 * sqrt(0.25 / others));
    cr_expect_float_eq(tail / others, 0.25, 0.006 + 4 * sqrt(0.25 * 0.75 / others));
}

/* What was said before stays the beginning, and its whole blocks keep their names. */
Test(clients, a_talk_goes_on_with_what_was_said)
{
    struct trace_request r;
    uint64_t before[4096], session = 0, said = 0, goes_on = 0, n = 0;
    uint32_t blocks = 0;
    struct row_source *s = open_text(
        "{\"requests\": 20000, \"prefix_block\": 16, \"clients\": [{\"follow\": 0.75, "
        "\"system_tokens\": 64, \"arrivals\": [{\"rate_per_s\": 1}], \"lengths\": [{\"prompt\": "
        "{\"fixed\": 100}, \"output\": {\"fixed\": 20}, \"more\": {\"fixed\": 30}}]}]}",
        5);
    for (; next(s, &r); n++) {
        cr_assert_eq(r.n_prefix, (r.prompt_tokens + 15) / 16);
        if (r.session == session) {
            goes_on++;
            cr_assert_eq(r.prompt_tokens, said + 30);
            cr_assert_arr_eq(r.prefix, before, blocks * sizeof *before);
        } else {
            cr_assert_eq(r.prompt_tokens, 100);
        }
        if (n) /* the system's four blocks are everybody's */
            cr_assert_arr_eq(r.prefix, before, 4 * sizeof *before);
        if (n && r.session != session)
            cr_assert_neq(r.prefix[4], before[4]);
        session = r.session;
        said = r.prompt_tokens + r.output_tokens;
        blocks = r.prompt_tokens / 16;
        cr_assert_lt(blocks, 4096);
        memcpy(before, r.prefix, blocks * sizeof *before);
    }
    s->close(s);
    cr_expect_float_eq((double)goes_on / (double)n, 0.75, 4 * sqrt(0.1875 / (double)n));
}

static void digest(struct row_source *s, uint32_t tenants, char hex[SHA256_HEX])
{
    struct sha256 sha;
    struct trace_request r;
    sha256_init(&sha);
    while (next(s, &r))
        if (r.tenant < tenants)
            schema_digest(TRACE_REQUESTS, (const union trace_row *)(const void *)&r, &sha);
    sha256_hex(&sha, hex);
}

#define TWO                                                                                        \
    "{\"count\": 2, \"arrivals\": [{\"rate_per_s\": 2, \"process\": \"gamma\", \"cv\": 2}], "      \
    "\"follow\": 0.5, \"lengths\": [{\"prompt\": {\"lognormal\": {\"median\": 90, \"sigma\": "     \
    "1}}, "                                                                                        \
    "\"output\": {\"fixed\": 3}}]}"

Test(clients, are_functions_of_the_seed_and_of_nobody_else)
{
    char hex[4][SHA256_HEX];
    struct err e = {0};
    struct row_source *s = open_text("{\"duration_s\": 900, \"clients\": [" TWO "]}", 1);
    digest(s, 2, hex[0]);
    cr_assert_eq(s->rewind(s, &e), 0);
    digest(s, 2, hex[1]);
    s->close(s);
    s = open_text("{\"duration_s\": 900, \"clients\": [" TWO ", " TWO "]}", 1);
    digest(s, 2, hex[2]);
    s->close(s);
    s = open_text("{\"duration_s\": 900, \"clients\": [" TWO "]}", 2);
    digest(s, 2, hex[3]);
    s->close(s);
    cr_expect_str_eq(hex[0], hex[1], "a rewind begins anew");
    cr_expect_str_eq(hex[0], hex[2], "more clients change nothing of these");
    cr_expect_str_neq(hex[0], hex[3], "another seed");
}

Test(clients, a_section_takes_them_inline_or_from_a_file)
{
    static const char *const text = "{\"requests\": 100, \"clients\": [{\"model\": \"qwen\", "
                                    "\"arrivals\": [{\"rate_per_s\": 1}], " LENGTHS "}]}";
    char path[] = "/tmp/malv-clients-XXXXXX", section[2][512];
    char hex[2][SHA256_HEX];
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    snprintf(section[0], sizeof section[0], "{\"synth\": %s}", text);
    snprintf(section[1], sizeof section[1], "{\"synth\": {\"clients\": \"%s\"}}", path);
    for (int i = 0; i < 2; i++) {
        struct config *c;
        struct row_source *s;
        struct trace_about about;
        struct err e = {0};
        enum trace_table table;
        cr_assert_eq(config_parse(&c, "x", section[i], strlen(section[i]), &e), 0);
        int rc = trace_rows_check(c, 1u << TRACE_REQUESTS, &(struct trace_places){0}, &table, &e);
        cr_expect_eq(rc, 0, "%s", e.msg);
        rc = trace_rows_open(c, 1u << TRACE_REQUESTS, 1, &(struct trace_places){0}, &s, &about, &e);
        cr_assert_eq(rc, 0, "%s", e.msg);
        config_free(c);
        digest(s, 1, hex[i]);
        cr_expect_str_eq(s->name(s, 0), "qwen");
        cr_expect_eq(about.requests, 100);
        s->close(s);
    }
    unlink(path);
    cr_expect_str_eq(hex[0], hex[1]);
}

#define RATE "\"arrivals\": [{\"rate_per_s\": 1}], "
static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"clients\": []}",
     "c: clients: got an array of 0, want a list of at least one, at most 100000"},
    {"{\"clients\": [{}]}", "c: got an object, want duration_s or requests: where it ends"},
    {"{\"requests\": 1, \"clients\": [{}]}", "c: clients[0]: key \"arrivals\" is missing"},
    {"{\"requests\": 1, \"clients\": [{\"arrivals\": [{\"rate_per_s\": 0}], " LENGTHS "}]}",
     "c: clients[0].arrivals: got an array of 1, want a rate above 0"},
    {"{\"requests\": 1, \"clients\": [{\"arrivals\": [{\"at_s\": 1, \"rate_per_s\": 1}], " LENGTHS
     "}]}",
     "c: clients[0].arrivals[0]: got an object, want the first at_s to be 0"},
    {"{\"requests\": 1, \"clients\": [{\"arrivals\": [{\"rate_per_s\": 1}, {\"rate_per_s\": "
     "1}], " LENGTHS "}]}",
     "c: clients[0].arrivals[1]: got an object, want an at_s after the one before"},
    {"{\"requests\": 1, \"clients\": [{\"period_s\": 5, \"arrivals\": [{\"rate_per_s\": 1}, "
     "{\"at_s\": 5, \"rate_per_s\": 1}], " LENGTHS "}]}",
     "c: clients[0].arrivals[1]: got an object, want an at_s within period_s"},
    {"{\"requests\": 1, \"clients\": [{\"arrivals\": [{\"rate_per_s\": 1, \"process\": "
     "\"gamma\"}], " LENGTHS "}]}",
     "c: clients[0].arrivals[0]: got an object, want one of \"cv\" and \"shape\""},
    {"{\"requests\": 1, \"clients\": [{\"arrivals\": [{\"rate_per_s\": 1, \"cv\": 2}], " LENGTHS
     "}]}",
     "c: clients[0].arrivals[0]: got an object, want neither \"cv\" nor \"shape\" of a Poisson "
     "process"},
    {"{\"requests\": 1, \"clients\": [{\"count\": 1000000, " RATE LENGTHS "}, {" RATE LENGTHS "}]}",
     "c: clients[1]: got an object, want at most 1000000 clients in all"},
    {"{\"requests\": 1, \"clients\": [{" RATE "\"lengths\": [{\"prompt\": {}, \"output\": {}}]}]}",
     "c: clients[0].lengths[0].prompt: got an object, want one of fixed, values, lognormal, "
     "exponential, pareto"},
    {"{\"requests\": 1, \"clients\": [{" RATE "\"lengths\": [{\"prompt\": {\"values\": [1, 2], "
     "\"weights\": [1]}, \"output\": {\"fixed\": 1}}]}]}",
     "c: clients[0].lengths[0].prompt.values: got an array of 2, want as many \"weights\""},
    {"{\"requests\": 1, \"clients\": [{" RATE "\"lengths\": [{\"prompt\": {\"values\": [1], "
     "\"weights\": [0]}, \"output\": {\"fixed\": 1}}]}]}",
     "c: clients[0].lengths[0].prompt.weights: got an array of 1, want a weight above 0"},
    {"{\"requests\": 1, \"clients\": [{" RATE "\"lengths\": [{\"prompt\": {\"fixed\": 5, \"min\": "
     "9, \"max\": 2}, \"output\": {\"fixed\": 1}}]}]}",
     "c: clients[0].lengths[0].prompt: got an object, want min not above max"},
};

ParameterizedTestParameters(clients, what_is_wrong_is_said)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, clients, what_is_wrong_is_said)
{
    struct config *doc;
    struct clients *c;
    struct err e = {0};
    const char *text = bad[*row].text;
    cr_assert_eq(config_parse(&doc, "c", text, strlen(text), &e), 0, "%s", e.msg);
    cr_expect_lt(clients_read(&c, doc, &e), 0, "%s was taken", text);
    cr_expect_str_eq(e.msg, bad[*row].want);
    cr_expect_null(c);
    config_free(doc);
}
