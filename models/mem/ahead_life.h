/* ahead_life.h - policies of mem.readahead that come and go in mid-run (models/policy_life.h).
 *
 * A page cache has no events: its time is that of the accesses.  Steps are spent
 * by another core; who misses while a replacement is under way waits for the
 * rest of it.                                                                */
#ifndef MODELS_MEM_AHEAD_LIFE_H
#define MODELS_MEM_AHEAD_LIFE_H

#include "models/machine.h"
#include "models/mem/readahead.h"
#include "models/model.h"

struct ahead_life;
/* *life NULL: the plan is empty, one policy answers for ever. */
int ahead_life_open(struct ahead_life **life, const struct model_env *env, struct machine_use *use,
                    const struct policy_mem *about, struct measures *out, struct err *e) MUST_CHECK;
void ahead_life_close(struct ahead_life *a); /* NULL is fine */
/* As mem_readahead_ask. */
uint32_t ahead_life_ask(struct ahead_life *a, struct mem_readahead *r, const struct mem_touch *t,
                        const struct mem_source *ahead);
sim_time ahead_life_waited(const struct ahead_life *a); /* ns, so far; NULL: 0 */
int ahead_life_end(struct ahead_life *a) MUST_CHECK;    /* counts into `out`; NULL is fine */

#endif
