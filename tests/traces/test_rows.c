/* The other tables: what is stored comes back, and a section cuts and rewinds it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/config.h"
#include "traces/convert.h"
#include "traces/schema.h"
#include "traces/source.h"

static const enum trace_table tables[] = {TRACE_IO, TRACE_PAGES, TRACE_SCHED, TRACE_VMS};
#define ANY     (1u << TRACE_IO | 1u << TRACE_PAGES | 1u << TRACE_SCHED | 1u << TRACE_VMS)
#define STEP_NS 1000000

static char dir[64], path[96];

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-rows-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/x.h5", dir);
    mkdir(dir, 0700);
}

static void end(void)
{
    char csv[96];
    unlink(path);
    snprintf(csv, sizeof csv, "%s/m.csv", dir);
    unlink(csv);
    rmdir(dir);
}

/* Bits that no two columns and no two rows share. */
static uint64_t mix(uint64_t row, uint64_t column)
{
    uint64_t v = (row * 64 + column + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return v ^ v >> 29;
}

static void make(enum trace_table t, uint64_t i, union trace_row *row, uint64_t *values)
{
    const struct trace_schema *s = &trace_schemas[t];
    memset(row, 0, sizeof *row);
    column_set(&s->columns[0], row, i * STEP_NS);
    for (unsigned c = 1; c < s->n_columns; c++) {
        uint64_t v = mix(i, c);
        if (!strcmp(s->columns[c].unit, "name"))
            v = v % 3 ? TRACE_NAME_NONE : v % 2;
        column_set(&s->columns[c], row, s->columns[c].width == 8 ? v : (uint32_t)v);
    }
    if (!s->ragged)
        return;
    for (uint32_t k = 0; k < i % 5; k++)
        values[k] = mix(i, 40 + k);
    ragged_set(s->ragged, row, values, (uint32_t)(i % 5));
}

static void expect_same(enum trace_table t, const union trace_row *got, uint64_t i)
{
    const struct trace_schema *s = &trace_schemas[t];
    union trace_row want;
    uint64_t values[8];
    const uint64_t *g;
    make(t, i, &want, values);
    for (unsigned c = 0; c < s->n_columns; c++)
        cr_assert_eq(column_get(&s->columns[c], got), column_get(&s->columns[c], &want),
                     "%s.%s of row %llu", s->table, s->columns[c].name, (unsigned long long)i);
    if (!s->ragged)
        return;
    cr_assert_eq(ragged_get(s->ragged, got, &g), i % 5);
    cr_assert(i % 5 == 0 || !memcmp(g, values, 8 * (i % 5)));
}

static void write_table(enum trace_table t, uint64_t rows)
{
    struct err e = {0};
    struct store_writer *w;
    struct trace_meta meta = {.format = "test"};
    struct trace_names *names = names_new();
    union trace_row row;
    uint64_t values[8];
    names_id(names, "a", 1);
    names_id(names, "b", 1);
    cr_assert_eq(store_create(&w, path, t, STORE_DEFLATE, &e), 0, "%s", e.msg);
    for (uint64_t i = 0; i < rows; i++) {
        make(t, i, &row, values);
        cr_assert_eq(store_put(w, &row, &e), 0, "%s", e.msg);
    }
    cr_assert_eq(store_commit(w, &meta, names, &e), 0, "%s", e.msg);
    names_free(names);
}

static int open_text(const char *text, unsigned mask, struct row_source **s,
                     struct trace_about *about, struct err *e)
{
    struct config *c;
    struct trace_places where = {dir, dir};
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), e), 0, "%s", e->msg);
    int rc = trace_rows_open(c, mask, 1, &where, s, about, e);
    config_free(c);
    return rc;
}

ParameterizedTestParameters(rows, stored_and_read)
{
    return cr_make_param_array(enum trace_table, (void *)tables, 4);
}

