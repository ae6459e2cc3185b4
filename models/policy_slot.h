/* policy_slot.h - a loaded policy behind its guard.
 *
 * The guard asks the policy, checks the answer, counts, and ejects: from the
 * first bad answer on, the default (first come first served, admit) answers.
 * A crash or an endless loop ends the worker process; `beat` (shared with the
 * parent) then says which call it was, and the trial is run again with
 * eject_at set to it, so that the ejection itself is deterministic.
 *
 * Calls are numbered from 0: create, then every hook as it is asked, then
 * destroy.  An ejected policy is not asked again; one that crashed or hung is
 * not destroyed either (its state is not to be trusted).  The truth about a
 * request is blanked out for policies not marked .oracle; where it stands in a
 * list (tasks, tenants of a GPU) the model fills it in for oracles only
 * (policy_slot_oracle).
 *
 * One file of guards per family of hooks: policy_serve.c, _route.c, _cpu.c, _mem.c, _io.c, _gpu.c,
 * _order.c, _place.c.
 *
 * Keys given before an ejection do not mix with the default's: when `ejected`
 * turns on, the model asks policy_slot_batch again for all that wait.       */
#ifndef MODELS_POLICY_SLOT_H
#define MODELS_POLICY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/policy.h"
#include "sim/measures.h"

/* In memory shared between a worker and its parent. */
struct policy_beat {
    volatile uint64_t decision; /* number of the call now in progress, or the last one */
    volatile uint32_t inside;   /* 1 + the slot's number while its policy's code runs, else 0 */
};

/* The slots of a trial: the one of "policy", one for each hook bound on its own, and those of the
 * other versions that hooks have (models/policy_life.h). */
#define POLICY_EXTRAS 32
#define POLICY_SLOTS  (1 + POLICY_HOOKS_N + POLICY_EXTRAS)

enum eject_kind { EJECT_NONE, EJECT_BAD_ANSWER, EJECT_CRASH, EJECT_TIMEOUT, EJECT_CREATE };

struct policy_slot {
    const struct policy_ops *ops; /* NULL: defaults only */
    void *self;
    const char *label;         /* as the experiment names this variant */
    uint32_t number;           /* below POLICY_SLOTS; the beat says which slot was inside */
    struct policy_beat *beat;  /* NULL: nobody watches */
    uint64_t eject_at;         /* number of a call known to crash or hang */
    enum eject_kind eject_why; /* for eject_at: crash or timeout; EJECT_NONE: ignore eject_at */
    const char *eject_text;    /* "signal 11 (Segmentation fault)", borrowed */

    struct measures *out; /* where the incident goes; set by the model */

    /* filled by the guard */
    uint64_t calls;     /* into the policy's code, of any kind */
    uint64_t decisions; /* answers asked for: admit, batch */
    uint64_t bad_answers;
    enum eject_kind ejected;
    sim_time ejected_at;
    uint64_t ejected_call;
    char eject_note[192]; /* the sentence of the incident */
    bool noted;           /* it is in `out` */
    bool ended;           /* destroyed; it may be created once more */
};

/* "mem.evict"; whether a policy has an answer there. */
const char *policy_hook_name(enum policy_hook hook);
bool policy_has_hook(const struct policy_ops *ops, enum policy_hook hook);
unsigned policy_hooks(const struct policy_ops *ops); /* all it has: a set of 1 << hook */

/* Whether the truth is wanted: a model need not look ahead for anybody else. */
static inline bool policy_slot_oracle(const struct policy_slot *p)
{
    return p && p->ops && p->ops->oracle && p->ejected == EJECT_NONE;
}

/* create fails: ejected from the start; `why` (may be NULL) is what it said. */
void policy_slot_create(struct policy_slot *p, const struct policy_host *h,
                        const char *(*why)(void *ctx), void *ctx);
void policy_slot_destroy(struct policy_slot *p); /* while out still takes incidents */

/* Its state, for another version: malloc'd, NULL when it has none to give.  restore: what the
 * policy said; a crash ejects it.  Both have the hook. */
#define POLICY_STATE_MAX (UINT64_C(64) << 20)
void *policy_slot_save(struct policy_slot *p, size_t *n, sim_time now);
int policy_slot_restore(struct policy_slot *p, const void *state, size_t n, const char *by,
                        sim_time now);

/* p NULL: the defaults. */
int policy_slot_admit(struct policy_slot *p, const struct policy_admit_obs *o);     /* verdict */
int64_t policy_slot_batch(struct policy_slot *p, const struct policy_batch_obs *o); /* key */
void policy_slot_done(struct policy_slot *p, const struct policy_done *d);

