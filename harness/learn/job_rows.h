/* job_rows.h - a log of jobs as rows for training and evaluation.
 *
 * Jobs in the order of their submission; the features of each are taken as a
 * policy would (policies/duration_features.h), from what had ended by then.  A
 * log does not say when a job began everywhere: where it does not, the moment
 * of its submission is assumed.  Jobs whose duration is not said are left out. */
#ifndef HARNESS_LEARN_JOB_ROWS_H
#define HARNESS_LEARN_JOB_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "policies/duration_features.h"
#include "sim/err.h"

struct job_rows {
    size_t n;
    float *x;          /* [n][DURATION_N] */
    float *y;          /* duration_log of the duration */
    uint32_t *seconds; /* the duration itself */
    char digest[65], format[32];
};

/* A published file (path as in experiments: data:..); at most `most` jobs, the first ones.
 * ERR_ENAME: a data: file that is not on this machine. */
int job_rows_load(struct job_rows *rows, const char *path, size_t most, struct err *e) MUST_CHECK;
void job_rows_free(struct job_rows *rows);

#endif
