/* launch.h - from parsed arguments to results on disk and a table on the screen. */
#ifndef HARNESS_RUN_LAUNCH_H
#define HARNESS_RUN_LAUNCH_H

#include "harness/run/run_args.h"

int launch(const struct run_args *a, struct err *e) MUST_CHECK;
int launch_explain(const struct run_args *a, struct err *e) MUST_CHECK; /* prints, runs nothing */

#endif
