/* calibrate_write.h - a calibration as a table for people and as a profile.  */
#ifndef HARNESS_CALIBRATE_CALIBRATE_WRITE_H
#define HARNESS_CALIBRATE_CALIBRATE_WRITE_H

#include <stdio.h>

#include "harness/calibrate/calibrate.h"
#include "sim/config.h"

void calibrate_print(const struct calibration *c, FILE *f);
/* The profile (malv-machine/1): every number `measured`, its source says how and where; base
 * (may be NULL): a profile whose leaves stand where nothing was measured.  To config_free. */
int calibrate_profile(const struct calibration *c, const char *name, const struct config *base,
                      struct config **out, struct err *e) MUST_CHECK;

#endif
