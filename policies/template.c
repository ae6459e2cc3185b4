/* template.c - the smallest useful policy, to be copied.
 *
 * It runs short prompts first, lets nobody wait forever, and turns requests
 * away when the queue is longer than `max_waiting`.  To make your own:
 *
 *   1. `malv policy new NAME` copies this file and puts the name in.
 *   2. Say at the top what the policy does, when it is good, where it fails.
 *   3. Put what it must remember into struct template_state (step 3 below).
 *   4. Ask for every parameter in create (step 4): a parameter in an
 *      experiment that was not asked for there is refused as a typo.
 *   5. Write the hooks (step 5) and name them in POLICY (step 6).
 *   6. `make`, then `malv policy check NAME`.
 *
 * The rules are in policy.h: no clocks, no files, no randomness but the
 * host's, answers within their range; who breaks them is ejected.           */
#include <stdlib.h>

#include "policy.h"

/* Step 3: what it remembers.  Allocated in create, freed in destroy. */
struct template_state {
    const struct policy_host *h; /* stays valid until destroy */
    double aging;                /* prompt tokens forgiven per second of waiting */
    double max_waiting;          /* 0: no limit */
    uint64_t answered;           /* tokens seen in finished answers */
};

/* Step 4: parameters, with what they are when the experiment does not say. */
static int create(void **self, const struct policy_host *h)
{
    struct template_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    s->aging = h->param(h->host, "aging", 100);
    s->max_waiting = h->param(h->host, "max_waiting", 0);
    if (s->aging >= 0 && s->aging <= 1e6 && s->max_waiting >= 0) {
        *self = s;
        return 0;
    }
    h->log(h->host, "want aging 0..1000000 and max_waiting >= 0");
    free(s);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

/* Step 5: the hooks.  Leave out (and out of POLICY) those without an opinion. */

/* A request arrives: POLICY_ADMIT or POLICY_REJECT. */
static int admit(void *self, const struct policy_admit_obs *o)
{
    const struct template_state *s = self;
    if (s->max_waiting > 0 && o->server.waiting >= s->max_waiting)
        return POLICY_REJECT;
    return POLICY_ADMIT;
}

/* It enters the waiting queue: its rank; the lowest runs first, within
 * +-POLICY_KEY_MAX.  Adding the time of arrival is what lets nobody starve:
 * who comes later must be shorter by `aging` tokens per second to overtake. */
static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    const struct template_state *s = self;
    const struct policy_request *r = &o->request;
    double prompt = (double)r->prompt_tokens - (double)r->cached_tokens;
    return (int64_t)(1024 * (prompt + s->aging * (double)r->arrived_ns / 1e9));
}

/* It finished: the only moment when the length of an answer is known. */
static void done(void *self, const struct policy_done *d)
{
    struct template_state *s = self;
    s->answered += d->output_tokens;
}

/* Step 6: the whole wiring. */
POLICY(.name = "template", .summary = "short prompts first, with aging (the one to copy)",
       .create = create, .destroy = destroy, .serve_admit = admit, .serve_batch = batch,
       .serve_done = done);
