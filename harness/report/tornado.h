/* tornado.h - how much a conclusion rests on constants that nobody has measured.
 *
 * One measure of an experiment (or its ratio between two) is taken as it is, then once more for
 * each constant of the machine that the runs used and that is tagged "assumed", divided by a
 * factor and multiplied by it.  All on the same seeds, in any number of processes, with the
 * same numbers for any number of them.                                       */
#ifndef HARNESS_REPORT_TORNADO_H
#define HARNESS_REPORT_TORNADO_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/config.h"
#include "sim/err.h"

struct tornado_want {
    const char *file;            /* where the experiments stand: paths begin at its folder */
    const struct config *of;     /* an experiment without a sweep or a scale of its own */
    const struct config *over;   /* NULL: the measure itself, else the ratio of `of` to it */
    const char *metric;          /* "e2e.p99" */
    double factor;               /* above 1 */
    const char *const *constant; /* [constants] also these, whatever their tag */
    size_t constants;
    unsigned jobs;
    bool quiet;
};

struct tornado_row {
    char *constant;
    double less, more; /* the measure with it divided and multiplied; NAN: it does not run so */
    char *why;         /* why not; NULL: it does */
};

struct tornado {
    double base; /* the measure as it is */
    double factor;
    struct tornado_row *row; /* the one that changes it most first */
    size_t n;
};

int tornado_run(struct tornado *t, const struct tornado_want *w, struct err *e) MUST_CHECK;
void tornado_free(struct tornado *t);
/* How far a row takes the measure from where it is. */
double tornado_swing(const struct tornado *t, const struct tornado_row *r);
/* Of a ratio: whether who is ahead depends on this constant. */
bool tornado_flips(const struct tornado *t, const struct tornado_row *r);

/* tornado_print.c; title: what is measured, in words. */
void tornado_text(const struct tornado *t, const char *title, bool ratio, FILE *out);
void tornado_json(const struct tornado *t, const char *metric, const char *title, FILE *out);
/* NAME.svg and what belongs to it, see plot.h. */
int tornado_draw(const struct tornado *t, const char *name, const char *title, const char *dir,
                 bool *drawn, struct err *e) MUST_CHECK;

#endif
