/* bad_name.c - a name that would break a table. */
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
POLICY(.name = "two words", .create = create, .destroy = destroy);
