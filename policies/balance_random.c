/* balance_random.c - a coin says who moves: the trivial baseline.
 *
 * Parameters
 *   share  of the questions answered with yes  (0.5; 0: nobody ever moves)  */
#include <stdlib.h>

#include "policy.h"

struct coin {
    const struct policy_host *h;
    uint64_t below; /* of 2^32 */
};

static int create(void **self, const struct policy_host *h)
{
    const double share = h->param(h->host, "share", 0.5);
    struct coin *s = share >= 0 && share <= 1 ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        h->log(h->host, "want share 0..1");
        return -1;
    }
    *s = (struct coin){h, (uint64_t)(share * 4294967296.0)};
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    (void)o;
    const struct coin *s = self;
    return s->h->random(s->h->host) >> 32 < s->below ? POLICY_MIGRATE : POLICY_LEAVE;
}

POLICY(.name = "balance-random", .summary = "a coin says which task moves", .create = create,
       .destroy = destroy, .cpu_balance = balance);
