/* lot.c - see lot.h */
#include <stdlib.h>

#include "sim/lot.h"

struct lot_piece {
    struct lot_piece *next;
    max_align_t memory[];
};

void *lot_new(struct lot *l, size_t n)
{
    struct lot_piece *p = malloc(sizeof *p + n);
    if (!p)
        return NULL;
    p->next = l->all;
    l->all = p;
    return p->memory;
}

void lot_free(struct lot *l)
{
    while (l->all) {
        struct lot_piece *next = l->all->next;
        free(l->all);
        l->all = next;
    }
}
