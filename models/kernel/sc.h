/* sc.h - scheduling contexts: a budget of CPU time in every period.
 *
 * Sporadic: what a stretch of running consumed comes back one period after
 * the stretch began, so that no window of one period ever holds more than the
 * budget (Sprunt, Sha & Lehoczky 1989; Stanovic et al. 2010).  Constant: what was consumed since
 * the last replenishment comes back at once, one period after the first of it. available + what is
 * still to come = budget, always.                        */
#ifndef MODELS_KERNEL_SC_H
#define MODELS_KERNEL_SC_H

#include <stdbool.h>

#include "sim/time.h"

enum { SC_REFILLS = 10 }; /* further ones merge with the last, which only makes them later */

struct sc {
    sim_time budget, period; /* ns */
    bool constant;
    sim_time available;
    unsigned n;
    struct sc_refill {
        sim_time at, amount;
    } refill[SC_REFILLS]; /* ascending */
    sim_time consumed;    /* in all */
};

void sc_init(struct sc *s, sim_time budget, sim_time period, bool constant);
void sc_advance(struct sc *s, sim_time now); /* takes what has come due */
/* A stretch that began at `start` used so much; used <= available (asserted). */
void sc_charge(struct sc *s, sim_time start, sim_time used);
/* When at least `need` <= budget will be available, if nothing is used until then. */
sim_time sc_when(const struct sc *s, sim_time now, sim_time need);

#endif