ParameterizedTest(enum trace_table *t, rows, stored_and_read, .init = begin, .fini = end)
{
    const uint64_t rows = 70000; /* a full chunk and a bit */
    struct err e = {0};
    struct trace_meta m;
    struct trace_about about;
    struct row_source *s;
    union trace_row row;
    write_table(*t, rows);
    cr_assert_eq(convert_verify(path, &m, NULL, NULL, &e), 0, "%s", e.msg);
    cr_assert_eq(schema_meta_rows(&m), rows);
    cr_assert_eq(open_text("{\"file\": \"x.h5\"}", ANY, &s, &about, &e), 0, "%s", e.msg);
    cr_assert_eq(s->table, *t);
    cr_assert_eq(about.table, *t);
    cr_assert_eq(about.requests, rows);
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < rows; i++) {
            cr_assert_eq(s->next(s, &row, &e), 1, "%s", e.msg);
            expect_same(*t, &row, i);
        }
        cr_assert_eq(s->next(s, &row, &e), 0);
        cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    }
    s->close(s);
}

TestSuite(rows, .init = begin, .fini = end);

Test(rows, windows_limits_and_rates_apply_and_rewind)
{
    struct err e = {0};
    struct row_source *s;
    struct trace_about about;
    union trace_row row;
    write_table(TRACE_PAGES, 1000);
    cr_assert_eq(open_text("{\"file\": \"x.h5\", \"window\": {\"length_s\": 0.1, \"start_s\": 0.5},"
                           " \"rate_scale\": 4, \"limit\": 30}",
                           1u << TRACE_PAGES, &s, &about, &e),
                 0, "%s", e.msg);
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < 30; i++) {
            cr_assert_eq(s->next(s, &row, &e), 1, "%s", e.msg);
            cr_assert_eq(row.page.time_ns, i * STEP_NS / 4);
            cr_assert_eq(row.page.page, mix(500 + i, 2));
        }
        cr_assert_eq(s->next(s, &row, &e), 0);
        cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    }
    s->close(s);
}

Test(rows, a_vm_keeps_its_length_when_moved)
{
    struct err e = {0};
    struct store_writer *w;
    struct trace_meta meta = {0};
    struct row_source *s;
    union trace_row row = {.vm = {.time_ns = 2000, .name = TRACE_NAME_NONE, .end_ns = 9000}};
    cr_assert_eq(store_create(&w, path, TRACE_VMS, STORE_PLAIN, &e), 0, "%s", e.msg);
    cr_assert_eq(store_put(w, &row, &e), 0);
    row.vm.time_ns = 6000;
    cr_assert_eq(store_put(w, &row, &e), 0);
    cr_assert_eq(store_commit(w, &meta, NULL, &e), 0, "%s", e.msg);
    cr_assert_eq(open_text("{\"file\": \"x.h5\", \"rate_scale\": 2}", ANY, &s, NULL, &e), 0, "%s",
                 e.msg);
    cr_assert_eq(s->next(s, &row, &e), 1);
    cr_expect_eq(row.vm.time_ns, 0);
    cr_expect_eq(row.vm.end_ns, 7000);
    cr_assert_eq(s->next(s, &row, &e), 1);
    cr_expect_eq(row.vm.time_ns, 2000);
    cr_expect_eq(row.vm.end_ns, 5000);
    s->close(s);
}

Test(rows, what_is_not_wanted_is_refused)
{
    struct err e = {0};
    struct row_source *s;
    write_table(TRACE_IO, 10);
    cr_assert_lt(
        open_text("{\"file\": \"x.h5\"}", 1u << TRACE_PAGES | 1u << TRACE_SCHED, &s, NULL, &e), 0);
    cr_expect(strstr(e.msg, "x.h5: got a trace of io, want pages or sched"), "%s", e.msg);
    e = (struct err){0};
    cr_assert_lt(open_text("{\"file\": \"x.h5\", \"keep_failed\": true}", ANY, &s, NULL, &e), 0);
    cr_expect_str_eq(e.msg, "x.json: keep_failed: of use only for requests, this trace holds io");
    e = (struct err){0};
    cr_assert_lt(open_text("{\"synth\": {\"preset\": \"mixed\"}}", ANY, &s, NULL, &e), 0);
    cr_expect_str_eq(e.msg, "x.json: synth: makes requests, want io, pages, sched or vms");
}

