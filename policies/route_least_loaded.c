/* route_least_loaded.c - the engine that has the fewest requests, waiting and running.
 *
 * Join the shortest queue.  Good while requests are alike; one long prompt
 * counts as much as a short one.                                             */
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
    (void)stage;
    return (uint64_t)e->waiting + e->running;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    return engine_tree_least(&((struct queues *)self)->tree[o->stage], o, load);
}

POLICY(.name = "route-least-loaded", .summary = "requests go where the fewest are",
       .create = create, .destroy = destroy, .serve_route = route);
