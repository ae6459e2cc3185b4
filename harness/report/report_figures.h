/* report_figures.h - what the files that draw a report's figures share. */
#ifndef HARNESS_REPORT_REPORT_FIGURES_H
#define HARNESS_REPORT_REPORT_FIGURES_H

#include "harness/report/plot.h"
#include "harness/report/report.h"

#define MOST_SETTINGS 4 /* a page of more figures than these is not read; the CSVs have all */

/* Writes the plot and, when it has points, puts it on the page; frees its series and rows. */
int report_keep(struct report *r, struct plot *p, const char *section, const char *caption,
                const char *dir, struct err *e) MUST_CHECK;
/* "e2e.mean" -> "e2e-mean": names become file names. setting SIZE_MAX: none in the name. */
void report_file_name(char *out, size_t size, const char *kind, const char *metric, size_t setting);
void report_capital(char *s);
const char *report_unit(const char *unit); /* "ms", and for pure numbers nothing at all */

/* The metric along every other swept parameter that is a number. */
int report_curves(struct report *r, const struct metric *m, const char *dir,
                  struct err *e) MUST_CHECK;

/* Stacked bars of the measures share.*; nothing where there are none. */
int report_shares_figures(struct report *r, const char *dir, struct err *e) MUST_CHECK;

#endif
