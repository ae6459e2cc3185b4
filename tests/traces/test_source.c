/* Trace sections: what they open, what they cut, what they refuse. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/config.h"
#include "traces/convert.h"
#include "traces/source.h"

static char dir[64];

/* Ten requests, one a second; the fourth failed. */
static void begin(void)
{
    char path[128];
    snprintf(dir, sizeof dir, "/tmp/malv-source-%ld", (long)getpid());
    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/b.csv", dir);
    FILE *f = fopen(path, "w");
    fputs("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n", f);
    for (int i = 0; i < 10; i++)
        fprintf(f, "%d,GPT-4,%d,%d,%d,API log\n", i, 100 + i, i == 3 ? 0 : 1 + i, 101 + 2 * i);
    fclose(f);
    struct err e = {0};
    struct trace_file *t;
    struct trace_meta m;
    char out[128];
    snprintf(out, sizeof out, "%s/b.h5", dir);
    cr_assert_eq(trace_file_open(&t, path, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(convert_to_store(t, out, STORE_DEFLATE, &m, NULL, NULL, &e), 0, "%s", e.msg);
    trace_file_close(t);
    setenv("MALV_DATA", "/nowhere", 1);
}

static void end(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/b.csv", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/b.h5", dir);
    unlink(path);
    rmdir(dir);
}

TestSuite(source, .init = begin, .fini = end);

static struct request_source *open_section(const char *text, uint64_t seed,
                                           struct trace_about *about, int *rc, struct err *e)
{
    struct config *c;
    struct request_source *s = NULL;
    struct trace_places where = {dir, dir};
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), e), 0, "%s", e->msg);
    *rc = trace_source_open(c, seed, &where, &s, about, e);
    config_free(c);
    return s;
}

/* The prompts that come out, each with its time in ms. */
static void render(struct request_source *s, char *to, size_t n)
{
    struct trace_request r;
    struct err e = {0};
    size_t at = 0;
    int rc;
    to[0] = 0;
    while ((rc = s->next(s, &r, &e)) == 1)
        at += (size_t)snprintf(to + at, n - at, "%llu:%u ", (unsigned long long)r.time_ns / 1000000,
                               r.prompt_tokens);
    cr_assert_eq(rc, 0, "%s", e.msg);
    s->close(s);
}

static const struct {
    const char *text, *want;
} cases[] = {
    {"{\"import\": {\"format\": \"burstgpt\", \"file\": \"b.csv\"}}",
     "0:100 1000:101 2000:102 4000:104 5000:105 6000:106 7000:107 8000:108 9000:109 "},
    {"{\"file\": \"b.h5\"}",
     "0:100 1000:101 2000:102 4000:104 5000:105 6000:106 7000:107 8000:108 9000:109 "},
    {"{\"file\": \"b.h5\", \"limit\": 2}", "0:100 1000:101 "},
    {"{\"file\": \"b.h5\", \"keep_failed\": true, \"limit\": 5}",
     "0:100 1000:101 2000:102 3000:103 4000:104 "},
    {"{\"file\": \"b.h5\", \"window\": {\"length_s\": 3, \"start_s\": 4}}",
     "0:104 1000:105 2000:106 "},
    {"{\"import\": {\"file\": \"b.csv\"}, \"window\": {\"length_s\": 3, \"start_s\": 4}}",
     "0:104 1000:105 2000:106 "},
    {"{\"file\": \"b.h5\", \"rate_scale\": 4, \"limit\": 4}", "0:100 250:101 500:102 1000:104 "},
    {"{\"file\": \"b.h5\", \"rate_scale\": 0.5, \"window\": {\"length_s\": 2.5, \"start_s\": 6}}",
     "0:106 2000:107 4000:108 "},
    {"{\"file\": \"data:no/such.csv\", \"otherwise\": {\"file\": \"b.h5\", \"limit\": 1}}",
     "0:100 "},
    {"{\"import\": {\"file\": \"data:no/such.csv\"}, \"otherwise\": {\"file\": \"data:neither\", "
     "\"otherwise\": {\"import\": {\"file\": \"b.csv\"}, \"limit\": 1}}}",
     "0:100 "},
};

ParameterizedTestParameters(source, opens)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, source, opens, .init = begin, .fini = end)
{
    struct err e = {0};
    struct trace_about about;
    char got[512];
    int rc;
    struct request_source *s = open_section(cases[*row].text, 1, &about, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    render(s, got, sizeof got);
    cr_expect_str_eq(got, cases[*row].want, "%s", cases[*row].text);
    cr_expect_eq(about.requests, 10);
    cr_expect_eq(about.failed, 1);
    cr_expect_eq(strlen(about.digest), 64);
}

static const struct {
    const char *text, *want;
} bad[] = {
    {"{}", "x.json: want exactly one of file, import, synth"},
    {"{\"file\": \"b.h5\", \"synth\": {\"preset\": \"mixed\"}}",
     "x.json: want exactly one of file, import, synth"},
    {"{\"file\": \"c.h5\"}",
     "x.json: c.h5: no such file (looked beside the experiment and in the repository)"},
    {"{\"file\": \"data:a/b.h5\"}", "x.json: data:a/b.h5: not found in MALV_DATA=/nowhere; malv "
                                    "trace get says where to obtain it"},
    {"{\"file\": \"b.h5\", \"otherwise\": {\"file\": \"b.h5\"}}",
     "x.json: otherwise: of use only beside a data: file, which may be absent"},
    {"{\"import\": {\"format\": \"azure\", \"file\": \"b.csv\"}}",
     "x.json: import.format: no format \"azure\"; malv trace import --help lists them"},
    {"{\"import\": {\"format\": \"openb-pods\", \"file\": \"b.csv\"}}",
     "x.json: import.format: got \"openb-pods\", want a format of requests"},
    {"{\"file\": \"b.h5\", \"window\": {\"length_s\": 100}}",
     "x.json: window: got 100 s from 0 s on, want a window in the trace's 9 s"},
    {"{\"file\": \"b.h5\", \"window\": {\"length_s\": 1, \"start_s\": 1, \"pick\": \"random\"}}",
     "x.json: window: start_s: no use beside \"pick\": \"random\""},
    {"{\"file\": \"b.h5\", \"rate\": 2}", "x.json: unknown key \"rate\""},
};

ParameterizedTestParameters(source, refuses)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, source, refuses, .init = begin, .fini = end)
{
    struct err e = {0};
    int rc;
    struct request_source *s = open_section(bad[*row].text, 1, NULL, &rc, &e);
    cr_assert_lt(rc, 0);
    cr_assert_null(s);
    cr_expect_str_eq(e.msg, bad[*row].want);
}

