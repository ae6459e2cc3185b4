/* lot.h - pieces of memory that end together, wherever they are by then.
 *
 * For what a model keeps in free lists: a simulation may stop while some of it
 * is under way, in nobody's list.  Zero-initialise.                         */
#ifndef SIM_LOT_H
#define SIM_LOT_H

#include <stddef.h>

struct lot {
    struct lot_piece *all;
};

void *lot_new(struct lot *l, size_t n); /* NULL when out of memory; not to be freed alone */
void lot_free(struct lot *l);           /* every piece */

#endif
