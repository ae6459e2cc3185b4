/* guarded.h - a slot over a policy of the test's own, and what its ejection says. */
#ifndef TESTS_POLICIES_GUARDED_H
#define TESTS_POLICIES_GUARDED_H

#include "models/policy_slot.h"

/* ops wants create = guarded_create, destroy = guarded_destroy. */
int guarded_create(void **self, const struct policy_host *h);
void guarded_destroy(void *self);

/* Created, with measures of its own to guarded_end. */
struct policy_slot guarded(const struct policy_ops *ops);
/* The same, but its call number `at` (create is 0) is known to crash. */
struct policy_slot guarded_doomed(const struct policy_ops *ops, uint64_t at);
/* Exactly one incident, with this text, at this call and time. */
void guarded_expect(const struct policy_slot *p, uint64_t call, sim_time when, const char *text);
void guarded_expect_none(const struct policy_slot *p);
void guarded_end(struct policy_slot *p);

#endif
