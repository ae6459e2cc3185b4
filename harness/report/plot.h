/* plot.h - one figure: a CSV of points, the gnuplot script that draws it, and
 * the SVG and PNG that come out, all four under one name in one folder.
 *
 * The script reads only that CSV, so anybody can change it and run it again
 * where it lies.  gnuplot is run without a shell and without the user's own
 * settings; without gnuplot the script and the CSV are still written.       */
#ifndef HARNESS_REPORT_PLOT_H
#define HARNESS_REPORT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sim/err.h"

enum plot_kind {
    PLOT_LINES,  /* x, y */
    PLOT_STEPS,  /* x, y: level from x on */
    PLOT_BARS,   /* in row y from the top, a bar from 0 to x, lo..hi */
    PLOT_STACK,  /* in row y from the top, a part of a bar from lo to x */
    PLOT_DOTS,   /* in row y, a dot at x, lo..hi: ratios, with a line at 1 */
    PLOT_POINTS, /* x, y, lo..hi */
    PLOT_CURVE,  /* the same, joined by lines */
    PLOT_MARKS   /* x, y: hollow squares, for what others published */
};

struct plot_series {
    char *name;     /* in the key */
    unsigned color; /* index into the palette; the same thing has the same colour everywhere */
    enum plot_kind kind;
    struct plot_point {
        double x, y, lo, hi; /* lo, hi: NAN when there is no interval */
    } * point;
    size_t n, cap;
    bool failed;
};

struct plot {
    const char *name; /* file name without its ending: [a-z0-9_-] */
    const char *title, *xlabel, *ylabel;
    bool log_x, log_y;
    double y_max; /* 0: as the data has it */
    char **row;   /* PLOT_BARS, PLOT_STACK, PLOT_DOTS: the labels of the rows, from the top */
    size_t n_row;
    struct plot_series *series;
    size_t n_series;
    bool failed; /* out of memory: sticky, plot_write reports it */
};

/* NULL when out of memory, which plot_point ignores. */
struct plot_series *plot_add(struct plot *p, const char *name, unsigned color, enum plot_kind kind);
bool plot_row(struct plot *p, const char *label); /* the next row; false: out of memory */
void plot_point(struct plot_series *s, double x, double y, double lo, double hi);
void plot_free(struct plot *p); /* series and rows; not the strings it borrowed */
size_t plot_points(const struct plot *p);

/* Writes NAME.csv, NAME.gp, and with gnuplot NAME.svg and NAME.png into dir.
 * *drawn says whether gnuplot was there.                                    */
int plot_write(const struct plot *p, const char *dir, bool *drawn, struct err *e) MUST_CHECK;

/* The SVG of a written figure, made fit to stand inside a page: no XML head,
 * its own ids, black and white replaced by the page's colours (dark mode).   */
int plot_inline(const char *dir, const char *name, const char *alt, FILE *out,
                struct err *e) MUST_CHECK;

const char *plot_color(unsigned index); /* "#4269d0" */

#endif
