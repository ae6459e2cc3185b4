/* The policy matrix: shares that can be computed by hand, hindsight, and a small one in full. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/matrix.h"

/* Three seeds; less is better.  Trivial 10, 20, 30; oracle 5, 10, 10. */
static struct matrix_row made(bool oracle)
{
    struct matrix_row r = {.less = true, .n_cells = ROLE_PRACTICE + 1, .trials = 3};
    static const double values[ROLE_PRACTICE + 1][3] = {[ROLE_TRIVIAL] = {10, 20, 30},
                                                        [ROLE_FREE] = {7.5, 12, 20},
                                                        [ROLE_CHARGED] = {8, 13, 40},
                                                        [ROLE_ORACLE] = {5, 10, 10},
                                                        [ROLE_PRACTICE] = {10, 15, 12}};
    r.oracle = oracle ? "oracle" : NULL;
    for (int i = 0; i <= ROLE_PRACTICE; i++)
        memcpy(r.cell[i].value, values[i], sizeof values[i]);
    return r;
}

Test(matrix, shares_are_of_the_same_seed_and_an_average_over_seeds)
{
    struct matrix_row r = made(true);
    matrix_judge(&r);
    cr_expect_float_eq(r.cell[ROLE_FREE].captured.mean, (0.5 + 0.8 + 0.5) / 3, 1e-12);
    cr_expect_float_eq(r.cell[ROLE_CHARGED].captured.mean, (0.4 + 0.7 - 0.5) / 3, 1e-12);
    cr_expect_eq(r.cell[ROLE_TRIVIAL].captured.mean, 0);
    cr_expect_eq(r.cell[ROLE_ORACLE].captured.mean, 1);
    cr_expect_float_eq(r.cell[ROLE_FREE].mean, 39.5 / 3, 1e-12);
    /* Student's t for 2 degrees of freedom and 95 %: 4.303; sd of 0.5, 0.8, 0.5 */
    cr_expect_float_eq(r.cell[ROLE_FREE].captured.hi, 0.6 + 4.3027 * sqrt(0.03) / sqrt(3), 1e-3);
}

Test(matrix, hindsight_is_the_best_of_each_seed)
{
    struct matrix_row r = made(false);
    matrix_judge(&r);
    const double *best = r.cell[ROLE_ORACLE].value;
    cr_expect(best[0] == 7.5 && best[1] == 12 && best[2] == 12);
    cr_expect_float_eq(r.cell[ROLE_PRACTICE].captured.mean, (0 + 5.0 / 8 + 1) / 3, 1e-12);
    r = made(false);
    r.less = false;
    matrix_judge(&r);
    cr_expect(best[0] == 10 && best[1] == 20 && best[2] == 40);
}

Test(matrix, runs_every_policy_on_the_same_seeds, .timeout = 60)
{
    struct matrix *m;
    struct err e = {0};
    cr_assert(matrix_is("tests/report/figures/matrix.json"));
    cr_assert_not(matrix_is("tests/report/figures/mm1.json"));
    cr_assert_eq(matrix_load(&m, "tests/report/figures/matrix.json", &e), 0, "%s", e.msg);
    cr_assert_eq(matrix_run(m, 2, true, &e), 0, "%s", e.msg);
    const struct matrix_row *r = &m->row[0];
    cr_expect_eq(r->trials, 3);
    cr_expect_eq(r->n_cells, (size_t)ROLE_PRACTICE + 2);
    for (size_t t = 0; t < 3; t++) {
        /* the same policy twice: what practice does is what is "learned", cost or not */
        cr_expect_eq(r->cell[ROLE_FREE].value[t], r->cell[ROLE_PRACTICE].value[t]);
        cr_expect_eq(r->cell[ROLE_CHARGED].value[t], r->cell[ROLE_FREE].value[t]);
        cr_expect_lt(r->cell[ROLE_ORACLE].value[t], r->cell[ROLE_FREE].value[t]);
    }
    cr_expect(r->cell[ROLE_FREE].captured.mean > 0 && r->cell[ROLE_FREE].captured.mean < 1);
    matrix_free(m);
}

Test(matrix, the_shipped_one_is_well_formed)
{
    struct matrix *m;
    struct err e = {0};
    cr_assert_eq(matrix_load(&m, "experiments/matrices/policy-matrix.json", &e), 0, "%s", e.msg);
    cr_expect_geq(m->n, 4);
    matrix_free(m);
}
