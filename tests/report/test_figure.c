/* malv figure: published beside ours, and its exit status. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/report/figure.h"
#include "harness/report/study.h"
#include "tests/report/sample.h"

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

static struct figure *run_figure(const char *path)
{
    struct figure *f = NULL;
    struct err e = {0};
    cr_assert_eq(figure_load(&f, path, &e), 0, "%s", e.msg);
    cr_assert_eq(figure_run(f, 2, true, &e), 0, "%s", e.msg);
    return f;
}

Test(figure, an_m_m_1_queue_meets_its_closed_form, .timeout = 60)
{
    struct figure *f = run_figure("tests/report/figures/mm1.json");
    cr_assert_eq(f->n, 4);
    cr_expect(f->pass);
    for (size_t i = 0; i < f->n; i++) {
        const struct figure_point *p = &f->point[i];
        cr_expect_eq(p->trials, 8);
        cr_expect(p->lo < p->ours && p->ours < p->hi);
        cr_expect_float_eq(p->error, fabs(p->ours - p->published) / p->published, 1e-12);
        cr_expect_leq(p->error, f->max_error);
    }
    cr_expect_eq(f->point[1].ours, f->point[3].ours); /* the same trials, selected twice */
    figure_free(f);
}

/* A thousand million customers would take minutes: no point looks at them. */
Test(figure, trials_that_no_point_looks_at_are_not_run, .timeout = 30)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    cr_assert_eq(sh("sed -e 's/\"queueing.rho\": .0.3, 0.5./&, \"queueing.customers\": [20000, "
                    "1000000000]/' -e 's/\"select\": {/&\"queueing.customers\": 20000, /' -e "
                    "'s/thousandths\",/& \"select\": {\"queueing.customers\": 20000},/' -e "
                    "'s,\"mm1.csv\",\"'$PWD'/tests/report/figures/mm1.csv\",' "
                    "tests/report/figures/mm1.json >%s/f.json",
                    dir),
                 0);
    snprintf(path, sizeof path, "%s/f.json", dir);
    struct figure *f = run_figure(path);
    cr_expect(f->pass);
    cr_expect_eq(f->point[0].trials, 8);
    figure_free(f);
    sh("rm -r %s", dir);
}

Test(figure, a_missed_tolerance_is_exit_status_3, .timeout = 60)
{
    struct figure *f = run_figure("tests/report/figures/missed.json");
    cr_expect(!f->pass);
    cr_expect(f->point[0].pass && !f->point[1].pass && f->point[2].pass && f->point[3].pass);
    figure_free(f);
    cr_expect_eq(sh(BUILD "/malv figure -q tests/report/figures/missed.json >/dev/null 2>&1"), 3);
}

/* Half the load gives a mean of 2: inside 1..3, above 1..1.5, and nothing to say about a gap. */
Test(figure, a_band_is_met_inside_and_a_gap_is_not_judged, .timeout = 60)
{
    struct figure *f = run_figure("tests/report/figures/bands.json");
    cr_assert_eq(f->n, 3);
    cr_expect(f->point[0].pass && f->point[0].error == 0);
    cr_expect(!f->point[1].pass);
    cr_expect_float_eq(f->point[1].error, (f->point[1].ours - 1.5) / 1.5, 1e-12);
    cr_expect(f->point[2].pass && isnan(f->point[2].published) && f->point[2].ours > 0);
    cr_expect(!f->pass);
    figure_free(f);
    cr_expect_eq(sh(BUILD "/malv figure -q tests/report/figures/bands.json --json | grep -q "
                          "'\"published\":null,\"ours\":'"),
                 0);
    cr_expect_eq(sh(BUILD "/malv figure -q tests/report/figures/bands.json 2>/dev/null | grep -q "
                          "'1 of 2 points outside; 1 more have no published value'"),
                 0);
}

