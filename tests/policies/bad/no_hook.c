/* no_hook.c - has no opinion on anything. */
#include "policy.h"
static int create(void **self, const struct policy_host *h)
{
    (void)self, (void)h;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}
POLICY(.name = "no-hook", .create = create, .destroy = destroy);
