/* life_clock.h - a policy's life (policy_life.h) in a model that has no events.
 *
 * The model says what time it is.  Answers are needed at once: steps are spent by another core, and
 * who asks while a replacement is under way waits for the rest of it.           */
#ifndef MODELS_LIFE_CLOCK_H
#define MODELS_LIFE_CLOCK_H

#include "models/model.h"
#include "models/policy_life.h"

struct life_clock;
struct life_clock_env {
    const struct model_env *model;
    struct machine_use *use;
    struct measures *out;
    /* What a version is told before it answers for the first time since it was loaded (mem_begin);
     * NULL: nothing, or the model tells it. */
    const struct policy_mem *about; /* copied */
    size_t (*tells)(void *ctx);     /* as struct life_env's */
    void (*changed)(void *ctx, uint32_t vm);
    void *ctx;
};
/* *c NULL: there is no plan at this hook, one policy answers for ever. */
int life_clock_open(struct life_clock **c, enum policy_hook hook, const struct life_clock_env *env,
                    struct err *e) MUST_CHECK;
void life_clock_close(struct life_clock *c); /* NULL is fine, here and below */

/* It is `now`: steps that were due are taken. */
void life_clock_at(struct life_clock *c, sim_time now);
/* A question at that time: whom to ask (NULL: the default), and how long it waits for a step, ns.
 * Then that it was answered. */
struct policy_slot *life_clock_ask(struct life_clock *c, sim_time *wait);
void life_clock_said(struct life_clock *c);

struct policy_slot *life_clock_slot(const struct life_clock *c); /* who would be asked now */
uint32_t life_clock_version(const struct life_clock *c);         /* of it; POLICY_NONE: nobody */
/* Whether this version was told since it was loaded; from the first call on it was. */
bool life_clock_begun(struct life_clock *c, uint32_t version);
sim_time life_clock_waited(const struct life_clock *c); /* ns, so far; NULL: 0 */
void life_clock_fail(struct life_clock *c);             /* out of memory: the end says so */
int life_clock_end(struct life_clock *c) MUST_CHECK;    /* counts into `out` */

#endif
