/* prefix.h - blocks of prompts that a serving engine keeps, in use or not.
 *
 * A block of `block_tokens` prompt tokens is known by its hash, which stands
 * for all that is before it, too.  It is in use by so many sequences, or idle:
 * then it is kept until its memory is wanted, and mem.evict says which goes
 * first.  The policy is told of a block when a sequence gives it back: the
 * first time as an insertion, then as a hit, the last block of a prompt first,
 * so that LRU is vLLM's order.  A block that the policy names while it is in
 * use stays and is told of again when it is given back.  Without a policy, or
 * after its ejection, the block goes that has been idle for longest, which is
 * vLLM's order, too.  Who owns which memory is the caller's (reuse.h): here
 * are counts and hashes only.                                               */
#ifndef MODELS_SERVE_PREFIX_H
#define MODELS_SERVE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "models/policy_slot.h"

struct prefix_stats { /* added - evicted = held = in use + idle */
    uint64_t added, evicted;
    uint32_t held, idle;
};

struct prefix;

/* Room for so many blocks (>= 1) of so many bytes; evict may be NULL.  NULL: out of memory. */
struct prefix *prefix_new(uint32_t blocks, uint64_t block_bytes, struct policy_slot *evict);
void prefix_free(struct prefix *p);

/* How many of hash[n], from the first on, are held; *idle (may be NULL): of these, not in use. */
uint32_t prefix_find(const struct prefix *p, const uint64_t *hash, uint32_t n, uint32_t *idle);
/* The first n, which are held, are in use by one more. */
void prefix_use(struct prefix *p, const uint64_t *hash, uint32_t n);

/* A sequence has computed a block and goes on using it. */
enum prefix_added {
    PREFIX_NEW,   /* it is kept from now on; there must be room */
    PREFIX_TWICE, /* another sequence uses the same: both use that one now */
    PREFIX_WOKEN  /* the same lay idle: that one is used now */
};
enum prefix_added prefix_add(struct prefix *p, uint64_t hash);

/* hash[n], which are held and in use, are in use by one less; how many are idle now. */
uint32_t prefix_give(struct prefix *p, const uint64_t *hash, uint32_t n, sim_time now);
/* One idle block is forgotten; there must be one.  Its hash. */
uint64_t prefix_evict(struct prefix *p, sim_time now);

void prefix_stats(const struct prefix *p, struct prefix_stats *out);
/* Whether table, counts and free frames agree, for tests. */
bool prefix_sound(const struct prefix *p);

#endif
