/* report_say.h - the phrases that the parts of a report's summary share. */
#ifndef HARNESS_REPORT_REPORT_SAY_H
#define HARNESS_REPORT_REPORT_SAY_H

#include "harness/report/report.h"

enum outcome {
    OUT_NONE,     /* nothing to compare */
    OUT_ONE_SEED, /* a best one, in the only seed */
    OUT_BASE,     /* nothing beats the baseline */
    OUT_UNSURE,   /* a best one, but that may be chance */
    OUT_WIN
};
enum outcome say_outcome(const struct report_setting *s);

void say_name(FILE *f, const struct report_entry *en); /* in its colour */
void say_rank(const struct report *r, FILE *f);        /* "mean end-to-end latency" */
/* "18.2 % lower (95 % interval 15.0 to 21.4 %, p = 0.0012)" */
void say_change(const struct contrast *c, FILE *f);
/* "18.6 %" or "15.0 to 18.6 %": the change from the baseline to the best, over all settings. */
void say_range(const struct report *r, FILE *f);
/* The best entry that is neither learned nor an ideal; NULL: none. */
const struct report_entry *report_unlearned(const struct report *r, const struct report_setting *s);

#endif
