/* stateless.h - create and destroy of a policy that keeps nothing but its host. */
#ifndef POLICIES_STATELESS_H
#define POLICIES_STATELESS_H

#include "policy.h"

static inline int stateless_create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h;
    return 0;
}

static inline void stateless_destroy(void *self)
{
    (void)self;
}

#endif
