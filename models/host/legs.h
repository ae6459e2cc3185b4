/* legs.h - a stack's path as who does what for how long.
 *
 * A crossing of models/stack.h says what it costs and on which side; a leg
 * says whose CPU pays: the thread that asked (its vCPU, VM exits included), a
 * task of the host that works for the tenant (vhost, driver server, daemon),
 * or nobody (a wire).  Neighbours of the same kind are one leg, its cost
 * split by what it is in the ledger.
 *
 * On the metal there is one side.  In a VM the guest's crossings and the exits
 * they end in are the vCPU's; from an interrupt of the host, a wake-up, a
 * notification or vhost on, it is another task of the host that works, until
 * the guest's side goes on.  A wake-up itself is not a leg: waking costs what
 * the scheduler's model says (the same constant).                            */
#ifndef MODELS_HOST_LEGS_H
#define MODELS_HOST_LEGS_H

#include "models/host/ledger.h"
#include "models/stack.h"

enum leg_who { LEG_SELF, LEG_WORKER, LEG_WIRE };

struct leg {
    enum leg_who who;
    sim_cost ps[LEDGER_N];
    uint32_t exits;
};

enum { LEGS_MAX = 8 };
struct legs {
    struct leg leg[LEGS_MAX];
    size_t n;
};

/* A path falls in two where the GPU works, or else where an interrupt is delivered. */
enum legs_part { LEGS_ALL, LEGS_BEFORE, LEGS_AFTER };
struct legs_of {
    const struct stack_path *path;
    enum legs_part part;
    bool vm;                     /* guest and host are two sides */
    enum ledger_category device; /* what time on wires is: gpu or io */
};
/* A path that the stack lacks has no legs. */
int legs_read(struct legs *l, const struct legs_of *of, struct machine_use *use,
              struct err *e) MUST_CHECK;
uint32_t legs_exits(const struct legs *l);
sim_cost leg_total(const struct leg *l);
/* What the asking thread pays before the first leg of another, added `times` times to ps. */
void legs_self(const struct legs *l, sim_cost ps[LEDGER_N], uint64_t times);
sim_cost legs_wire(const struct legs *l); /* on wires altogether */

#endif