Test(source, random_windows_depend_on_the_seed_and_digests_do_not)
{
    static const char text[] =
        "{\"file\": \"b.h5\", \"window\": {\"length_s\": 2, \"pick\": \"random\"}}";
    struct err e = {0};
    struct trace_about a, b, again;
    int rc, differ = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct request_source *s = open_section(text, seed, &a, &rc, &e);
        cr_assert_eq(rc, 0, "%s", e.msg);
        s->close(s);
        s = open_section(text, seed, &again, &rc, &e);
        s->close(s);
        cr_assert_eq(a.window_from_ns, again.window_from_ns);
        cr_assert_leq(a.window_from_ns + a.window_ns, UINT64_C(9000000001));
        if (seed > 1) {
            differ += a.window_from_ns != b.window_from_ns;
            cr_assert_str_eq(a.digest, b.digest);
        }
        b = a;
    }
    cr_assert_eq(differ, 4);
}

Test(source, digests_name_what_is_replayed)
{
    static const char *const texts[] = {
        "{\"file\": \"b.h5\"}", "{\"file\": \"b.h5\", \"limit\": 3}",
        "{\"file\": \"b.h5\", \"rate_scale\": 2}", "{\"synth\": {\"preset\": \"mixed\"}}",
        "{\"synth\": {\"preset\": \"mixed\", \"requests\": 11}}"};
    struct trace_about a[5];
    for (int i = 0; i < 5; i++) {
        struct err e = {0};
        int rc;
        struct request_source *s = open_section(texts[i], 1, &a[i], &rc, &e);
        cr_assert_eq(rc, 0, "%s", e.msg);
        s->close(s);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(a[i].digest, a[k].digest, "%s and %s", texts[i], texts[k]);
    }
    char *json = trace_about_json(&a[3]);
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "about", json, strlen(json), &e), 0, "%s", e.msg);
    const char *name;
    cr_assert_eq(config_str(config_get(c, "name"), &name, &e), 0);
    cr_assert_str_eq(name, "synth:mixed");
    config_free(c);
    free(json);
}

/* BurstGPT's third file begins 225 days after its own time 0. */
Test(source, streams_begin_with_the_first_request)
{
    static const char *const texts[] = {
        "{\"import\": {\"file\": \"b.csv\"}}",
        "{\"import\": {\"file\": \"b.csv\"}, \"window\": {\"length_s\": 45, \"start_s\": 10}}"};
    static const char *const want[] = {"0:1 50000:2 60000:3 ", "40000:2 "};
    char path[128], got[256];
    snprintf(path, sizeof path, "%s/b.csv", dir);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path, "w");
        fputs("Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
              "Log Type\n19440110.0,1722ac82-0a46,43,GPT-4,1,446,447,Conversation log\n"
              "19440160.0,,2,ChatGPT,2,29,31,API log\n19440170.0,,2,ChatGPT,3,29,32,API log\n",
              f);
        fclose(f);
        struct err e = {0};
        struct trace_about about;
        int rc;
        struct request_source *s = open_section(texts[i], 1, &about, &rc, &e);
        cr_assert_eq(rc, 0, "%s", e.msg);
        cr_expect_eq(about.span_ns, UINT64_C(60000000000));
        render(s, got, sizeof got);
        cr_expect_str_eq(got, want[i]);
    }
}

/* A bad row deep in the file is found before anything runs. */
Test(source, imports_are_read_through_first)
{
    char path[128];
    struct err e = {0};
    int rc;
    snprintf(path, sizeof path, "%s/b.csv", dir);
    FILE *f = fopen(path, "a");
    fputs("11,GPT-4,x,1,2,API log\n", f);
    fclose(f);
    struct request_source *s =
        open_section("{\"import\": {\"file\": \"b.csv\"}, \"limit\": 1}", 1, NULL, &rc, &e);
    cr_assert_null(s);
    cr_assert_eq(rc, ERR_EPARSE);
    cr_assert(strstr(e.msg, "b.csv:12:10: got \"x\", want an integer 0..100000000"), "%s", e.msg);
    e = (struct err){0};
    s = open_section("{\"import\": {\"file\": \"b.csv\", \"skip_bad\": 1}, \"limit\": 1}", 1, NULL,
                     &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    s->close(s);
}
