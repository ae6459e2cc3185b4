/* matrix.h - learned policies beside the baselines of their hooks, row by row.
 *
 * experiments/matrices/NAME.json (schema "malv-matrix/1"):
 *   name, title
 *   rows       one learned policy each:
 *     name, hook      words
 *     experiment      an experiment without a sweep, or the path of one whose sweep is dropped
 *     at              where in it the policy is named: "policy", "policies.mem.readahead"
 *     measure         what counts: a number, or a statistic of a sketch ("e2e.mean")
 *     better          "less" or "more"
 *     trivial         the policy that knows nothing
 *     practice        list: what is done
 *     learned         the policy in question
 *     oracle          the policy that knows the truth; without one, the best of all the others,
 *                     chosen for each seed in hindsight
 *     free            settings ({path: value}) under which its inference costs nothing
 *
 * Every policy runs on the same seeds.  Of each seed, what a policy captures is
 *     (it - trivial) / (oracle - trivial)
 * and the mean over the seeds stands with its 95 % interval.  "free" is the
 * learned policy without the cost of its inference, "charged" with it.      */
#ifndef HARNESS_REPORT_MATRIX_H
#define HARNESS_REPORT_MATRIX_H

#include <stdbool.h>
#include <stdio.h>

#include "results/stats.h"
#include "sim/config.h"
#include "sim/err.h"

#define MATRIX_CONFIDENCE 0.95
#define MATRIX_PRACTICE   4
#define MATRIX_TRIALS     64

enum matrix_role { ROLE_TRIVIAL, ROLE_FREE, ROLE_CHARGED, ROLE_ORACLE, ROLE_PRACTICE };
#define MATRIX_CELLS (ROLE_PRACTICE + MATRIX_PRACTICE)

struct matrix_cell {
    const char *policy; /* NULL: hindsight */
    double value[MATRIX_TRIALS];
    double mean;
    struct summary captured; /* of trivial and oracle: 0 and 1 */
};
struct matrix_row {
    const char *name, *hook, *at, *measure, *learned, *trivial,
        *oracle; /* oracle NULL: hindsight */
    const struct config *experiment, *practice, *free;
    bool less;
    struct matrix_cell cell[MATRIX_CELLS];
    size_t n_cells, trials; /* after matrix_run */
};
struct matrix {
    char *file;
    struct config *doc; /* everything borrowed lives in it */
    const char *name, *title;
    struct matrix_row *row;
    size_t n;
};

bool matrix_is(const char *path); /* whether this file says that it is one */
int matrix_load(struct matrix **m, const char *path, struct err *e) MUST_CHECK;
void matrix_free(struct matrix *m);
int matrix_run(struct matrix *m, unsigned jobs, bool quiet, struct err *e) MUST_CHECK;
/* From the cells' values: means, hindsight, captured shares. */
void matrix_judge(struct matrix_row *r);

void matrix_text(const struct matrix *m, FILE *out);
void matrix_json(const struct matrix *m, FILE *out);
void matrix_markdown(const struct matrix *m, FILE *out);
int matrix_csv(const struct matrix *m, const char *dir, struct err *e) MUST_CHECK;

#endif
