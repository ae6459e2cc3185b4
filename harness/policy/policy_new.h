/* policy_new.h - a first file for a new policy, from the template of a family of hooks. */
#ifndef HARNESS_POLICY_POLICY_NEW_H
#define HARNESS_POLICY_POLICY_NEW_H

#include "sim/err.h"

/* Writes DIR/NAME.c and says so on standard output.  hook: "mem.evict" or just "mem"; NULL: the
 * first template, serve's. */
int policy_new(const char *name, const char *dir, const char *hook, struct err *e) MUST_CHECK;

#endif
