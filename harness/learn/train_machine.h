/* train_machine.h - the machine that labelled runs are made on. */
#ifndef HARNESS_LEARN_TRAIN_MACHINE_H
#define HARNESS_LEARN_TRAIN_MACHINE_H

#include "models/machine.h"

/* file: here, or in the source tree.  To machine_free. */
int train_machine(struct machine **m, const char *file, struct err *e) MUST_CHECK;

#endif