Test(rows, the_table_of_a_section_is_known_before_it_is_opened)
{
    struct err e = {0};
    struct config *c;
    struct trace_places where = {dir, dir};
    enum trace_table t;
    const char *text = "{\"file\": \"x.h5\"}";
    write_table(TRACE_SCHED, 10);
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), &e), 0);
    cr_assert_eq(trace_rows_check(c, ANY, &where, &t, &e), 0, "%s", e.msg);
    cr_expect_eq(t, TRACE_SCHED);
    cr_assert_lt(trace_rows_check(c, 1u << TRACE_IO, &where, &t, &e), 0);
    config_free(c);
}

/* Ten requests, one a second, the first at a filetime of 2007. */
static void write_msr(void)
{
    char csv[96];
    snprintf(csv, sizeof csv, "%s/m.csv", dir);
    FILE *f = fopen(csv, "w");
    for (int i = 0; i < 10; i++)
        fprintf(f, "%llu,hm,%d,Read,%d,512,5\n", 128166372003061629ull + 10000000ull * i, i % 2,
                512 * i);
    fclose(f);
}

/* Twice, with a rewind between: the offsets that come out, each with its time in ms. */
static void expect_twice(const char *section, const char *want)
{
    struct err e = {0};
    struct row_source *s;
    struct trace_about about;
    union trace_row row;
    cr_assert_eq(open_text(section, 1u << TRACE_IO, &s, &about, &e), 0, "%s: %s", section, e.msg);
    cr_expect_eq(strlen(about.digest), 64);
    for (int pass = 0; pass < 2; pass++) {
        char got[512] = "";
        size_t at = 0;
        int rc;
        while ((rc = s->next(s, &row, &e)) == 1)
            at += (size_t)snprintf(got + at, sizeof got - at, "%llu:%llu ",
                                   (unsigned long long)row.io.time_ns / 1000000,
                                   (unsigned long long)row.io.offset / 512);
        cr_assert_eq(rc, 0, "%s", e.msg);
        cr_expect_str_eq(got, want, "%s, pass %d", section, pass);
        cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    }
    s->close(s);
}

Test(rows, published_rows_are_cut_and_rewound_too)
{
    write_msr();
    expect_twice("{\"import\": {\"file\": \"m.csv\"}, \"limit\": 3}", "0:0 1000:1 2000:2 ");
    expect_twice("{\"import\": {\"format\": \"msr\", \"file\": \"m.csv\"}, \"rate_scale\": 2, "
                 "\"window\": {\"length_s\": 3, \"start_s\": 5}}",
                 "0:5 500:6 1000:7 ");
    expect_twice("{\"file\": \"data:no/such.h5\", \"otherwise\": {\"import\": {\"file\": "
                 "\"m.csv\"}, \"window\": {\"length_s\": 1.5, \"start_s\": 7}}}",
                 "0:7 1000:8 ");
}

Test(rows, synthesized_rows_are_cut_and_rewound_too)
{
    struct err e = {0};
    struct row_source *s;
    struct trace_about about;
    union trace_row row, again;
    cr_assert_eq(
        open_text("{\"synth\": {\"preset\": \"lake-mixed\"}, \"rate_scale\": 2, \"window\": "
                  "{\"length_s\": 1, \"pick\": \"random\"}, \"limit\": 500}",
                  ANY, &s, &about, &e),
        0, "%s", e.msg);
    cr_expect_str_eq(about.name, "synth:lake-mixed");
    cr_expect_eq(about.table, TRACE_IO);
    cr_expect_gt(about.window_from_ns, 0);
    cr_expect_leq(about.window_from_ns, UINT64_C(9000000000));
    cr_assert_eq(s->next(s, &row, &e), 1);
    cr_expect_lt(row.io.time_ns, UINT64_C(10000000), "the window begins where its first rows are");
    uint64_t n = 1;
    while (s->next(s, &again, &e) == 1)
        n++;
    cr_expect_eq(n, 500);
    cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    cr_assert_eq(s->next(s, &again, &e), 1);
    cr_expect(again.io.time_ns == row.io.time_ns && again.io.offset == row.io.offset);
    s->close(s);
}
