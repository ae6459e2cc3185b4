/* guest_mem.h - a guest's memory: which of its pages have a frame of the host.
 *
 * Pages of 4 KiB, mapped at first touch, one by one or 2 MiB at a time where
 * the host backs the guest with huge pages and has 512 frames left (contiguity
 * is not modelled).  A huge mapping is split when one of its pages is given
 * back or merged.  A page in the balloon is not the guest's to touch.
 *
 *     mapped + ballooned + untouched = pages         at any time.            */
#ifndef MODELS_VM_GUEST_MEM_H
#define MODELS_VM_GUEST_MEM_H

#include "models/vm/frames.h"

enum guest_touch {
    TOUCH_MAPPED,  /* nothing to do */
    TOUCH_SMALL,   /* a frame was mapped */
    TOUCH_LARGE,   /* 512 of them */
    TOUCH_UNSHARE, /* a merged page was written: it has a copy of its own now */
    TOUCH_FULL     /* the host has no frame left: nothing happened */
};
struct guest_mem_counts {
    uint64_t pages, mapped, ballooned;
    uint64_t touches[TOUCH_FULL + 1];
    uint64_t splits, merges;
};

struct guest_mem;
struct guest_mem *guest_mem_new(struct frames *f, uint64_t pages, bool large); /* NULL: no memory */
void guest_mem_free(struct guest_mem *m); /* its frames go back */
void guest_mem_counts(const struct guest_mem *m, struct guest_mem_counts *out);

/* Reads the page, or writes it, which makes this its content. */
enum guest_touch guest_mem_read(struct guest_mem *m, uint64_t page);
enum guest_touch guest_mem_write(struct guest_mem *m, uint64_t page, uint64_t content);
uint32_t guest_mem_frame(const struct guest_mem *m, uint64_t page); /* FRAME_NONE: not mapped */

/* The balloon: takes a page from the guest (its frame, if any, goes back), gives it again. */
bool guest_mem_inflate(struct guest_mem *m, uint64_t page); /* false: it is in the balloon */
bool guest_mem_deflate(struct guest_mem *m, uint64_t page);
bool guest_mem_ballooned(const struct guest_mem *m, uint64_t page);

/* For deduplication: the page is `frame`'s from now on, which has its content. */
void guest_mem_merge(struct guest_mem *m, uint64_t page, uint32_t frame);
/* What was last noted of the page (0: nothing), and notes this. */
uint32_t guest_mem_note(struct guest_mem *m, uint64_t page, uint32_t mark);

#endif
