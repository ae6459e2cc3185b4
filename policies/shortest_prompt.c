/* shortest_prompt.c - the least prompt still to be computed goes first.
 *
 * The heuristic at hand: the prompt is the only length known at arrival.  Good
 * where prefill dominates or long prompts mean long answers; it starves long
 * prompts under overload, and says nothing about the length of the answer.  */
#include "stateless.h"

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    (void)self;
    return (int64_t)o->request.prompt_tokens - (int64_t)o->request.cached_tokens;
}

POLICY(.name = "shortest-prompt", .summary = "least uncached prompt first",
       .create = stateless_create, .destroy = stateless_destroy, .serve_batch = batch);
