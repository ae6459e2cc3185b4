/* policy_listen.h - a host that only listens: prints what a policy asks for when it is created. */
#ifndef HARNESS_POLICY_POLICY_LISTEN_H
#define HARNESS_POLICY_POLICY_LISTEN_H

#include <stdbool.h>

#include "policies/policy.h"

/* On standard output; in JSON the parameters only.  Runs the policy's code: call it in a child. */
void policy_listen(const struct policy_ops *o, bool json);

#endif