/* Above 1..1.5 by a third: a tolerance of a half lets that pass, the series' own does not. */
Test(figure, a_series_may_have_a_tolerance_of_its_own, .timeout = 60)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    for (int own = 0; own < 2; own++) {
        sh("sed -e 's/\"tolerance\": [0-9.]*/\"tolerance\": 0.5/' -e 's,\"bands.csv\",\"'$PWD'/"
           "tests/report/figures/bands.csv\",' %s tests/report/figures/bands.json >%s/f.json",
           own ? "-e 's/\"series\":/\"tolerance\": 0, \"series\":/'" : "", dir);
        snprintf(path, sizeof path, "%s/f.json", dir);
        struct figure *f = run_figure(path);
        cr_expect_eq(f->own_tolerances, own);
        cr_expect_eq(f->point[1].pass, !own);
        cr_expect(f->point[0].pass, "inside its band it is whatever the tolerance");
        figure_free(f);
    }
    sh("rm -r %s", dir);
}

Test(figure, json_has_the_promised_shape, .timeout = 60)
{
    char dir[] = "/tmp/malv-figure-XXXXXX";
    cr_assert(mkdtemp(dir));
    cr_expect_eq(sh(BUILD "/malv figure -q tests/report/figures/mm1.json --json -o %s/draw "
                          "--markdown %s/page.md >%s/out",
                    dir, dir, dir),
                 0);
    cr_expect_eq(
        sh("grep -q '^{\"figure\":\"mm1\",.*\"source\":\"closed "
           "form\",\"tolerance\":0.05,.*\"max_error\":0.*\"pass\":true,\"points\":\\[$' %s/out",
           dir),
        0);
    cr_expect_eq(sh("test $(grep -c '^{\"series\":.*\"x\":.*\"published\":.*\"ours\":.*\"error\":' "
                    "%s/out) = 4",
                    dir),
                 0);
    cr_expect_eq(sh("grep -q '^| mean | 0.5 | 2 | ' %s/page.md", dir), 0);
    cr_expect_eq(sh("test -s %s/draw/mm1.csv && test -s %s/draw/mm1.gp", dir, dir), 0);
    sh("rm -r %s", dir);
}

/* With the data it is a figure like any other; without, neither passed nor missed. */
Test(figure, without_its_data_it_is_skipped, .timeout = 60)
{
    char dir[] = "/tmp/malv-figure-XXXXXX";
    cr_assert(mkdtemp(dir));
    sh("cp tests/report/figures/mm1.csv %s; sed 's/\"tolerance\":/\"needs\": [\"data:a.csv\"], &/' "
       "tests/report/figures/missed.json >%s/f.json",
       dir, dir);
    sh("for f in $(sed -n 's/.*\"published\": *\"\\(.*\\)\".*/\\1/p' %s/f.json); do cp "
       "tests/report/figures/$f %s; done",
       dir, dir);
    cr_expect_eq(sh("MALV_DATA=%s " BUILD "/malv figure -q %s/f.json --json -o %s/draw --markdown "
                    "%s/page.md >%s/out",
                    dir, dir, dir, dir, dir),
                 0);
    cr_expect_eq(
        sh("grep -q '\"pass\":null,\"points\":\\[\\],\"skipped\":\"data:a.csv: not found in "
           "MALV_DATA=' %s/out",
           dir),
        0);
    cr_expect_eq(sh("grep -q '^\\*\\*Skipped\\*\\*: data:a.csv: not found' %s/page.md", dir), 0);
    cr_expect_eq(sh("test ! -e %s/draw", dir), 0);
    sh("touch %s/a.csv", dir);
    cr_expect_eq(sh("MALV_DATA=%s " BUILD "/malv figure -q %s/f.json >/dev/null 2>&1", dir, dir),
                 3);
    sh("rm -r %s", dir);
}

