/* DISB workloads: rows and sentences; the published file is held against its facts in test_facts.c.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/import.h"

static struct importer *open_text(const char *text, uint64_t skip, struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    cr_assert_eq(input_open_memory(&in, "t", text, strlen(text), e), 0);
    int rc = import_open_input(&im, in, import_format("disb"), skip, e);
    cr_assert_eq(rc == 0, im != NULL);
    return im;
}

static void expect_rows(const char *text, uint64_t skip, const char *want, const char *notes)
{
    struct err e = {0};
    union trace_row row;
    char got[1024];
    size_t n = 0;
    int rc;
    struct importer *im = open_text(text, skip, &e);
    cr_assert(im, "%s", e.msg);
    while ((rc = import_next(im, &row, &e)) == 1)
        n += (size_t)snprintf(got + n, sizeof got - n, "%llu %u %s\n",
                              (unsigned long long)row.request.time_ns, row.request.tenant,
                              names_text(im->names, row.request.model));
    cr_assert_eq(rc, 0);
    cr_expect_str_eq(got, want);
    cr_expect_str_eq(import_meta(im)->notes, notes);
    cr_expect_eq(import_meta(im)->skipped_rows, skip);
    import_close(im);
}

#define TASK(id, load) "{\"id\":\"" id "\",\"load\":{" load "},\"client\":{\"name\":\"" id "\"}}"

Test(disb, tasks_of_both_shapes_in_time_order)
{
    expect_rows(
        "{\"time\":38,\"tasks\":[" TASK("a", "\"type\":\"trace\",\"trace\":[0,7,7]") "," TASK(
            "c", "\"type\":\"continuous\"") "," TASK("b", "\"trace\":[3,7]") "]}",
        0, "0 0 a\n3000000 2 b\n7000000 0 a\n7000000 0 a\n7000000 2 b\n",
        "tasks=3;time_s=38;tasks without a trace=c");
    expect_rows("{\"time\":1,\"rt\":[{\"name\":\"v\",\"frequency\":20,\"trace\":[5,9]}],"
                "\"be\":[{\"name\":\"w\"},{\"name\":\"w\"}]}",
                0, "5000000 0 v\n9000000 0 v\n", "tasks=3;tasks without a trace=w w");
    expect_rows("{\"tasks\":[" TASK("a", "\"trace\":[5,\"x\",4,6]") "]}", 2,
                "5000000 0 a\n6000000 0 a\n", "tasks=1");
}

static const struct {
    const char *text, *says;
} bad[] = {
    {"{\"time\":1,", "t:1:11: "},
    {"{\"time\":1}", "t: got an object, want a DISB workload: \"tasks\", or \"rt\" and \"be\""},
    {"{\"tasks\":3}", "t: tasks: got 3, want a list of tasks"},
    {"{\"tasks\":[{\"id\":\"a\"}]}",
     "t: tasks[0]: got an object, want a task with \"id\" and \"load\""},
    {"{\"rt\":[{}]}", "t: rt[0]: got an object, want a task with a \"name\""},
    {"{\"tasks\":[" TASK("a", "\"trace\":7") "]}",
     "t: tasks[0].load.trace: got 7, want a list of times in ms"},
    {"{\"tasks\":[" TASK("a", "\"trace\":[1,-1]") "]}",
     "t: tasks[0].load.trace[1]: got -1, want an integer 0..1099511627776"},
    {"{\"tasks\":[" TASK("a", "\"trace\":[5,4]") "]}",
     "t: tasks[0].load.trace[1]: got 4, want a time not before the one above (5 ms)"},
    {"{\"rt\":[{\"name\":\"a\",\"frequency\":9}],\"be\":[]}",
     "t: none of its 1 tasks has a trace of arrivals: continuous and periodic ones are the "
     "experiment's to make"},
};

ParameterizedTestParameters(disb, sentences)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *i, disb, sentences)
{
    struct err e = {0};
    cr_assert_null(open_text(bad[*i].text, 0, &e), "%s", bad[*i].text);
    cr_expect(strstr(e.msg, bad[*i].says), "got \"%s\"\nwant \"%s\"", e.msg, bad[*i].says);
}

/* Counts by task of REEF's workload E, taken from the file by another program. */
Test(disb, reefs_workload_e)
{
    const char *data = getenv("MALV_DATA");
    char path[512];
    struct err e = {0};
    struct importer *im;
    union trace_row row;
    unsigned n[5] = {0};
    static const unsigned want[5] = {1020, 1260, 1140, 1260, 1560};
    snprintf(path, sizeof path, "%s/../profiles/reef/disb-E.json",
             data ? data : "../shared/traces");
    if (access(path, R_OK))
        cr_skip_test("%s is not here", path);
    cr_assert_eq(import_open(&im, path, NULL, 0, &e), 0, "%s", e.msg);
    while (import_next(im, &row, &e) == 1)
        n[row.request.tenant % 5]++;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(n[i], want[i]);
    cr_expect_eq(import_meta(im)->span_ns, 59987000000u);
    import_close(im);
}
