/* run_show.h - what a run tells: a table for people, JSON for programs, the
 * run record beside the results.                                            */
#ifndef HARNESS_RUN_RUN_SHOW_H
#define HARNESS_RUN_RUN_SHOW_H

#include <stdio.h>

#include "harness/run/runner.h"

/* One row per combination, means over its seeds; then what a reader must know. */
int run_show_table(const struct result_set *rs, FILE *f, struct err *e) MUST_CHECK;
void run_show_json(const struct result_set *rs, const char *out, const struct runner_report *r,
                   FILE *f);
/* OUT.run.json: wall clock, host, backend; all that must not be in the results. */
int run_record_write(const struct result_set *rs, const char *out, const struct runner_report *r,
                     struct err *e) MUST_CHECK;

#endif
