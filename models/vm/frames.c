#include "models/vm/frames.h"

#include <assert.h>
#include <stdlib.h>

struct frame {
    uint32_t refs, next; /* next: of the free ones */
    bool stable;
    uint64_t content;
};

struct frames {
    uint32_t total, taken, made, cap; /* made: those that were ever used */
    uint32_t first;                   /* free among them */
    struct frame *frame;
    bool failed;
    sim_fn *gone;
    void *gone_ctx;
};

struct frames *frames_new(uint32_t total)
{
    assert(total < FRAME_NONE);
    struct frames *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->total = total;
    f->first = FRAME_NONE;
    return f;
}

void frames_free(struct frames *f)
{
    if (!f)
        return;
    free(f->frame);
    free(f);
}

uint32_t frames_total(const struct frames *f)
{
    return f->total;
}

uint32_t frames_left(const struct frames *f)
{
    return f->total - f->taken;
}

bool frames_failed(const struct frames *f)
{
    return f->failed;
}

static uint32_t make(struct frames *f)
{
    if (f->made == f->cap) {
        uint32_t cap = f->cap ? f->cap > f->total / 2 ? f->total : 2 * f->cap : 1024;
        struct frame *frame = realloc(f->frame, cap * sizeof *frame);
        if (!frame) {
            f->failed = true;
            return FRAME_NONE;
        }
        f->frame = frame;
        f->cap = cap;
    }
    return f->made++;
}

uint32_t frames_take(struct frames *f)
{
    if (f->taken == f->total)
        return FRAME_NONE;
    uint32_t id = f->first;
    if (id != FRAME_NONE)
        f->first = f->frame[id].next;
    else if ((id = make(f)) == FRAME_NONE)
        return FRAME_NONE;
    f->taken++;
    f->frame[id] = (struct frame){.refs = 1};
    return id;
}

static struct frame *owned(const struct frames *f, uint32_t id)
{
    assert(id < f->made && f->frame[id].refs > 0);
    return &f->frame[id];
}

void frames_share(struct frames *f, uint32_t id)
{
    owned(f, id)->refs++;
}

void frames_drop(struct frames *f, uint32_t id)
{
    struct frame *p = owned(f, id);
    if (p->refs == 1 && p->stable && f->gone)
        f->gone(f->gone_ctx, id);
    if (--p->refs)
        return;
    p->next = f->first;
    f->first = id;
    f->taken--;
}

uint32_t frames_refs(const struct frames *f, uint32_t id)
{
    return id < f->made ? f->frame[id].refs : 0;
}

uint64_t frames_content(const struct frames *f, uint32_t id)
{
    return owned(f, id)->content;
}

void frames_write(struct frames *f, uint32_t id, uint64_t content)
{
    struct frame *p = owned(f, id);
    assert(!p->stable && p->refs == 1);
    p->content = content;
}

bool frames_stable(const struct frames *f, uint32_t id)
{
    return owned(f, id)->stable;
}

void frames_make_stable(struct frames *f, uint32_t id)
{
    owned(f, id)->stable = true;
}

void frames_watch(struct frames *f, sim_fn *gone, void *ctx)
{
    f->gone = gone;
    f->gone_ctx = ctx;
}
