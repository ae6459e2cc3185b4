#include "models/mem/page_table.h"

#include <assert.h>
#include <stdlib.h>

bool page_table_init(struct page_table *t, uint32_t frames)
{
    unsigned bits = 4;
    while ((UINT64_C(1) << bits) < 2 * (uint64_t)frames)
        bits++;
    *t = (struct page_table){.mask = (UINT64_C(1) << bits) - 1, .shift = 64 - bits};
    t->slot = malloc((t->mask + 1) * sizeof *t->slot);
    for (uint64_t i = 0; t->slot && i <= t->mask; i++)
        t->slot[i] = (struct page_slot){.page = UINT64_MAX};
    return t->slot;
}

void page_table_free(struct page_table *t)
{
    free(t->slot);
    t->slot = NULL;
}

void page_table_put(struct page_table *t, uint64_t page, uint32_t frame)
{
    assert(page <= PAGE_NUMBER_MAX);
    uint64_t i = page_table_home(t, page);
    while (t->slot[i].page != UINT64_MAX)
        i = (i + 1) & t->mask;
    t->slot[i] = (struct page_slot){page, frame};
}

/* Moves back what the gap had pushed on: no tombstones, so look-ups stay short for ever. */
void page_table_remove(struct page_table *t, uint64_t page)
{
    uint64_t gap = page_table_home(t, page);
    while (t->slot[gap].page != page)
        gap = (gap + 1) & t->mask;
    for (uint64_t i = gap;;) {
        i = (i + 1) & t->mask;
        if (t->slot[i].page == UINT64_MAX)
            break;
        uint64_t home = page_table_home(t, t->slot[i].page);
        if (((i - home) & t->mask) < ((i - gap) & t->mask))
            continue;
        t->slot[gap] = t->slot[i];
        gap = i;
    }
    t->slot[gap].page = UINT64_MAX;
}
