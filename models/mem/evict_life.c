#include "models/mem/evict_life.h"

#include <stdlib.h>
#include <string.h>

struct evict_life {
    struct life_clock *clock;
    struct mem_cache *cache;
    struct policy_mem about;
    uint32_t version;                /* answers; POLICY_NONE: nobody */
    bool orders[POLICY_VERSIONS];    /* it said so in mem_begin */
    uint64_t *seen[POLICY_VERSIONS]; /* [frames] when it answered last; NULL: it was told nothing */
};

/* What the one that leaves has seen, for when it comes back. */
static bool leave(struct evict_life *l)
{
    const uint32_t v = l->version;
    const size_t bytes = l->about.frames * sizeof **l->seen;
    if (v == POLICY_NONE || !l->orders[v])
        return true;
    if (!l->seen[v] && !(l->seen[v] = malloc(bytes)))
        return false;
    memcpy(l->seen[v], mem_cache_owners(l->cache), bytes);
    return true;
}

static void come(struct evict_life *l)
{
    struct policy_slot *p = life_clock_slot(l->clock);
    const uint32_t v = l->version = life_clock_version(l->clock);
    if (p && !life_clock_begun(l->clock, v)) {
        free(l->seen[v]);
        l->seen[v] = NULL;
        l->orders[v] = policy_slot_mem_begin(p, &l->about);
    }
    const bool orders = p && l->orders[v];
    mem_cache_under(l->cache, orders ? p : NULL, orders ? l->seen[v] : NULL);
}

static void changed(void *ctx, uint32_t vm)
{
    struct evict_life *l = ctx;
    (void)vm;
    if (leave(l))
        come(l);
    else
        life_clock_fail(l->clock);
}

static size_t tells(void *ctx)
{
    const struct evict_life *l = ctx;
    return l->about.frames * sizeof(uint64_t);
}

static uint32_t victim(void *ctx, const struct policy_access *in, const uint64_t *owner)
{
    struct evict_life *l = ctx;
    sim_time wait;
    struct policy_slot *p = life_clock_ask(l->clock, &wait);
    const bool orders = p && l->orders[l->version];
    const uint32_t f = orders ? policy_slot_evict(p, in, l->about.frames, owner) : POLICY_NONE;
    life_clock_said(l->clock);
    return f;
}

int evict_life_open(struct evict_life **life, struct mem_cache *cache,
                    const struct evict_life_env *env, struct err *e)
{
    *life = NULL;
    if (!env->model->plan[POLICY_HOOK_MEM_EVICT])
        return 0;
    struct evict_life *l = *life = calloc(1, sizeof *l);
    if (!l || !mem_cache_asks(cache, victim, l))
        return err_set(e, ERR_ENOMEM, "memory: out of memory");
    l->cache = cache;
    l->about = (struct policy_mem){.frames = env->frames, .tiers = 1, .page_bytes = 4096};
    l->version = POLICY_NONE;
    const struct life_clock_env clock = {.model = env->model,
                                         .use = env->use,
                                         .out = env->out,
                                         .tells = tells,
                                         .changed = changed,
                                         .ctx = l};
    int rc = life_clock_open(&l->clock, POLICY_HOOK_MEM_EVICT, &clock, e);
    if (!rc)
        come(l);
    return rc;
}

void evict_life_close(struct evict_life *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < POLICY_VERSIONS; i++)
        free(l->seen[i]);
    life_clock_close(l->clock);
    free(l);
}

void evict_life_at(struct evict_life *l, sim_time now)
{
    if (l)
        life_clock_at(l->clock, now);
}

sim_time evict_life_waited(const struct evict_life *l)
{
    return l ? life_clock_waited(l->clock) : 0;
}

int evict_life_end(struct evict_life *l)
{
    return l ? life_clock_end(l->clock) : 0;
}

bool evict_life_oracle(const struct model_env *env)
{
    const struct policy_slot *alone = model_policy(env, POLICY_HOOK_MEM_EVICT);
    return policy_plan_oracle(env->plan[POLICY_HOOK_MEM_EVICT]) ||
           (alone && alone->ops && alone->ops->oracle);
}
