/* frame_list.h - doubly linked lists over the frames of a cache; for mem.evict policies.
 *
 * One array of links holds every frame and, after them, one anchor per list:
 * a frame is on at most one list, and moving it is a few stores with no
 * branch.  The front is where new frames go; the back is the oldest.        */
#ifndef POLICIES_FRAME_LIST_H
#define POLICIES_FRAME_LIST_H

#include <stdint.h>
#include <stdlib.h>

struct frame_link {
    uint32_t prev, next;
};

struct frame_list {
    struct frame_link *at; /* [frames + lists] */
    uint32_t frames;
};

static inline void frame_list_clear(struct frame_list *l, uint32_t anchor)
{
    l->at[anchor] = (struct frame_link){anchor, anchor};
}

/* List i has the anchor frames + i.  0, or -1 when out of memory. */
static inline int frame_list_init(struct frame_list *l, uint32_t frames, uint32_t lists)
{
    l->at = malloc(((size_t)frames + lists) * sizeof *l->at);
    l->frames = frames;
    for (uint32_t i = 0; l->at && i < lists; i++)
        frame_list_clear(l, frames + i);
    return l->at ? 0 : -1;
}

static inline void frame_list_push(struct frame_list *l, uint32_t anchor, uint32_t frame)
{
    uint32_t first = l->at[anchor].next;
    l->at[frame] = (struct frame_link){anchor, first};
    l->at[first].prev = frame;
    l->at[anchor].next = frame;
}

static inline void frame_list_unlink(struct frame_list *l, uint32_t frame)
{
    struct frame_link k = l->at[frame];
    l->at[k.prev].next = k.next;
    l->at[k.next].prev = k.prev;
}

/* The oldest; the anchor itself when the list is empty. */
static inline uint32_t frame_list_back(const struct frame_list *l, uint32_t anchor)
{
    return l->at[anchor].prev;
}

#endif
