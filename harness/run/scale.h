/* scale.h - "scale" of an experiment: what if a constant of the machine were another?
 *
 * {"cost": {"vm_exit": 0.5, "launch": 2}} halves the one and doubles the other, whatever the
 * profile says; "scale.cost.vm_exit" is a path for --set and sweeps.  "label" at the top names
 * the whole, for a sweep over several.                                       */
#ifndef HARNESS_RUN_SCALE_H
#define HARNESS_RUN_SCALE_H

#include "models/machine.h"
#include "sim/config.h"

int scale_apply(struct machine *m, const struct config *scale, struct err *e) MUST_CHECK;

#endif
