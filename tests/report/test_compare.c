/* Pairing, the words of a verdict, and malv compare from outside. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/compare.h"
#include "tests/report/sample.h"

/* Student's sleep data again, as two policies on ten patients (seeds). */
static const double sleep_data[20] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0,
                                      1.9, 0.8,  1.1,  0.1,  -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
static const struct compare_options all = {0};

Test(compare, pairs_by_seed_along_an_axis)
{
    struct err e = {0};
    struct comparison c;
    struct result_set *rs = sample_numbers(sleep_data, 2, 10, 1);
    cr_assert_eq(compare_along(&c, rs, "x.h5", &all, &e), 0, "%s", e.msg);
    cr_assert_eq(c.n, 1);
    cr_expect_str_eq(c.by, "policy");
    cr_expect_str_eq(c.row[0].a, "a");
    cr_expect_str_eq(c.row[0].b, "b");
    cr_expect_eq(c.row[0].contrast.pair.n, 10);
    cr_expect_float_eq(c.row[0].contrast.pair.p, 0.002833, 5e-7);
    cr_expect_eq(c.row[0].contrast.verdict, VERDICT_WORSE); /* the measure is better when less */
    cr_expect_eq(c.n_warning, 0);
    comparison_free(&c);
    results_free(rs);
}

Test(compare, trials_without_a_partner_are_left_out_and_told)
{
    struct err e = {0};
    struct comparison c;
    struct result_set *a = sample_numbers(sleep_data, 1, 10, 1),
                      *b = sample_numbers(sleep_data + 10, 1, 8, 5);
    cr_assert_eq(compare_two(&c, a, "a.h5", b, "b.h5", &all, &e), 0, "%s", e.msg);
    cr_assert_eq(c.n, 1);
    cr_expect_eq(c.row[0].contrast.pair.n, 6); /* seeds 5..10 */
    cr_expect_eq(c.row[0].contrast.unpaired_a, 4);
    cr_expect_eq(c.row[0].contrast.unpaired_b, 2);
    cr_assert_eq(c.n_warning, 1);
    cr_expect_str_eq(
        c.warning[0],
        "policy a, b.h5 against a.h5: 6 trials have no partner of the same seed and are left out");
    comparison_free(&c);
    results_free(a);
    results_free(b);
}

Test(compare, a_set_compared_with_itself_is_the_same)
{
    struct err e = {0};
    struct comparison c;
    const struct sample s = {.seeds = 3};
    struct result_set *a = sample_new(&s), *b = sample_new(&s);
    cr_assert_eq(compare_two(&c, a, "a.h5", b, "b.h5", &all, &e), 0, "%s", e.msg);
    cr_expect_eq(c.n, 10 * c.metrics.n);
    for (size_t i = 0; i < c.n; i++) {
        cr_expect_eq(c.row[i].contrast.verdict, VERDICT_SAME, "%s", c.row[i].contrast.metric->name);
        cr_expect_eq(c.row[i].contrast.pair.diff, 0);
    }
    comparison_free(&c);
    results_free(a);
    results_free(b);
}

Test(compare, what_is_wrong_with_the_trials_is_told)
{
    struct err e = {0};
    struct comparison c;
    const struct sample s = {.seeds = 3, .missing = 2, .rough = true};
    struct result_set *rs = sample_new(&s);
    cr_assert_eq(compare_along(&c, rs, "x.h5", &all, &e), 0, "%s", e.msg);
    cr_assert_geq(c.n_warning, 3);
    cr_expect_str_eq(c.warning[0], "x.h5 holds 28 of 30 trials: the rest have not run");
    cr_expect_str_eq(c.warning[1], "x.h5: 1 of 28 trials failed and are left out");
    cr_expect(strstr(c.warning[2], "no partner") != NULL, "%s", c.warning[2]);
    comparison_free(&c);
    results_free(rs);
}

static const struct {
    double x[6]; /* three seeds under a, the same under b */
    unsigned seeds;
    const char *says;
} words[] = {
    {{10, 20, 30, 9, 18.1, 27}, 3, "better: 9.8 % lower, significant (p = 0.0003)"},
    {{10, 20, 30, 12, 22.1, 31.9}, 3, "no difference shown (12.1 % higher, p = 0.0848)"},
    {{10, 20, 30, 11, 22.1, 32.9}, 3, "worse: 10.1 % higher, significant (p = 0.0005)"},
    {{10, 20, 30, 10, 20, 30}, 3, "the same in every pair"},
    {{1, 2, 3, 11, 23, 33}, 3, "worse: 11.2 times as high, significant (p < 0.0001)"},
    {{0, 0, 0, 1, 1.1, 0.9}, 3, "worse: 1 ms higher, significant (p = 0.0033)"}, /* no ratio */
    {{10, 9}, 1, "10.0 % lower in the only pair: nothing can be said about chance"},
    {{10, 10}, 1, "the same in every pair"},
    {{10, 10, 10, 9, 9, 9},
     3,
     "10.0 % lower in every pair, whatever the seed: nothing can be said about chance"},
    {{10, 10, 10, 9, 9, 9.5}, 3, "better: 8.4 % lower, significant (p = 0.0400)"},
};

Test(compare, verdicts_in_words)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct err e = {0};
        struct comparison c;
        char says[160];
        struct result_set *rs = sample_numbers(words[i].x, 2, words[i].seeds, 1);
        cr_assert_eq(compare_along(&c, rs, "x.h5", &all, &e), 0, "%s", e.msg);
        contrast_words(&c.row[0].contrast, says, sizeof says);
        cr_expect_str_eq(says, words[i].says, "row %zu: %s", i, says);
        comparison_free(&c);
        results_free(rs);
    }
}

