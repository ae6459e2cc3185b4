#include "models/vm/guest_mem.h"

#include <assert.h>
#include <stdlib.h>

enum { REGION = 512 };
#define BALLOONED (FRAME_NONE - 1)

struct region { /* 2 MiB */
    uint32_t frame[REGION];
    uint32_t mark[REGION];
    bool large;
};

struct guest_mem {
    struct frames *frames;
    bool large;
    struct region **region; /* NULL: never touched */
    size_t n_regions;
    struct guest_mem_counts n;
};

struct guest_mem *guest_mem_new(struct frames *f, uint64_t pages, bool large)
{
    struct guest_mem *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->frames = f;
    m->large = large;
    m->n.pages = pages;
    m->n_regions = (pages + REGION - 1) / REGION;
    m->region = calloc(m->n_regions + !m->n_regions, sizeof *m->region);
    if (m->region)
        return m;
    free(m);
    return NULL;
}

static bool has_frame(uint32_t frame)
{
    return frame < BALLOONED;
}

void guest_mem_free(struct guest_mem *m)
{
    if (!m)
        return;
    for (size_t r = 0; r < m->n_regions; r++) {
        struct region *g = m->region[r];
        for (int i = 0; g && i < REGION; i++)
            if (has_frame(g->frame[i]))
                frames_drop(m->frames, g->frame[i]);
        free(g);
    }
    free(m->region);
    free(m);
}

void guest_mem_counts(const struct guest_mem *m, struct guest_mem_counts *out)
{
    *out = m->n;
}

static struct region *region_of(struct guest_mem *m, uint64_t page)
{
    assert(page < m->n.pages);
    struct region **at = &m->region[page / REGION];
    if (!*at && (*at = calloc(1, sizeof **at)))
        for (int i = 0; i < REGION; i++)
            (*at)->frame[i] = FRAME_NONE;
    return *at;
}

uint32_t guest_mem_frame(const struct guest_mem *m, uint64_t page)
{
    const struct region *g = m->region[page / REGION];
    return g && has_frame(g->frame[page % REGION]) ? g->frame[page % REGION] : FRAME_NONE;
}

bool guest_mem_ballooned(const struct guest_mem *m, uint64_t page)
{
    const struct region *g = m->region[page / REGION];
    return g && g->frame[page % REGION] == BALLOONED;
}

/* ---- first touch ---- */

static bool whole(const struct guest_mem *m, const struct region *g, uint64_t page)
{
    if ((page / REGION + 1) * REGION > m->n.pages)
        return false;
    for (int i = 0; i < REGION; i++)
        if (g->frame[i] != FRAME_NONE)
            return false;
    return true;
}

static bool map_all(struct guest_mem *m, struct region *g)
{
    for (int i = 0; i < REGION; i++)
        if ((g->frame[i] = frames_take(m->frames)) == FRAME_NONE) {
            while (i--) {
                frames_drop(m->frames, g->frame[i]);
                g->frame[i] = FRAME_NONE;
            }
            return false;
        }
    g->large = true;
    m->n.mapped += REGION;
    return true;
}

static enum guest_touch map(struct guest_mem *m, uint64_t page)
{
    struct region *g = region_of(m, page);
    if (!g)
        return TOUCH_FULL;
    uint32_t *frame = &g->frame[page % REGION];
    assert(*frame != BALLOONED && "the balloon's pages are not touched");
    if (has_frame(*frame))
        return TOUCH_MAPPED;
    if (m->large && frames_left(m->frames) >= REGION && whole(m, g, page))
        return map_all(m, g) ? TOUCH_LARGE : TOUCH_FULL;
    *frame = frames_take(m->frames);
    if (*frame == FRAME_NONE)
        return TOUCH_FULL;
    m->n.mapped++;
    return TOUCH_SMALL;
}

enum guest_touch guest_mem_read(struct guest_mem *m, uint64_t page)
{
    enum guest_touch t = map(m, page);
    m->n.touches[t]++;
    return t;
}

enum guest_touch guest_mem_write(struct guest_mem *m, uint64_t page, uint64_t content)
{
    enum guest_touch t = map(m, page);
    uint32_t frame = guest_mem_frame(m, page);
    if (t == TOUCH_MAPPED && frames_stable(m->frames, frame)) {
        uint32_t copy = frames_take(m->frames);
        t = copy == FRAME_NONE ? TOUCH_FULL : TOUCH_UNSHARE;
        if (t == TOUCH_UNSHARE) {
            m->region[page / REGION]->frame[page % REGION] = copy;
            frames_drop(m->frames, frame);
            frame = copy;
        }
    }
    m->n.touches[t]++;
    if (t != TOUCH_FULL)
        frames_write(m->frames, frame, content);
    return t;
}

/* ---- pages taken out of a mapping ---- */

static void split(struct guest_mem *m, struct region *g)
{
    m->n.splits += g->large;
    g->large = false;
}

bool guest_mem_inflate(struct guest_mem *m, uint64_t page)
{
    struct region *g = region_of(m, page);
    if (!g || g->frame[page % REGION] == BALLOONED)
        return false;
    uint32_t frame = g->frame[page % REGION];
    if (has_frame(frame)) {
        split(m, g);
        frames_drop(m->frames, frame);
        m->n.mapped--;
    }
    g->frame[page % REGION] = BALLOONED;
    m->n.ballooned++;
    return true;
}

bool guest_mem_deflate(struct guest_mem *m, uint64_t page)
{
    if (!guest_mem_ballooned(m, page))
        return false;
    m->region[page / REGION]->frame[page % REGION] = FRAME_NONE;
    m->n.ballooned--;
    return true;
}

void guest_mem_merge(struct guest_mem *m, uint64_t page, uint32_t frame)
{
    struct region *g = m->region[page / REGION];
    uint32_t own = guest_mem_frame(m, page);
    assert(own != FRAME_NONE && own != frame && frames_stable(m->frames, frame));
    assert(frames_content(m->frames, own) == frames_content(m->frames, frame));
    split(m, g);
    frames_share(m->frames, frame);
    g->frame[page % REGION] = frame;
    frames_drop(m->frames, own);
    m->n.merges++;
}

uint32_t guest_mem_note(struct guest_mem *m, uint64_t page, uint32_t mark)
{
    struct region *g = m->region[page / REGION];
    uint32_t before = g->mark[page % REGION];
    g->mark[page % REGION] = mark;
    return before;
}
