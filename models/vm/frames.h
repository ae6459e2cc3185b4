/* frames.h - the host's page frames of 4 KiB: who has one, how many share it, what is in it.
 *
 * A frame is free, or has at least one owner (refs).  Nothing is known of its
 * content but a number: equal numbers, equal pages.  A frame that was merged
 * (stable) is never written: whoever writes gets one of his own.
 *
 *     free + taken = total,  sum of refs = pages mapped       at any time.   */
#ifndef MODELS_VM_FRAMES_H
#define MODELS_VM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

#define FRAME_NONE UINT32_MAX

struct frames;
struct frames *frames_new(uint32_t total); /* NULL: out of memory */
void frames_free(struct frames *f);
uint32_t frames_total(const struct frames *f);
uint32_t frames_left(const struct frames *f);
bool frames_failed(const struct frames *f); /* out of the simulator's own memory: void */

uint32_t frames_take(struct frames *f); /* one owner, content 0; FRAME_NONE: none is free */
void frames_share(struct frames *f, uint32_t frame);
void frames_drop(struct frames *f, uint32_t frame);           /* the last owner gives it back */
uint32_t frames_refs(const struct frames *f, uint32_t frame); /* 0: free */
uint64_t frames_content(const struct frames *f, uint32_t frame);
void frames_write(struct frames *f, uint32_t frame, uint64_t content); /* not a stable one */
bool frames_stable(const struct frames *f, uint32_t frame);
void frames_make_stable(struct frames *f, uint32_t frame);
/* Called when a stable frame comes free, before it does. */
void frames_watch(struct frames *f, sim_fn *gone, void *ctx);

#endif
