#include "models/rounds/lp.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES_MAX (64u * POLICY_LP_MAX)

static bool good_numbers(const double *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!(v[i] >= -1e300 && v[i] <= 1e300))
            return false;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* GLPK ends the process over a place that is filled twice. */
static bool good_places(const struct policy_lp *p)
{
    uint64_t *place = malloc(((size_t)p->entries + 1) * sizeof *place);
    bool good = place;
    for (uint32_t k = 0; good && k < p->entries; k++) {
        good = p->row[k] < p->rows && p->col[k] < p->cols;
        place[k] = (uint64_t)p->row[k] << 32 | p->col[k];
    }
    if (good)
        qsort(place, p->entries, sizeof *place, by_place);
    for (uint32_t k = 1; good && k < p->entries; k++)
        good = place[k] != place[k - 1];
    free(place);
    return good;
}

static bool good(const struct policy_lp *p)
{
    return p->rows > 0 && p->rows <= POLICY_LP_MAX && p->cols > 0 && p->cols <= POLICY_LP_MAX &&
           p->entries <= ENTRIES_MAX && good_numbers(p->gain, p->cols) &&
           good_numbers(p->most, p->rows) && good_numbers(p->value, p->entries) && good_places(p);
}

static void fill(glp_prob *lp, const struct policy_lp *p, int *at, double *value)
{
    glp_set_obj_dir(lp, GLP_MAX);
    glp_add_rows(lp, (int)p->rows);
    glp_add_cols(lp, (int)p->cols);
    for (uint32_t r = 0; r < p->rows; r++)
        glp_set_row_bnds(lp, (int)r + 1, GLP_UP, 0, p->most[r]);
    for (uint32_t c = 0; c < p->cols; c++) {
        glp_set_col_bnds(lp, (int)c + 1, GLP_LO, 0, 0);
        glp_set_obj_coef(lp, (int)c + 1, p->gain[c]);
    }
    for (uint32_t k = 0; k < p->entries; k++) {
        at[1 + k] = (int)p->row[k] + 1;
        at[2 + p->entries + k] = (int)p->col[k] + 1;
        value[1 + k] = p->value[k];
    }
    glp_load_matrix(lp, (int)p->entries, at, at + 1 + p->entries, value);
}

static int solve(glp_prob *lp, uint32_t cols, double *x)
{
    glp_smcp set;
    glp_init_smcp(&set);
    set.msg_lev = GLP_MSG_OFF;
    set.meth = GLP_PRIMAL;
    glp_adv_basis(lp, 0);
    if (glp_simplex(lp, &set) || glp_get_status(lp) != GLP_OPT)
        return 1;
    for (uint32_t c = 0; c < cols; c++) {
        const double v = nearbyint(glp_get_col_prim(lp, (int)c + 1) * 0x1p32) * 0x1p-32;
        x[c] = v > 0 ? v : 0;
    }
    return 0;
}

/* The library reports what it can't bear by a call that must not return. */
static void out(void *where)
{
    longjmp(*(jmp_buf *)where, 1);
}

int lp_solve(const struct policy_lp *p, double *x)
{
    if (!good(p))
        return -1;
    int *at = calloc(2 * (size_t)p->entries + 2, sizeof *at);
    double *value = calloc((size_t)p->entries + 1, sizeof *value);
    volatile int rc = -1;
    jmp_buf where;
    if (at && value) {
        glp_term_out(GLP_OFF);
        if (!setjmp(where)) {
            glp_error_hook(out, &where);
            glp_prob *lp = glp_create_prob();
            fill(lp, p, at, value);
            rc = solve(lp, p->cols, x);
            glp_delete_prob(lp);
            glp_error_hook(NULL, NULL);
        } else {
            glp_free_env(); /* all that it had */
        }
    }
    free(value);
    free(at);
    return rc;
}
