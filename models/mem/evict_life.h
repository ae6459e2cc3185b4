/* evict_life.h - policies of mem.evict that come and go in mid-run (models/life_clock.h).
 *
 * What lies in which frame is no policy's state but the machine's.  A newcomer hears of it by
 * insertions, in the order in which pages came, one that comes back by what has changed since: 8
 * bytes for each frame, handed over as state is.                                          */
#ifndef MODELS_MEM_EVICT_LIFE_H
#define MODELS_MEM_EVICT_LIFE_H

#include "models/life_clock.h"
#include "models/mem/cache.h"

struct evict_life_env {
    const struct model_env *model;
    struct machine_use *use;
    struct measures *out;
    uint32_t frames; /* of the cache, which has no policy of its own */
};
struct evict_life;
/* *life NULL: the plan is empty. */
int evict_life_open(struct evict_life **life, struct mem_cache *cache,
                    const struct evict_life_env *env, struct err *e) MUST_CHECK;
void evict_life_close(struct evict_life *l); /* NULL is fine, here and below */
void evict_life_at(struct evict_life *l, sim_time now);
sim_time evict_life_waited(const struct evict_life *l); /* those who wanted a frame, ns, so far */
int evict_life_end(struct evict_life *l) MUST_CHECK;    /* counts into `out` */
/* Whether anybody who may answer is an oracle. */
bool evict_life_oracle(const struct model_env *env);

#endif
