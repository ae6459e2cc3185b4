/* home.c - every read goes where the trace wants it; what others are measured against. */
#include "policy.h"

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL; /* stateless */
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    return o->home;
}

POLICY(.name = "home", .summary = "reads stay on their home device", .create = create,
       .destroy = destroy, .io_steer = steer);
