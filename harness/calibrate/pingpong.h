/* pingpong.h - two processes that wake each other in turn, pinned.
 *
 * The time of one way is half a round trip: a wake-up and, when both share a
 * CPU, a context switch between two address spaces.                          */
#ifndef HARNESS_CALIBRATE_PINGPONG_H
#define HARNESS_CALIBRATE_PINGPONG_H

#include "harness/calibrate/calibrate.h"

enum pingpong_by { PINGPONG_PIPE, PINGPONG_EVENTFD, PINGPONG_FUTEX };

/* Fills sample[0..n) with ns for one way, each over `rounds` round trips. */
int pingpong(enum pingpong_by by, unsigned here, unsigned there, int rounds, double *sample, int n,
             struct err *e) MUST_CHECK;

#endif