/* The matching alone, on made-up trials: two policies, five seeds. */
Test(figure, means_are_over_the_seeds_of_the_selected_trials)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    const double x[10] = {1, 2, 3, 4, 5, 10, 20, 30, 40, 50};
    struct err e = {0};
    struct figure *f;
    cr_assert(mkdtemp(dir));
    sh("printf 'series,x,value,source\\ns,1,27,\\n' >%s/p.csv; sed -e 's/\"mm1.csv\"/\"p.csv\"/' "
       "-e '/\"points\"/,$d' "
       "tests/report/figures/mm1.json >%s/f.json; echo '\"points\": [{\"series\": \"s\", "
       "\"select\": {\"policy\": \"b\"}, "
       "\"x\": 1, \"y\": \"x\"}]}' >>%s/f.json",
       dir, dir, dir);
    snprintf(path, sizeof path, "%s/f.json", dir);
    cr_assert_eq(figure_load(&f, path, &e), 0, "%s", e.msg);
    struct result_set *rs = sample_numbers(x, 2, 5, 1);
    cr_assert_eq(figure_match(f, rs, &e), 0, "%s", e.msg);
    cr_expect_eq(f->point[0].ours, 30);
    cr_expect_eq(f->point[0].trials, 5);
    cr_expect_float_eq(f->max_error, 3.0 / 27, 1e-12);
    /* 4.604 is the table's t for 4 degrees of freedom and 99 %, sd 15.811 */
    cr_expect_float_eq(f->point[0].hi, 30 + 4.604 * 15.811388 / sqrt(5), 0.01);
    cr_expect(!f->pass);
    results_free(rs);
    figure_free(f);
    sh("rm -r %s", dir);
}

/* Two allowed misses, one of them too many; and the side of a baseline. */
Test(figure, misses_may_be_allowed_and_a_wrong_direction_may_not)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    const double x[10] = {1, 2, 3, 4, 5, 10, 20, 30, 40, 50}; /* policies a: 3, b: 30 */
    static const struct {
        const char *options;
        size_t missed, wrong_way;
        bool pass;
    } cases[] = {
        {"", 1, 0, false},
        {"\"allow_misses\": 1, ", 1, 0, true},
        {"\"allow_misses\": 1, \"direction\": [{\"x\": 1, \"published\": 20, \"y\": \"x\", "
         "\"select\": {\"policy\": \"a\"}}], ",
         1, 0, true}, /* 27 above 20, 30 above 3 */
        {"\"allow_misses\": 1, \"direction\": [{\"x\": 1, \"published\": 28, \"y\": \"x\", "
         "\"select\": {\"policy\": \"a\"}}], ",
         1, 1, false}, /* 27 below 28, 30 above 3 */
    };
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f.json", dir);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct figure *f;
        sh("printf 'series,x,value,source\\ns,1,27,\\n' >%s/p.csv; sed -e "
           "'s/\"mm1.csv\"/\"p.csv\"/' "
           "-e '/\"points\"/,$d' tests/report/figures/mm1.json >%s; echo '%s\"points\": "
           "[{\"series\": "
           "\"s\", \"select\": {\"policy\": \"b\"}, \"x\": 1, \"y\": \"x\"}]}' >>%s",
           dir, path, cases[i].options, path);
        cr_assert_eq(figure_load(&f, path, &e), 0, "%s", e.msg);
        struct result_set *rs = sample_numbers(x, 2, 5, 1);
        cr_assert_eq(figure_match(f, rs, &e), 0, "%s", e.msg);
        cr_expect_eq(f->missed, cases[i].missed, "case %zu", i);
        cr_expect_eq(f->wrong_way, cases[i].wrong_way, "case %zu", i);
        cr_expect_eq(f->pass, cases[i].pass, "case %zu", i);
        results_free(rs);
        figure_free(f);
    }
    sh("rm -r %s", dir);
}

