/* page_table.h - from a page number to the frame that holds it.
 *
 * Open addressing, linear probing, at most half full: its size is set by the
 * number of frames and by nothing else.  A slot is 16 bytes, so that most
 * look-ups touch one cache line, which page_table_prefetch fetches ahead.
 * Page UINT64_MAX cannot be kept.                                           */
#ifndef MODELS_MEM_PAGE_TABLE_H
#define MODELS_MEM_PAGE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TABLE_NONE UINT32_MAX
#define PAGE_NUMBER_MAX (UINT64_MAX - 1)

struct page_slot {
    uint64_t page; /* UINT64_MAX: empty */
    uint32_t frame;
};

struct page_table {
    struct page_slot *slot;
    uint64_t mask;
    unsigned shift;
};

bool page_table_init(struct page_table *t, uint32_t frames); /* false: out of memory */
void page_table_free(struct page_table *t);
void page_table_put(struct page_table *t, uint64_t page, uint32_t frame); /* not there yet */
void page_table_remove(struct page_table *t, uint64_t page);              /* is there */

/* Fibonacci hashing: the high bits of the product are the well-mixed ones. */
static inline uint64_t page_table_home(const struct page_table *t, uint64_t page)
{
    return page * UINT64_C(0x9e3779b97f4a7c15) >> t->shift;
}

static inline void page_table_prefetch(const struct page_table *t, uint64_t page)
{
    __builtin_prefetch(&t->slot[page_table_home(t, page)]);
}

static inline uint32_t page_table_find(const struct page_table *t, uint64_t page)
{
    uint64_t i = page_table_home(t, page);
    while (t->slot[i].page != page) {
        if (t->slot[i].page == UINT64_MAX)
            return PAGE_TABLE_NONE;
        i = (i + 1) & t->mask;
    }
    return t->slot[i].frame;
}

#endif