/* A trace replayed whole gives every seed the same numbers: three of those are one. */
Test(compare, seeds_that_change_nothing_are_one_observation)
{
    struct err e = {0};
    struct comparison c;
    struct result_set *rs = sample_numbers((const double[]){10, 10, 10, 9, 9, 9}, 2, 3, 1);
    cr_assert_eq(compare_along(&c, rs, "x.h5", &all, &e), 0, "%s", e.msg);
    cr_expect_eq(c.row[0].contrast.verdict, VERDICT_ONE);
    cr_expect_eq(c.row[0].contrast.pair.n, 3);
    cr_expect(isnan(c.row[0].contrast.pair.p) && isnan(c.row[0].contrast.pair.lo));
    cr_assert_eq(c.n_warning, 1);
    cr_expect_str_eq(c.warning[0],
                     "x.h5: the seed changes nothing: all trials of a setting are one observation");
    comparison_free(&c);
    results_free(rs);
}

/* Read together with nine others, the sleep data are ten times less surprising. */
Test(compare, a_family_of_comparisons_shares_its_certainty)
{
    struct err e = {0};
    struct cells *cells;
    struct contrast one, ten;
    const struct metric x = {"x", "ms", BETTER_LESS};
    struct result_set *rs = sample_numbers(sleep_data, 2, 10, 1);
    cr_assert_eq(cells_new(&cells, rs, &e), 0, "%s", e.msg);
    cr_assert_eq(contrast_cells(&cells->cell[0], &cells->cell[1], &x, 1, &one, &e), 0);
    cr_assert_eq(contrast_cells(&cells->cell[0], &cells->cell[1], &x, 10, &ten, &e), 0);
    cr_expect_float_eq(ten.pair.p, 10 * one.pair.p, 1e-12);
    /* the table's t for 9 degrees of freedom: 2.262 for 95 %, 3.690 for 99.5 % */
    cr_expect_float_eq((ten.pair.hi - ten.pair.diff) / (one.pair.hi - one.pair.diff), 3.690 / 2.262,
                       0.001);
    cells_free(cells);
    results_free(rs);
}

static char *text_of(const struct comparison *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    cr_assert(f);
    compare_text(c, f);
    fclose(f);
    return text;
}

Test(compare, measures_that_do_not_differ_are_only_named_unless_asked_for)
{
    struct err e = {0};
    struct comparison c;
    const char *asked[] = {"e2e.p9"};
    const struct compare_options one = {.measure = asked, .n_measure = 1};
    const struct sample s = {.seeds = 3};
    struct result_set *a = sample_new(&s), *b = sample_new(&s);
    cr_assert_eq(compare_two(&c, a, "a.h5", b, "b.h5", &all, &e), 0, "%s", e.msg);
    char *text = text_of(&c);
    cr_expect(strstr(text, "\n  the same in every pair: "), "%s", text);
    cr_expect_null(strstr(text, "[0, 0]"), "%s", text);
    free(text);
    comparison_free(&c);
    cr_assert_eq(compare_two(&c, a, "a.h5", b, "b.h5", &one, &e), 0, "%s", e.msg);
    text = text_of(&c);
    cr_expect(strstr(text, "\n  e2e.p9                 ms "), "%s", text);
    cr_expect(strstr(text, "0 [0, 0]  the same in every pair"), "%s", text);
    free(text);
    comparison_free(&c);
    results_free(a);
    results_free(b);
}

Test(compare, what_cannot_be_said_is_a_dash)
{
    struct err e = {0};
    struct comparison c;
    struct result_set *rs = sample_numbers((const double[]){0, 0, 0, 2, 2, 2}, 2, 3, 1);
    cr_assert_eq(compare_along(&c, rs, "x.h5", &all, &e), 0, "%s", e.msg);
    char *text = text_of(&c);
    cr_expect(strstr(text, " 2        -            2 [-, -]  2 ms higher in every pair"), "%s",
              text);
    cr_expect_null(strstr(text, "nan"), "%s", text);
    free(text);
    comparison_free(&c);
    results_free(rs);
}

static char *output_of(const char *cmd)
{
    static char out[65536];
    FILE *p = popen(cmd, "r");
    cr_assert(p);
    const size_t n = fread(out, 1, sizeof out - 1, p);
    out[n] = 0;
    cr_expect_eq(pclose(p), 0, "%s", cmd);
    return out;
}

Test(compare, the_command_prints_json_that_says_the_same)
{
    char cmd[256];
    const char *dir = sample_file(&(struct sample){.seeds = 4});
    snprintf(cmd, sizeof cmd, BUILD "/malv compare %s/out.h5 --by policy --measure e2e.mean --json",
             dir);
    const char *out = output_of(cmd);
    cr_expect(strstr(out, "\"by\":\"policy\"") &&
              strstr(out, "\"setting\":\"stack kvm\",\"a\":\"fifo\",\"b\":\"oracle_sjf\""));
    cr_expect(strstr(out, "\"measure\":\"e2e.mean\",\"unit\":\"ms\",\"pairs\":4") != NULL, "%s",
              out);
    cr_expect(strstr(out, "\"verdict\":\"better\"") != NULL);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    output_of(cmd);
}