/* Means 30 and 6; the residuals of y - 5 over are -10, -5, 0, 5, 10. */
/* Series that are to come in the published order: the values pass, the order need not. */
Test(figure, an_order_that_is_not_the_published_one_fails)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    const double x[10] = {1, 2, 3, 4, 5, 10, 20, 30, 40, 50}; /* policies a: 3, b: 30 */
    static const struct {
        const char *published, *order;
        size_t pairs, wrong;
        const char *says; /* NULL: it loads */
    } cases[] = {
        {"s,1,27,\\nt,1,4,", "[[\"s\", \"t\"]]", 1, 0, NULL},
        {"s,1,27,\\nt,1,28,", "[[\"s\", \"t\"]]", 1, 1, NULL},
        {"s,1,27,\\nt,1,27,", "[[\"s\", \"t\"]]", 0, 0, NULL}, /* equal: no order */
        {"s,1,27,\\nt,1,,", "[[\"s\", \"t\"]]", 0, 0, NULL},   /* nothing published */
        {"s,1,27,\\nt,1,4,", "[[\"s\", \"u\"]]", 0, 0, "\"u\" is none"},
        {"s,1,27,\\nt,1,4,", "[[\"s\"]]", 0, 0, "at least two"},
    };
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f.json", dir);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct figure *f;
        sh("printf 'series,x,value,source\\n%s\\n' >%s/p.csv; sed -e 's/\"mm1.csv\"/\"p.csv\"/' "
           "-e 's/\"interval\"/\"absolute\"/' -e 's/\"tolerance\": *[0-9.]*/\"tolerance\": 99/' -e "
           "'/\"points\"/,$d' "
           "tests/report/figures/mm1.json >%s; echo '\"order\": %s, \"points\": [{\"series\": "
           "\"s\", \"select\": {\"policy\": \"b\"}, \"x\": 1, \"y\": \"x\"}, {\"series\": \"t\", "
           "\"select\": {\"policy\": \"a\"}, \"x\": 1, \"y\": \"x\"}]}' >>%s",
           cases[i].published, dir, path, cases[i].order, path);
        const int rc = figure_load(&f, path, &e);
        if (cases[i].says) {
            cr_expect(rc < 0 && strstr(e.msg, cases[i].says), "%s", e.msg);
            continue;
        }
        cr_assert_eq(rc, 0, "%s", e.msg);
        struct result_set *rs = sample_numbers(x, 2, 5, 1);
        cr_assert_eq(figure_match(f, rs, &e), 0, "%s", e.msg);
        cr_expect(f->pairs == cases[i].pairs && f->wrong_order == cases[i].wrong, "%zu: %zu of %zu",
                  i, f->wrong_order, f->pairs);
        cr_expect_eq(f->missed, 0);
        cr_expect_eq(f->pass, !cases[i].wrong);
        cr_expect_eq(f->point[0].out_of_order, cases[i].wrong > 0);
        results_free(rs);
        figure_free(f);
    }
    sh("rm -r %s", dir);
}

Test(figure, over_is_the_ratio_of_the_means_with_its_interval)
{
    char dir[] = "/tmp/malv-figure-XXXXXX", path[64];
    const double x[5] = {10, 20, 30, 40, 50};
    struct err e = {0};
    struct figure *f;
    cr_assert(mkdtemp(dir));
    sh("printf 'series,x,value,source\\ns,1,5,\\n' >%s/p.csv; sed -e 's/\"mm1.csv\"/\"p.csv\"/' "
       "-e '/\"points\"/,$d' "
       "tests/report/figures/mm1.json >%s/f.json; echo '\"points\": [{\"series\": \"s\", "
       "\"x\": 1, \"y\": \"x\", \"over\": \"w\"}]}' >>%s/f.json",
       dir, dir, dir);
    snprintf(path, sizeof path, "%s/f.json", dir);
    cr_assert_eq(figure_load(&f, path, &e), 0, "%s", e.msg);
    struct result_set *rs = sample_numbers(x, 1, 5, 1);
    cr_expect_neq(figure_match(f, rs, &e), 0);
    cr_expect(strstr(e.msg, "trials have no measure \"w\""), "%s", e.msg);
    for (int i = 0; i < 5; i++)
        measures_number(rs->trial[i].measures, "w", "ms", BETTER_LESS, 4 + i);
    cr_assert_eq(figure_match(f, rs, &e), 0, "%s", e.msg);
    cr_expect_float_eq(f->point[0].ours, 5, 1e-12);
    cr_expect_float_eq(f->point[0].hi, 5 + 4.604 * 7.905694 / 6 / sqrt(5), 0.001);
    cr_expect_float_eq(f->point[0].lo, 5 - 4.604 * 7.905694 / 6 / sqrt(5), 0.001);
    results_free(rs);
    figure_free(f);
    sh("rm -r %s", dir);
}

