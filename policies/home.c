/* home.c - every read goes where the trace wants it; what others are measured against. */
#include "stateless.h"

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    return o->home;
}

POLICY(.name = "home", .summary = "reads stay on their home device", .create = stateless_create,
       .destroy = stateless_destroy, .io_steer = steer);
