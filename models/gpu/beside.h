/* beside.h - operations that wait until it is known what ran beside them.
 *
 * A ring in order of begin.  A kernel leaves it once a row begins at or after
 * its end: by then the most SMs and bandwidth that it and the others of its
 * process on its device could have used at one time are known, and if that is
 * more than there is, its own are scaled down by it.  At most BESIDE_MOST wait;
 * when there are more, the oldest leaves with what is known.                  */
#ifndef MODELS_GPU_BESIDE_H
#define MODELS_GPU_BESIDE_H

#include "models/gpu/plan.h"

enum { BESIDE_MOST = 1024 };

struct beside_slot {
    struct plan_op op;
    struct plan_edge *edge; /* [cap] */
    uint32_t cap;
    uint32_t tenant, device;
    uint64_t begin, end;     /* ns, on the plan's clock */
    uint64_t sms, bandwidth; /* most that ran at one time, with itself */
    bool open, kernel, accompanied;
};
struct beside {
    struct beside_slot *ring;
    uint64_t n, out; /* put in and taken out so far */
    uint64_t open[BESIDE_MOST];
    uint32_t n_open;
    uint32_t all_sms;
};

bool beside_begin(struct beside *b, uint32_t all_sms); /* false: out of memory */
void beside_end(struct beside *b);
bool beside_full(const struct beside *b);
/* The next slot, to be filled in (edges by beside_edge), then put. */
struct beside_slot *beside_slot(struct beside *b);
bool beside_edge(struct beside_slot *s, const struct plan_edge *edge); /* false: out of memory */
void beside_put(struct beside *b);
/* The slot with this place (n when it was put), if it still waits; NULL. */
struct beside_slot *beside_at(struct beside *b, uint64_t place);
/* The oldest, if it need not wait (or must not, with `now`); NULL.  Until the next put. */
struct beside_slot *beside_take(struct beside *b, bool now);

#endif