/* Always a place in engine[] that takes requests; *next is the default's hand (round robin: where
 * it looks first), moved only when it answers. */
uint32_t policy_slot_route(struct policy_slot *p, const struct policy_route_obs *o, uint32_t *next);
uint32_t policy_slot_scale(struct policy_slot *p, const struct policy_scale_obs *o);

/* cpu: *answer is always usable.  The default: the longest waiting one for POLICY_SLICE_DEFAULT,
 * and a running one keeps the CPU until its slice ends. */
#define POLICY_SLICE_DEFAULT UINT64_C(4000000)
void policy_slot_pick(struct policy_slot *p, const struct policy_pick_obs *o,
                      struct policy_pick *answer);
int policy_slot_balance(struct policy_slot *p, const struct policy_balance_obs *o);

/* mem: begin says whether the policy keeps the cache's order (it has mem_evict and mem_begin
 * agreed).  If not, and after an ejection, the host's own FIFO hand answers: policy_slot_evict
 * returns POLICY_NONE then, and the caller moves its hand.  owner[] is the page in each frame, to
 * check the answer with. */
/* Once for each slot that any mem hook asks, with what all of them need to know. */
bool policy_slot_mem_begin(struct policy_slot *p, const struct policy_mem *m);
void policy_slot_hit(struct policy_slot *p, const struct policy_access *a);
void policy_slot_insert(struct policy_slot *p, const struct policy_access *a);
uint32_t policy_slot_evict(struct policy_slot *p, const struct policy_access *incoming,
                           uint32_t frames, const uint64_t *owner);
void policy_slot_remove(struct policy_slot *p, uint32_t frame, uint64_t page, uint64_t now_ns);
#define POLICY_PAGE_NONE UINT64_MAX /* owner of a free frame */
/* tier[] comes filled with where things are and is left so by the default. */
void policy_slot_place(struct policy_slot *p, const struct policy_place_obs *o, uint32_t tiers,
                       uint32_t *tier);
#define POLICY_READAHEAD_DEFAULT 32
uint32_t policy_slot_readahead(struct policy_slot *p, const struct policy_readahead_obs *o);

uint32_t policy_slot_steer(struct policy_slot *p, const struct policy_steer_obs *o); /* device */
void policy_slot_io_done(struct policy_slot *p, const struct policy_io_done *d);

/* gpu: the default is first come, first served; milli[] comes filled with the present parts and is
 * left so by the default. */
void policy_slot_dispatch(struct policy_slot *p, const struct policy_dispatch_obs *o,
                          struct policy_dispatch *answer);
void policy_slot_share(struct policy_slot *p, const struct policy_share_obs *o, uint32_t *milli);

/* cluster.place: false when there is nobody to ask, or nobody any more: the model takes the first
 * nodes that have room.  Else *n seats (0: not now), every one of them checked; seat has room for
 * o->most. */
bool policy_slot_seat(struct policy_slot *p, const struct policy_seat_obs *o,
                      struct policy_seat *seat, uint32_t *n);
/* Whether these seats are the job's: NULL, or what is wrong as a sentence in why. */
const char *policy_seats_bad(const struct policy_seat_obs *o, const struct policy_seat *seat,
                             uint32_t n, char *why, size_t size);
/* Of what a job has in all (CPU, memory), the part that goes to a seat with `here` of its GPUs when
 * the seats before it have `before`; the parts of all seats add up to all. */
static inline uint64_t policy_seat_part(uint64_t all, uint32_t gpus, uint32_t before, uint32_t here)
{
    if (!gpus)
        return all;
    const uint64_t each = all / gpus, rest = all % gpus;
    return each * here + rest * (before + here) / gpus - rest * before / gpus;
}

/* cluster.order: *answer is always usable; the default's key is 0, for ever. */
void policy_slot_order(struct policy_slot *p, const struct policy_order_obs *o,
                       struct policy_order *answer);
void policy_slot_job_done(struct policy_slot *p, const struct policy_job_done *d);

/* cluster.share: how many parts are in part[o->most]; by default equal parts of every type. */
#define POLICY_PARTS_MAX(jobs, types) ((jobs) * (types)*4) /* room that a model gives */
uint32_t policy_slot_parts(struct policy_slot *p, const struct policy_round_obs *o,
                           struct policy_part *part);

#define POLICY_SELECT_MAX 16
uint32_t policy_slot_select(struct policy_slot *p, const struct policy_select_obs *o);

/* At the end of a run: policy_decisions and ejected, and the incident in case
 * nothing was asked since the ejection.                                     */
void policy_slot_report(struct policy_slot *p, struct measures *out);

#endif
