/* ptable.h - page tables as hardware sees them, and walks through them.
 *
 * A table is a radix tree of 4 KiB nodes with 512 entries; every node has an
 * address of its own and a walk reads one entry per level.  A guest's tables
 * lie in guest-physical memory, so each of their entries is found by a walk
 * of the host's tables first: the two-dimensional walk.  References are
 * counted by walking, not by formula.                                       */
#ifndef MODELS_MEM_PTABLE_H
#define MODELS_MEM_PTABLE_H

#include <stdbool.h>
#include <stdint.h>

enum page_size { PAGE_4K, PAGE_2M, PAGE_1G, PAGE_SIZES };
#define PAGE_SHIFT(size) (12 + 9 * (unsigned)(size))

struct ptable;

/* levels: 4 or 5.  inside: the host's tables, which map this one's nodes with pages of size `host`
 * (then this is a guest's table), or NULL.  NULL: out of memory. */
struct ptable *ptable_new(unsigned levels, struct ptable *inside, enum page_size host);
void ptable_free(struct ptable *r); /* not `inside` */

/* Maps the page of this size that holds `from` onto the one that holds `to`.  False: out of
 * memory, or a larger page is there already. */
bool ptable_map(struct ptable *r, uint64_t from, uint64_t to, enum page_size size);

/* Walks.  refs: memory references made (added).  seen: told the address of each, in the memory
 * that the tables lie in (host-physical for both dimensions of a nested walk); may be NULL.
 * False: not mapped. */
typedef void ptable_seen(void *ctx, uint64_t address, unsigned level, bool guest);
struct ptable_walk {
    uint64_t refs;
    ptable_seen *seen;
    void *ctx;
};
bool ptable_walk(const struct ptable *r, uint64_t from, uint64_t *to, struct ptable_walk *w);

/* Nodes in use, leaves and above. */
uint64_t ptable_nodes(const struct ptable *r);

#endif