/* A point that misses its tolerance stays missed, and a page says why.  One more or one less is
 * news. */
static const struct {
    const char *figure, *page;
    int points;
} misses[] = {
    {"collectives", "docs/gpu-links.md", 2},
    {"distserve-fit", "docs/fleet.md", 6},
    {"gavel-jct", "docs/rounds.md", 0},
    {"gpreempt", "docs/gpu-device.md", 1},
    {"lake-contention", "docs/lake.md", 1},
    {"lake-crossover", "docs/lake.md", 9},
    {"lake-ecryptfs", "docs/lake.md", 1},
    {"numa", "docs/memory.md", 1},
    {"pvlock", "docs/cpu.md", 4},
    {"sel4-ipc", "docs/microkernel.md", 4},
    {"tally-sharing", "docs/gpu-policies.md", 6},
    {"uvm-oversub", "docs/gpu-links.md", 5},
};

static char *read_page(const char *path)
{
    static char page[1 << 20];
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    size_t n = fread(page, 1, sizeof page - 1, f);
    cr_assert(n < sizeof page - 1, "%s is too long for this test", path);
    page[n] = 0;
    fclose(f);
    return page;
}

static bool has(const char *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool has(const char *page, const char *format, ...)
{
    char want[512];
    va_list args;
    va_start(args, format);
    vsnprintf(want, sizeof want, format, args);
    va_end(args);
    return strstr(page, want) != NULL;
}

/* All of it is run again by tests/report/check-validation, in continuous integration. */
Test(figure, the_validation_page_has_every_published_value)
{
    glob_t g;
    const char *page = read_page("docs/validation.md");
    cr_assert_eq(glob("experiments/figures/*.json", 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct figure *f;
        struct err e = {0};
        if (study_is(g.gl_pathv[i])) /* nothing in it is published */
            continue;
        cr_assert_eq(figure_load(&f, g.gl_pathv[i], &e), 0, "%s", e.msg);
        /* A figure joins the page when the page is made anew; until then it is not there at all. */
        if (!has(page, "## %s: ", f->name)) {
            cr_log_info("%s: not on the page: malv figure all --markdown docs/validation.md",
                        f->name);
            figure_free(f);
            continue;
        }
        cr_expect(has(page, "## %s: %s", f->name, f->title), "%s", f->name);
        for (size_t k = 0; k < f->published.n; k++) {
            const struct published_row *p = &f->published.row[k];
            char value[64] = "-";
            if (p->lo < p->hi)
                snprintf(value, sizeof value, "%g..%g", p->lo, p->hi);
            else if (!isnan(p->value))
                snprintf(value, sizeof value, "%.6g", p->value);
            cr_expect(has(page, "| %s | %g | %s | ", p->series, p->x, value),
                      "%s at %g: malv figure all --markdown docs/validation.md", p->series, p->x);
        }
        figure_free(f);
    }
    globfree(&g);
    int known = 4; /* lake-io says so itself ("misses"), and docs/block.md why */
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        if (has(page, "## %s: ", misses[i].figure)) /* as above */
            known += misses[i].points;
        cr_expect_eq(sh("grep -q 'malv figure %s' %s", misses[i].figure, misses[i].page), 0);
    }
    cr_expect_eq(sh("test $(grep -c '| missed[a-z, ]* |$' docs/validation.md) = %d", known), 0);
}
