/* explain.h - `malv run --explain PATH`: what one operation crosses on each
 * stack, what each crossing costs on this machine, and where that number is
 * from.  PATH is a path's name, the beginning of some ("infer", "request"),
 * or "all".                                                                 */
#ifndef HARNESS_RUN_EXPLAIN_H
#define HARNESS_RUN_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "models/machine.h"

int explain_print(const struct machine *m, const char *path, bool json, FILE *out,
                  struct err *e) MUST_CHECK;

#endif
