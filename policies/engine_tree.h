/* engine_tree.h - which engine has the least load, at the price of what changed.
 *
 * A tournament over the engines of one stage: leaf i holds engine i's load,
 * every inner node the winner of its two.  A question plays again only the
 * matches of those that changed, log2(n) each; the first one plays all.  Ties
 * go to the lowest place.  An engine that takes no requests never wins.      */
#ifndef POLICIES_ENGINE_TREE_H
#define POLICIES_ENGINE_TREE_H

#include <stdlib.h>

#include "policy.h"

struct engine_tree {
    uint32_t n, leaves; /* leaves: a power of two, at least n */
    uint64_t *load;     /* [leaves] */
    uint32_t *winner;   /* [2 * leaves]: 1 is the final, leaves + i is leaf i */
};

typedef uint64_t engine_load(const struct policy_engine *e, uint32_t stage);

static inline void engine_tree_free(struct engine_tree *t)
{
    free(t->load);
    free(t->winner);
}

static inline void engine_tree_play(struct engine_tree *t, uint32_t node)
{
    const uint32_t a = t->winner[2 * node], b = t->winner[2 * node + 1];
    t->winner[node] = t->load[b] < t->load[a] ? b : a;
}

static inline void engine_tree_set(struct engine_tree *t, uint32_t i, uint64_t load)
{
    t->load[i] = load;
    for (uint32_t node = (t->leaves + i) / 2; node; node /= 2)
        engine_tree_play(t, node);
}

static inline uint64_t engine_tree_load(const struct policy_route_obs *o, uint32_t i,
                                        engine_load *load)
{
    return o->engine[i].takes ? load(&o->engine[i], o->stage) : UINT64_MAX;
}

/* 0, or -1: out of memory. */
static inline int engine_tree_build(struct engine_tree *t, const struct policy_route_obs *o,
                                    engine_load *load)
{
    uint32_t leaves = 1;
    while (leaves < o->n)
        leaves *= 2;
    engine_tree_free(t);
    *t = (struct engine_tree){.n = o->n, .leaves = leaves};
    t->load = malloc(leaves * sizeof *t->load);
    t->winner = malloc(2 * (size_t)leaves * sizeof *t->winner);
    if (!t->load || !t->winner)
        return -1;
    for (uint32_t i = 0; i < leaves; i++) {
        t->load[i] = i < o->n ? engine_tree_load(o, i, load) : UINT64_MAX;
        t->winner[leaves + i] = i;
    }
    for (uint32_t node = leaves; --node;)
        engine_tree_play(t, node);
    return 0;
}

/* The engine with the least load; o->n where there is no memory to say. */
static inline uint32_t engine_tree_least(struct engine_tree *t, const struct policy_route_obs *o,
                                         engine_load *load)
{
    if (t->n != o->n) {
        if (engine_tree_build(t, o, load))
            return o->n;
    } else {
        for (uint32_t i = 0; i < o->n_changed; i++)
            engine_tree_set(t, o->changed[i], engine_tree_load(o, o->changed[i], load));
    }
    return t->leaves > 1 ? t->winner[1] : 0;
}

/* A policy that is a tree for each stage and nothing else. */
struct engine_trees {
    struct engine_tree of[2];
};

static inline int engine_trees_create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = calloc(1, sizeof(struct engine_trees));
    return *self ? 0 : -1;
}

static inline void engine_trees_destroy(void *self)
{
    struct engine_trees *s = self;
    engine_tree_free(&s->of[0]);
    engine_tree_free(&s->of[1]);
    free(s);
}

#endif
