/* "programs" and "tables" of an experiment: what they may be, and what a model is handed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/run/named.h"

static int asked;
static int tables(const struct config *section, const struct config *all, struct err *e)
{
    (void)section;
    asked++;
    return all && !config_get(all, "ops") ? config_complain(all, e, "a table \"ops\"") : 0;
}
static const struct model_ops takes = {.name = "takes", .tables = tables};

static char dir[64], path[96];

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-named-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/t.csv", dir);
    FILE *f = fopen(path, "w");
    fputs("name,unit,k1,value\nattention,us,1,2.5\nattention,us,2,4\n", f);
    fclose(f);
}

static void end(void)
{
    unlink(path);
    rmdir(dir);
}

TestSuite(named, .init = begin, .fini = end);

static int check(const char *text, struct config **c, struct setup *s, struct err *e)
{
    struct textset seen = {0};
    cr_assert_eq(config_parse(c, "tables", text, strlen(text), e), 0, "%s", e->msg);
    *s = (struct setup){.model = &takes, .tables = *c};
    int rc = named_check(NAMED_TABLES, s, &(struct trace_places){dir, dir}, &seen, e);
    textset_free(&seen);
    return rc;
}

Test(named, a_model_is_handed_its_tables_in_order)
{
    struct config *c;
    struct setup s;
    struct named n = {0};
    struct err e = {0};
    union trace_row row;
    int rc = check("{\"ops\": {\"import\": {\"file\": \"t.csv\"}}, "
                   "\"more\": {\"import\": {\"format\": \"costs-csv\", \"file\": \"t.csv\"}, "
                   "\"limit\": 1}}",
                   &c, &s, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_expect_eq(asked, 1);
    rc = named_open(&n, NAMED_TABLES, &s, 1, &(struct trace_places){dir, dir}, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(n.n, 2);
    cr_expect_str_eq(n.v[0].name, "ops");
    cr_expect_str_eq(n.v[1].name, "more");
    for (size_t i = 0; i < 2; i++) {
        struct row_source *r = n.v[i].rows;
        cr_assert_eq(r->next(r, &row, &e), 1);
        cr_expect_eq(row.cost.value, 2500000);
        cr_expect_eq(r->next(r, &row, &e), i == 0);
        cr_expect_eq(r->next(r, &row, &e), 0);
    }
    named_close(&n);
    config_free(c);
}

static void refused(const char *text, const char *want)
{
    struct config *c;
    struct setup s;
    struct err e = {0};
    cr_expect_lt(check(text, &c, &s, &e), 0, "%s was taken", text);
    cr_expect_str_eq(e.msg, want);
    config_free(c);
}

Test(named, what_is_wrong_is_said_before_a_run)
{
    char missing[256];
    refused("{}", "tables: got an object, want a table \"ops\"");
    refused("{\"other\": 1}", "tables: got an object, want a table \"ops\"");
    refused("{\"ops\": 1}", "tables: ops: got 1, want a trace section");
    refused("{\"ops\": {\"import\": {\"format\": \"philly\", \"file\": \"t.csv\"}}}",
            "tables: ops.import.format: got \"philly\", want a format of costs");
    snprintf(missing, sizeof missing,
             "tables: ops: no.csv: no such file (looked beside the experiment and in the "
             "repository)");
    refused("{\"ops\": {\"import\": {\"file\": \"no.csv\"}}}", missing);
}
