/* route_jsq_tokens.c - the engine with the fewest tokens ahead (splitwise-sim's token_jsq).
 *
 * Of whoever takes requests in, prompt tokens not yet computed and one for
 * each that decodes or waits; of whoever decodes only, the tokens in its caches
 * and those on their way.                                                    */
#include "engine_tree.h"

struct queues {
    struct engine_tree tree[2]; /* of each stage */
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = calloc(1, sizeof(struct queues));
    return *self ? 0 : -1;
}

static void destroy(void *self)
{
    struct queues *s = self;
    engine_tree_free(&s->tree[0]);
    engine_tree_free(&s->tree[1]);
    free(s);
}

static uint64_t load(const struct policy_engine *e, uint32_t stage)
{
    return stage == POLICY_PREFILLED ? e->cached_tokens + e->shipped_tokens
                                     : e->waiting_prompt_tokens + e->waiting + e->running;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    return engine_tree_least(&((struct queues *)self)->tree[o->stage], o, load);
}

POLICY(.name = "route-jsq-tokens", .summary = "requests go where the fewest tokens wait",
       .create = create, .destroy = destroy, .serve_route = route);
