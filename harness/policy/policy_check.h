/* policy_check.h - tries a policy out where it can do no harm.
 *
 * A child process drives all hooks that the policy has in a made-up machine
 * (policy_exercise.h; odd sizes included), twice over, and once more in the
 * smallest one: every answer must be in range, and the same both times.  The
 * parent watches: a crash, an exit, or a call that does not come back within
 * the limit is the verdict.                                                 */
#ifndef HARNESS_POLICY_POLICY_CHECK_H
#define HARNESS_POLICY_POLICY_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/policy.h"
#include "sim/config.h"
#include "sim/err.h"

struct policy_check_want {
    const struct config *params; /* NULL: none */
    uint32_t steps;              /* of each family of hooks; 0: POLICY_CHECK_STEPS */
    double limit_s;              /* for one call; 0: POLICY_CHECK_LIMIT */
};
#define POLICY_CHECK_STEPS 2000
#define POLICY_CHECK_LIMIT 5.0

struct policy_check {
    bool fine;
    uint64_t calls, decisions;
    char why[256]; /* a sentence, when not fine */
};

/* Fails only for what is not the policy's doing: bad parameters, no memory, no process. */
int policy_check(struct policy_check *result, const struct policy_ops *ops,
                 const struct policy_check_want *want, struct err *e) MUST_CHECK;

#endif
