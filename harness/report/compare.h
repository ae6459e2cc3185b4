/* compare.h - a table of contrasts: settings x sides x measures.
 *
 * Either along one axis of a sweep (every value against a base value, within
 * each setting of the other axes), or one file against another (every cell
 * of A against the cell of B with the same factors).                        */
#ifndef HARNESS_REPORT_COMPARE_H
#define HARNESS_REPORT_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "results/cells.h"
#include "results/contrast.h"
#include "results/metric.h"

struct compare_options {
    const char *by, *base;
    const char **measure; /* [n_measure]; none: all */
    size_t n_measure;
    bool json, quiet;
};

struct compare_row {
    char *setting;     /* "stack kvm"; "" when nothing else was swept */
    const char *a, *b; /* what is compared: labels or file names, borrowed */
    struct contrast contrast;
};
struct comparison {
    struct cells *cells[2]; /* [1] only for two files */
    struct metric_list metrics;
    const char *by; /* the axis; NULL for two files */
    bool brief;     /* nobody named measures: text only names those that do not differ */
    struct compare_row *row;
    size_t n;
    char **warning;
    size_t n_warning;
};

int compare_along(struct comparison *c, const struct result_set *rs, const char *file,
                  const struct compare_options *o, struct err *e) MUST_CHECK;
int compare_two(struct comparison *c, const struct result_set *a, const char *file_a,
                const struct result_set *b, const char *file_b, const struct compare_options *o,
                struct err *e) MUST_CHECK;
void comparison_free(struct comparison *c);

void compare_text(const struct comparison *c, FILE *f);
void compare_json(const struct comparison *c, FILE *f);

#endif
