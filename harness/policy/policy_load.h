/* policy_load.h - from a name or a path to a checked policy table.
 *
 * A name ("sjf-mlp") is the file policies/sjf_mlp.so beside the executable; a
 * text with a '/' is a path.  The object must export this tree's
 * POLICY_SYMBOL, with the number and the sizes this tree was built with, and
 * the methods it needs; otherwise the sentence says both sides.  No code of
 * the policy runs before those checks, apart from the object's own
 * constructors.                                                             */
#ifndef HARNESS_POLICY_POLICY_LOAD_H
#define HARNESS_POLICY_POLICY_LOAD_H

#include <stddef.h>

#include "policies/policy.h"
#include "sim/err.h"

struct policy;

int policy_load(struct policy **p, const char *name_or_path, struct err *e) MUST_CHECK;
void policy_unload(struct policy *p); /* NULL is fine; its table is gone after this */
const struct policy_ops *policy_ops(const struct policy *p);
const char *policy_path(const struct policy *p);

/* What stands in policies/ beside the executable, sorted, as names. */
struct policy_names {
    char **name;
    size_t n;
};
int policy_names(struct policy_names *out, struct err *e) MUST_CHECK;
void policy_names_free(struct policy_names *names);

/* The table on its own: also for tables that were never in an object. */
int policy_check_table(const struct policy_ops *ops, const char *path, struct err *e) MUST_CHECK;

#endif
