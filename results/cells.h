/* cells.h - an experiment seen as a grid: one axis per swept parameter, one
 * cell per combination, and in each cell the trials that differ only by seed.
 *
 * Axes and their values keep the order in which trials first mention them.
 * Everything borrowed from the result set must outlive the grid.            */
#ifndef RESULTS_CELLS_H
#define RESULTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "results/results.h"
#include "results/stats.h"

struct axis_value {
    const char *text; /* as in the trial's factor, borrowed */
    char *label;      /* for people: an object's "label" or "name", else the text */
};
struct axis {
    const char *path; /* "policy", "serve.max_running"; borrowed */
    struct axis_value *value;
    size_t n;
};
struct cell {
    size_t *at;                        /* [n_axis] index of this cell's value on each axis */
    const struct result_trial **trial; /* finished ones, by seed; failed ones are only counted */
    size_t n, failed;
};
struct cells {
    struct axis *axis;
    size_t n_axis;
    struct cell *cell;
    size_t n;
};

/* Trials whose factors differ in number or path are an error: no one wrote such a file. */
int cells_new(struct cells **out, const struct result_set *rs, struct err *e) MUST_CHECK;
void cells_free(struct cells *c);

/* Index of the axis, by path or by the last part of it ("max_running"); n_axis when there is none.
 */
size_t cells_axis(const struct cells *c, const char *path);
/* The axis of policies: "policy", or the first of "policies.." that has several values; n_axis when
 * none was swept. */
size_t cells_policy_axis(const struct cells *c);
/* The cell beside `from` whose value on `axis` is `value`; NULL when it has no trials. */
const struct cell *cells_beside(const struct cells *c, const struct cell *from, size_t axis,
                                size_t value);
/* True for the first cell of each setting, a setting being all axes but `axis`. */
bool cells_first_of_setting(const struct cells *c, const struct cell *cell, size_t axis);
/* "stack kvm, max_running 64": all axes but `skip`; "" when there are no others. */
char *cells_setting(const struct cells *c, const struct cell *cell, size_t skip);
/* The last part of an axis's path, which is how people call it. */
const char *axis_name(const struct axis *a);

/* One metric over the trials of a cell. */
void cell_summary(const struct cell *c, const char *metric, double confidence, struct summary *out);
/* All the values of one sketch, over all trials of a cell; NULL when none has it. */
struct sketch *cell_sketch(const struct cell *c, const char *name);

#endif
