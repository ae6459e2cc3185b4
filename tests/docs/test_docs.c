/* test_docs.c - every command that the documentation shows is run (see run-page). */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 64

static glob_t pages;

static size_t find_pages(void)
{
    if (!pages.gl_pathc && !glob("README.md", 0, NULL, &pages))
        (void)glob("docs/*.md", GLOB_APPEND, NULL, &pages);
    return pages.gl_pathc < MAX_PAGES ? pages.gl_pathc : MAX_PAGES;
}

ParameterizedTestParameters(docs, the_commands_of_each_page_run)
{
    static int row[MAX_PAGES];
    size_t n = find_pages();
    for (size_t i = 0; i < n; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, n);
}

ParameterizedTest(int *row, docs, the_commands_of_each_page_run, .timeout = 300)
{
    cr_assert_lt((size_t)*row, find_pages());
    if (strcmp(BUILD, "build"))
        cr_skip_test("the plain build runs the documentation");
    char cmd[512], log[] = "/tmp/malv-docs-XXXXXX";
    int fd = mkstemp(log);
    cr_assert_geq(fd, 0);
    snprintf(cmd, sizeof cmd, "tests/docs/run-page %s %s >%s 2>&1 || { tail -n 20 %s; false; }",
             pages.gl_pathv[*row], BUILD, log, log);
    cr_expect_eq(system(cmd), 0, "%s", cmd);
    remove(log);
}
