/* synth.h - the jobs that Gavel's simulator makes up (Narayanan et al., OSDI'20, section 7.1).
 *
 * Poisson arrivals; 80 % of the jobs last 10^[1.5, 3] minutes and 20 % 10^[3, 4] on the reference
 * GPU; the job is one of 26 of a table; the number of GPUs is drawn as in Philly (70 % one, 10 %
 * two, 15 % four, 5 % eight).  Draw by draw as scheduler/utils.py and scheduler.py of
 * github.com/stanford-futuredata/gavel have it, from Python's streams seed + 2 (jobs) and seed + 3
 * (arrivals), so that a seed is their trace.                                                  */
#ifndef MODELS_ROUNDS_SYNTH_H
#define MODELS_ROUNDS_SYNTH_H

#include <stdbool.h>

#include "policies/python_random.h"
#include "models/rounds/rates.h"
#include "sim/time.h"

#define SYNTH_JOBS 26

struct synth_job {
    sim_time arrives;
    uint32_t kind;  /* in the rates */
    double seconds; /* on the reference GPU */
    double steps;
};

struct synth {
    const struct rates *rates;
    uint32_t reference;           /* type of GPU */
    uint32_t kind[SYNTH_JOBS][4]; /* on 1, 2, 4, 8 GPUs; RATES_NONE */
    bool many;                    /* jobs on several GPUs, too */
    double gap_s;                 /* mean time between arrivals */
    struct pyrandom jobs, arrivals;
    double next_s;
};

/* A job of the table that the rates do not have, on as many GPUs as it may draw, is an error. */
int synth_init(struct synth *s, const struct rates *r, uint32_t reference, double per_hour,
               bool many, uint64_t seed, struct err *e) MUST_CHECK;
struct synth_job synth_next(struct synth *s);

#endif
