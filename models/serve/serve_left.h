/* serve_left.h - in which order free KV blocks are taken, and what they still hold.
 *
 * vLLM's free list is a queue: blocks given back go to its end, the last of a sequence first, and
 * new ones are taken from its front.  Until it is taken, a full block keeps what was computed, so
 * a preempted request that comes back finds the beginning of its sequence as far as nobody has
 * taken it.  Which block is which does not matter for that: the queue holds runs of blocks with
 * the slot that left them.                                                                     */
#ifndef MODELS_SERVE_LEFT_H
#define MODELS_SERVE_LEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEFT_NOBODY UINT64_MAX

struct left_run {
    uint64_t blocks;
    bool kept; /* somebody may come back for it */
};

struct serve_left {
    struct left_run *run; /* a ring of `room`, a power of two, from `first` up to `end` */
    size_t room;
    uint64_t first, end;
    uint64_t blocks; /* in all runs */
};

bool left_begin(struct serve_left *l, uint64_t blocks); /* all free; false: out of memory */
void left_free(struct serve_left *l);
/* Back to the end of the queue.  A ticket for left_claim if somebody may come back, or
 * LEFT_NOBODY; false: out of memory. */
bool left_put(struct serve_left *l, uint64_t blocks, bool kept, uint64_t *ticket);
void left_take(struct serve_left *l, uint64_t blocks); /* from the front; at most l->blocks */
/* Of the run that was left, at most so many blocks from the beginning of the sequence, which leave
 * the queue.  The rest stays, nobody's now. */
uint64_t left_claim(struct serve_left *l, uint64_t ticket, uint64_t most);

#endif
