/* misbehaves.c - does what "how" says, at its decision number "at":
 * key, verdict (bad answers), crash, hang, create, exit, chatter, static; "none" is good. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

struct bad {
    const struct policy_host *h;
    const char *how;
    uint64_t at, seen;
};

static int is(const struct bad *b, const char *how)
{
    return !strcmp(b->how, how) && b->seen == b->at;
}

static void misbehave(const struct bad *b)
{
    volatile int spin = 1;
    while (is(b, "hang") && spin) {
    }
    if (is(b, "crash"))
        abort();
    if (is(b, "exit"))
        exit(0);
    if (is(b, "chatter"))
        for (int i = 0; i < 20; i++)
            b->h->log(b->h->host, "again");
}

static int create(void **self, const struct policy_host *h)
{
    struct bad *b = calloc(1, sizeof *b);
    if (!b)
        return -1;
    b->h = h;
    b->how = h->param_text(h->host, "how", "key");
    b->at = (uint64_t)h->param(h->host, "at", 5);
    *self = b;
    if (strcmp(b->how, "create"))
        return 0;
    h->log(h->host, "the moon is in the wrong quarter");
    free(b);
    return 1;
}

static void destroy(void *self)
{
    free(self);
}

static int admit(void *self, const struct policy_admit_obs *o)
{
    struct bad *b = self;
    (void)o;
    int bad = is(b, "verdict");
    misbehave(b);
    b->seen++;
    return bad ? 7 : POLICY_ADMIT;
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    static int64_t ever; /* outlives the policy: the next run sees it */
    struct bad *b = self;
    if (!strcmp(b->how, "static"))
        return ever++;
    int bad = is(b, "key");
    misbehave(b);
    b->seen++;
    return bad ? INT64_MIN : (int64_t)o->request.oracle_output_tokens;
}

POLICY(.name = "misbehaves", .summary = "for tests", .create = create, .destroy = destroy,
       .serve_admit = admit, .serve_batch = batch);
