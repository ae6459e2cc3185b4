/* time.h - simulated time.
 *
 * Time is an integer count of nanoseconds since the run began; it never runs
 * backwards and spans 584 years.  Costs are integers in picoseconds: a
 * component that charges many small ones keeps a struct carry, so that the
 * part below a nanosecond is added up and never rounded away per event.     */
#ifndef SIM_TIME_H
#define SIM_TIME_H

#include <stdint.h>

typedef uint64_t sim_time; /* ns */
typedef uint64_t sim_cost; /* ps */

#define SIM_NEVER UINT64_MAX
#define SIM_US    UINT64_C(1000)
#define SIM_MS    UINT64_C(1000000)
#define SIM_SEC   UINT64_C(1000000000)

struct carry {
    uint32_t ps; /* 0..999: what the last charges left over */
};

/* Whole nanoseconds of cost ps plus what was left over before. */
static inline sim_time carry_ns(struct carry *c, sim_cost ps)
{
    sim_time ns = ps / 1000;
    c->ps += (uint32_t)(ps % 1000);
    if (c->ps >= 1000) {
        c->ps -= 1000;
        ns++;
    }
    return ns;
}

#endif
