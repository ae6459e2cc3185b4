#include "models/vm/vm_mem.h"

#include <stdlib.h>

#include "models/vm/vm_state.h"

/* ---- touches ---- */

static sim_cost touched(struct vcpu *v)
{
    return v->more;
}

static void go_touch(struct vcpu *v)
{
    exit_begin(v, EXIT_EPT, touched);
}

enum guest_touch vcpu_touch(struct vcpu *v, struct guest_mem *m, uint64_t page, bool write,
                            uint64_t content, const struct vcpu_then *then)
{
    const struct hv_cost *c = vcpu_cost(v);
    enum guest_touch t = write ? guest_mem_write(m, page, content) : guest_mem_read(m, page);
    if (t == TOUCH_FULL)
        return t;
    if (t == TOUCH_MAPPED) {
        vcpu_compute(v, 0, then);
        return t;
    }
    v->more = t == TOUCH_LARGE ? c->ept_large : t == TOUCH_SMALL ? c->ept_small : c->ept_copy;
    vcpu_begin(v, then, VCPU_REST, go_touch);
    return t;
}

/* ---- the balloon ---- */

enum { AT_ONCE = 256 }; /* page numbers in one message of virtio-balloon */

struct balloon {
    struct vcpu *v;
    struct guest_mem *mem;
    uint64_t pages, in, target; /* in: the top ones of the guest's */
    struct vcpu_then then;
};

struct balloon *balloon_new(struct vcpu *v, struct guest_mem *m)
{
    struct balloon *b = calloc(1, sizeof *b);
    struct guest_mem_counts n;
    if (!b)
        return NULL;
    guest_mem_counts(m, &n);
    *b = (struct balloon){.v = v, .mem = m, .pages = n.pages};
    return b;
}

void balloon_free(struct balloon *b)
{
    free(b);
}

uint64_t balloon_pages(const struct balloon *b)
{
    return b->in;
}

static uint64_t move(struct balloon *b)
{
    uint64_t n = 0;
    for (; n < AT_ONCE && b->in < b->target; n++, b->in++)
        guest_mem_inflate(b->mem, b->pages - 1 - b->in);
    for (; n < AT_ONCE && b->in > b->target; n++)
        guest_mem_deflate(b->mem, b->pages - 1 - --b->in);
    return n;
}

static void tell(void *ctx, uint64_t unused);

static void go_tell(struct vcpu *v)
{
    exit_begin(v, EXIT_IO_USER, touched);
}

/* Pages of one message change hands, then the guest goes on with the next. */
static void tell(void *ctx, uint64_t unused)
{
    (void)unused;
    struct balloon *b = ctx;
    uint64_t n = move(b);
    if (!n) {
        vcpu_compute(b->v, 0, &b->then);
        return;
    }
    b->v->more = n * vcpu_cost(b->v)->balloon_page;
    vcpu_begin(b->v, &(struct vcpu_then){.done = tell, .ctx = b}, VCPU_REST, go_tell);
}

void balloon_set(struct balloon *b, uint64_t pages, const struct vcpu_then *then)
{
    b->target = pages < b->pages ? pages : b->pages;
    b->then = *then;
    tell(b, 0);
}
