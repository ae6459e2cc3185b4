/* route_least_loaded.c - the engine that has the fewest requests, waiting and running.
 *
 * Join the shortest queue.  Good while requests are alike; one long prompt
 * counts as much as a short one.                                             */
#include "engine_tree.h"

static uint64_t load(const struct policy_engine *e, uint32_t stage)
{
    (void)stage;
    return (uint64_t)e->waiting + e->running;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    return engine_tree_least(&((struct engine_trees *)self)->of[o->stage], o, load);
}

POLICY(.name = "route-least-loaded", .summary = "requests go where the fewest are",
       .create = engine_trees_create, .destroy = engine_trees_destroy, .serve_route = route);
