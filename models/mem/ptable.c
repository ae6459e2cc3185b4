#include "models/mem/ptable.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRIES   512
#define NODE_BASE (UINT64_C(1) << 46) /* where a host's own tables lie: clear of what it maps */
#define PRESENT   1u
#define LEAF      2u

struct node {
    uint64_t address;        /* in the memory that holds the table */
    uint64_t entry[ENTRIES]; /* address | PRESENT [| LEAF]; for nodes: index << 12 */
};

struct ptable {
    struct node **node;
    uint64_t n, room;
    unsigned levels;
    struct ptable *inside;
    enum page_size host; /* pages of `inside` */
};

static uint64_t node_add(struct ptable *r)
{
    if (r->n == r->room) {
        uint64_t room = r->room ? 2 * r->room : 16;
        struct node **more = realloc(r->node, room * sizeof *more);
        if (!more)
            return UINT64_MAX;
        r->node = more, r->room = room;
    }
    struct node *n = calloc(1, sizeof *n);
    if (!n)
        return UINT64_MAX;
    n->address = NODE_BASE + (r->n << 12);
    r->node[r->n] = n;
    /* A guest's node lies in guest memory: the host maps it with pages of its own size. */
    if (r->inside && !ptable_map(r->inside, n->address, n->address - NODE_BASE / 2, r->host)) {
        free(n);
        return UINT64_MAX;
    }
    return r->n++;
}

struct ptable *ptable_new(unsigned levels, struct ptable *inside, enum page_size host)
{
    assert(levels >= 4 && levels <= 5);
    struct ptable *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->levels = levels, r->inside = inside, r->host = host;
    if (node_add(r) == UINT64_MAX) {
        ptable_free(r);
        return NULL;
    }
    return r;
}

void ptable_free(struct ptable *r)
{
    if (!r)
        return;
    for (uint64_t i = 0; i < r->n; i++)
        free(r->node[i]);
    free(r->node);
    free(r);
}

static unsigned index_of(uint64_t address, unsigned level)
{
    return address >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

bool ptable_map(struct ptable *r, uint64_t from, uint64_t to, enum page_size size)
{
    uint64_t at = 0;
    unsigned leaf = 1 + (unsigned)size;
    for (unsigned level = r->levels; level > leaf; level--) {
        uint64_t *e = &r->node[at]->entry[index_of(from, level)];
        if (*e & LEAF)
            return false;
        if (!(*e & PRESENT)) {
            uint64_t made = node_add(r);
            if (made == UINT64_MAX)
                return false;
            e = &r->node[at]->entry[index_of(from, level)];
            *e = made << 12 | PRESENT;
        }
        at = *e >> 12;
    }
    r->node[at]->entry[index_of(from, leaf)] =
        (to >> PAGE_SHIFT(size) << PAGE_SHIFT(size)) | PRESENT | LEAF;
    return true;
}

bool ptable_walk(const struct ptable *r, uint64_t from, uint64_t *to, struct ptable_walk *w)
{
    uint64_t at = 0;
    for (unsigned level = r->levels; level >= 1; level--) {
        const struct node *n = r->node[at];
        uint64_t address = n->address + 8 * index_of(from, level);
        if (r->inside && !ptable_walk(r->inside, address, &address, w))
            return false;
        w->refs++;
        if (w->seen)
            w->seen(w->ctx, address, level, r->inside != NULL);
        uint64_t e = n->entry[index_of(from, level)];
        if (!(e & PRESENT))
            return false;
        if (e & LEAF) {
            unsigned shift = 12 + 9 * (level - 1);
            *to = (e >> shift << shift) | (from & ((UINT64_C(1) << shift) - 1));
            return r->inside ? ptable_walk(r->inside, *to, to, w) : true;
        }
        at = e >> 12;
    }
    return false;
}

uint64_t ptable_nodes(const struct ptable *r)
{
    return r->n;
}
