/* marks.h - where the last so many rows stood, to be found by correlation.
 *
 * A ring of marks and chains through it by hash: what falls out of the ring falls out of its
 * chain, without being taken out.                                             */
#ifndef MODELS_GPU_MARKS_H
#define MODELS_GPU_MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct mark {
    uint64_t correlation, number; /* of the operation */
    uint64_t begin, end;          /* ns, on the plan's clock */
    uint64_t before;              /* 1 + place of the one before it in its chain; 0: none */
    uint32_t tenant;
    bool host;
};
struct marks;
struct marks *marks_new(uint32_t reach); /* a power of two; NULL: out of memory */
void marks_free(struct marks *m);
void marks_add(struct marks *m, const struct mark *k); /* `before` is filled in */
const struct mark *marks_find(const struct marks *m, uint32_t tenant, uint64_t correlation,
                              bool host); /* the latest; NULL */

#endif
