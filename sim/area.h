/* area.h - how much of something, times how long: exact integrals over time.
 *
 * Level times nanoseconds in 128 bits: no rounding, no overflow, and so the
 * same sum on every machine.  Zero-initialise.                              */
#ifndef SIM_AREA_H
#define SIM_AREA_H

#include <stdint.h>

#include "sim/time.h"

struct area {
    uint64_t level;
    sim_time since;
    unsigned __int128 sum; /* up to `since` */
};

/* From now on the level is another. */
static inline void area_level(struct area *a, sim_time now, uint64_t level)
{
    a->sum += (unsigned __int128)(now - a->since) * a->level;
    a->since = now;
    a->level = level;
}

static inline double area_upto(const struct area *a, sim_time now)
{
    return (double)(a->sum + (unsigned __int128)(now - a->since) * a->level);
}

#endif
