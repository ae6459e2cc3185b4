/* malv report from outside: the page is looked at by a real browser. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/report/sample.h"

/* Exit status of a shell command; what it says goes to the test's log. */
static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int sh(const char *fmt, ...)
{
    char cmd[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cmd, sizeof cmd, fmt, ap);
    va_end(ap);
    const int status = system(cmd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A report where there is no gnuplot: quick, and all that is text is in it. */
static int undrawn(const char *dir)
{
    return sh("m=$(pwd)/" BUILD "/malv; PATH=/nowhere $m report -q %s/out.h5 -o %s/page", dir, dir);
}

static const struct sample samples[] = {
    {.seeds = 5},
    {.seeds = 3, .missing = 2, .rough = true}, /* cut short, a failed trial, hostile names */
    {.seeds = 1},
    {.seeds = 3, .memory = true}, /* stacked bars; no requests at all */
};

ParameterizedTestParameters(report, a_browser_finds_nothing_wrong)
{
    static int row[sizeof samples / sizeof *samples];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, report, a_browser_finds_nothing_wrong, .timeout = 180)
{
    const char *dir = sample_file(&samples[*row]);
    if (sh("command -v gnuplot >/dev/null"))
        cr_skip_test("no gnuplot here");
    cr_assert_eq(sh(BUILD "/malv report -q %s/out.h5 -o %s/page", dir, dir), 0);
    const int rc = sh("tests/report/check-page %s/page", dir);
    if (rc == 77) {
        sh("rm -r %s", dir);
        cr_skip_test("no Chromium here");
    }
    cr_expect_eq(rc, 0, "see tests/report/check-page %s/page", dir);
    if (!rc)
        sh("rm -r %s", dir);
}

Test(report, says_what_matters)
{
    const char *dir = sample_file(&samples[0]);
    cr_assert_eq(undrawn(dir), 0);
    /* the made-up numbers make the learned policy the best that does not cheat */
    cr_expect_eq(
        sh("grep -q '<h2><b class=\"who\"[^>]*>learned_sjf</b> wins: ' %s/page/index.html", dir),
        0);
    cr_expect_eq(sh("grep -q 'learning pays' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q '2 assumed</a>' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q 'Offered load reaches 10[0-9]' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("test $(wc -l < %s/page/trials.csv) = 51", dir), 0);
    sh("rm -r %s", dir);
}

Test(report, tells_where_the_time_goes_and_ranks_what_a_model_has)
{
    const char *dir = sample_file(&samples[3]);
    cr_assert_eq(undrawn(dir), 0);
    /* a hook's policy is the axis, the first measure with a direction the rank, and who was told
     * the truth is a bound, whatever it is called */
    cr_expect_eq(sh("grep -q '<h2><b class=\"who\"[^>]*>arc</b> wins: .*miss ratio' "
                    "%s/page/index.html",
                    dir),
                 0);
    cr_expect_eq(
        sh("grep -q 'belady<div><span class=\"tag\">oracle</span>' %s/page/index.html", dir), 0);
    cr_expect_eq(
        sh("grep -q '<section id=\"shares\"><h2>Where the time goes' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q 'sum [0-9]' %s/page/index.html", dir), 1, "they sum to one");
    cr_expect_eq(sh("grep -q '</span>kernel<small>' %s/page/index.html", dir), 0);
    /* twelve parts: nine colours of their own, and the rest; every bar ends at one */
    cr_expect_eq(sh("test $(cut -d, -f2 %s/page/figures/shares.csv | sort -u | wc -l) = 11", dir),
                 0);
    cr_expect_eq(sh("awk -F, 'NR > 1 && $3 > end[$4] { end[$4] = $3 } END { for (y in end) "
                    "if (end[y] < 0.9999 || end[y] > 1.0001) exit 1 }' %s/page/figures/shares.csv",
                    dir),
                 0);
    sh("rm -r %s", dir);
    dir = sample_file(&samples[0]);
    cr_assert_eq(undrawn(dir), 0);
    cr_expect_eq(sh("grep -q 'Where the time goes' %s/page/index.html", dir), 1);
    sh("rm -r %s", dir);
}

Test(report, crowns_nobody_where_nobody_can_choose)
{
    const struct sample workloads = {.seeds = 2, .memory = true, .workloads = true};
    const char *dir = sample_file(&workloads);
    cr_assert_eq(undrawn(dir), 0);
    cr_expect_eq(sh("grep -q '<h2>Miss ratio by phase' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -Eq ' wins|No single winner|class=.tag win' %s/page/index.html", dir), 1);
    sh("rm -r %s", dir);
}

Test(report, tells_what_is_missing)
{
    const char *dir = sample_file(&samples[1]);
    cr_assert_eq(undrawn(dir), 0);
    cr_expect_eq(sh("grep -q '28 of 30 trials have finished' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q '1 of 28 trials failed' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q 'ejected in' %s/page/index.html", dir), 0);
    sh("rm -r %s", dir);
}

/* A sweep that was killed leaves a journal and no OUT.h5. */
Test(report, a_journal_alone_is_enough)
{
    const char *dir = sample_journal(&samples[1], 7);
    cr_assert_neq(sh("test -e %s/out.h5", dir), 0);
    cr_assert_eq(undrawn(dir), 0);
    cr_expect_eq(sh("grep -q '7 of 30 trials have finished' %s/page/index.html", dir), 0);
    sh("rm -r %s", dir);
}

Test(report, is_the_same_twice)
{
    const char *dir = sample_file(&samples[2]);
    cr_assert_eq(sh(BUILD "/malv report -q %s/out.h5 -o %s/a && " BUILD
                          "/malv report -q %s/out.h5 -o %s/b",
                    dir, dir, dir, dir),
                 0);
    cr_expect_eq(sh("diff -r %s/a %s/b", dir, dir), 0);
    sh("rm -r %s", dir);
}

Test(report, without_gnuplot_tables_are_complete)
{
    const char *dir = sample_file(&samples[2]);
    cr_assert_eq(undrawn(dir), 0);
    cr_expect_eq(sh("grep -q 'gnuplot is not installed here' %s/page/index.html", dir), 0);
    cr_expect_eq(sh("grep -q 'figures/cdf-ttft-1.gp' %s/page/index.html && test -s "
                    "%s/page/figures/cdf-ttft-1.gp",
                    dir, dir),
                 0);
    cr_expect_neq(sh("test -e %s/page/figures/cdf-ttft-1.svg", dir), 0);
    sh("rm -r %s", dir);
}
