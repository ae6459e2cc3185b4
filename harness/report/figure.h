/* figure.h - a published figure as data: what to run, and what others got.
 *
 * experiments/figures/NAME.json (schema "malv-figure/1"):
 *   name, title, source   words
 *   published        CSV of published values (published.h), beside the file or in the source tree;
 *                    a band "lo..hi" is met anywhere inside, a missing value is shown unjudged
 *   tolerance        largest error allowed
 *   tolerance_kind   "relative" (the default), "absolute", or "interval": relative, and the
 *                    published value must lie in the 99 % confidence interval over seeds
 *   x, y             {"label", "unit"} of the axes
 *   experiment       an experiment, or the path of one
 *   points           what the simulation has to say: per series, which trials ("select": {path:
 *                    value}), the x of each (a path in the experiment, or a number), the measure
 *                    to take as y, and "scale" to multiply it by; "over" names a second measure:
 *                    then y is the mean of the one over the mean of the other.  "tolerance":
 *                    the series' own (0: inside the published band, or not at all)
 *
 *   allow_misses          this many points may lie outside the tolerance (default 0)
 *   direction             for bars beside a baseline: [{"x", "published", "y", "select"}], the
 *                         published baseline at that x and the trials that are ours.  A point
 *                         there must lie on the published side of its own baseline; one that
 *                         does not fails the figure, whatever its error
 *   order                 [["series", ..], ..]: at every x the series of a list come in the
 *                         published order, by value; a pair that does not fails the figure
 *   misses                words: why points are known to miss; shown with the verdict
 *   needs                 list of "data:.." files that it cannot do without.  Where one is absent
 *                         the figure is skipped, which is neither a pass nor a miss
 *
 * Every published value must be met by trials; a series nobody simulates is an error. */
#ifndef HARNESS_REPORT_FIGURE_H
#define HARNESS_REPORT_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/report/published.h"
#include "results/results.h"
#include "sim/config.h"

enum tolerance_kind { TOLERANCE_RELATIVE, TOLERANCE_ABSOLUTE, TOLERANCE_INTERVAL };
#define FIGURE_CONFIDENCE 0.99

struct figure_axis {
    const char *label, *unit;
};
struct figure_series {
    const char *name, *y, *over; /* over NULL: y itself */
    const struct config *select; /* NULL: all trials */
    const char *x_path;          /* NULL: x_fixed */
    double x_fixed, scale;
    double tolerance; /* NAN: the figure's */
};
struct figure_point {
    const char *series, *source;
    double x, published, ours, lo, hi; /* lo..hi: interval of ours; NAN with one seed */
    double band[2]; /* what others found; equal for a number; NAN: nothing published */
    double error;
    bool pass;
    size_t trials;
    int direction; /* 1 right, -1 wrong, 0: no baseline at this x */
    bool out_of_order;
};
struct figure_baseline {
    struct figure_series trials; /* at x_fixed */
    double published;
};
struct figure_group { /* series whose order is compared */
    const char **name;
    size_t n;
};

struct figure {
    char *file;
    struct config *doc; /* everything borrowed below lives in it */
    const char *name, *title, *source;
    double tolerance;
    bool own_tolerances; /* of some series */
    enum tolerance_kind kind;
    struct figure_axis x, y;
    struct figure_series *series;
    size_t n_series;
    struct figure_baseline *baseline;
    size_t n_baseline;
    struct figure_group *group;
    size_t n_group;
    uint64_t allow_misses;
    const char *misses; /* NULL: none are known */
    char *absent;       /* a sentence about the first of its needs that is; NULL: all are there */
    struct published published;
    const struct config *experiment; /* object, or a path */

    struct figure_point *point; /* as published, after figure_run or figure_match */
    size_t n;
    double max_error;
    size_t missed, wrong_way;
    size_t pairs, wrong_order; /* pairs of points whose order was compared; was wrong */
    bool pass;
};

int figure_load(struct figure **out, const char *path, struct err *e) MUST_CHECK;
void figure_free(struct figure *f);
/* "needs": f->absent.  For figure_load. */
int figure_needs(struct figure *f, const struct config *list, struct err *e) MUST_CHECK;
/* Not to be called when something is absent.  Runs what the figure looks at of
 * the experiment on `jobs` processes and compares.
 * Missing the tolerance is no error here. */
int figure_run(struct figure *f, unsigned jobs, bool quiet, struct err *e) MUST_CHECK;
/* The comparison alone. */
int figure_match(struct figure *f, const struct result_set *rs, struct err *e) MUST_CHECK;
/* "direction": read (for figure_load) and judged (for figure_match). */
int figure_direction_read(struct figure *f, const struct config *list, struct err *e) MUST_CHECK;
int figure_direction_judge(struct figure *f, const struct result_set *rs,
                           const struct config *experiment, struct err *e) MUST_CHECK;
/* "order": read (for figure_load, after the series) and judged (for figure_match). */
int figure_order_read(struct figure *f, const struct config *list, struct err *e) MUST_CHECK;
void figure_order_judge(struct figure *f);
/* The values of y in the trials of `s` at x: *n more of them in y, which has room for all trials.
 */
int figure_gather(const struct figure *f, const struct result_set *rs,
                  const struct config *experiment, const struct figure_series *s, double x,
                  double *y, size_t *n, struct err *e) MUST_CHECK;
/* Whether any series or baseline looks at this trial (its factors; measures are not read). */
bool figure_wants(const struct figure *f, const struct config *experiment,
                  const struct result_trial *t);
/* A file named in a figure: beside it, or in the source tree.  malloc'd; NULL: neither. */
char *figure_find(const struct figure *f, const char *relative);

void figure_text(const struct figure *f, FILE *out);
void figure_json(const struct figure *f, FILE *out);
void figure_markdown(const struct figure *f, FILE *out);
void figure_markdown_head(FILE *out);
int figure_draw(const struct figure *f, const char *dir, bool *drawn, struct err *e) MUST_CHECK;

#endif
