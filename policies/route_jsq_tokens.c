/* route_jsq_tokens.c - the engine with the fewest tokens ahead (splitwise-sim's token_jsq).
 *
 * Of whoever takes requests in, prompt tokens not yet computed and one for
 * each that decodes or waits; of whoever decodes only, the tokens in its caches
 * and those on their way.                                                    */
#include "engine_tree.h"

static uint64_t load(const struct policy_engine *e, uint32_t stage)
{
    return stage == POLICY_PREFILLED ? e->cached_tokens + e->shipped_tokens
                                     : e->waiting_prompt_tokens + e->waiting + e->running;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    return engine_tree_least(&((struct engine_trees *)self)->of[o->stage], o, load);
}

POLICY(.name = "route-jsq-tokens", .summary = "requests go where the fewest tokens wait",
       .create = engine_trees_create, .destroy = engine_trees_destroy, .serve_route = route);
