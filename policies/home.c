/* home.c - every read goes where the trace wants it; what others are measured against. */
#include "policy.h"

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    return o->home;
}

POLICY(.name = "home", .summary = "reads stay on their home device", .io_steer = steer);
