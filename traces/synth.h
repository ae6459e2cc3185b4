/* synth.h - request streams of any length, made record by record.
 *
 * A mixture of client classes.  Of each class: prompt and output lengths are
 * lognormal, rounded and clamped; the log of the output is a weighted sum of
 * the prompt's, of a habit of the tenant, of the tenant's recent mood (AR(1))
 * and of noise, so a policy can learn to predict part of it, as in real
 * services.  A session may follow up: the next prompt holds all that was said
 * before.  Sessions arrive as a gamma renewal process (cv), with rare lulls,
 * stretched by a daily cosine.
 *
 * A pure function of (parameters, seed).  Memory: the sessions that are alive. */
#ifndef TRACES_SYNTH_H
#define TRACES_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/config.h"
#include "sim/err.h"
#include "traces/record.h"

#define SYNTH_CLASSES 8
#define SYNTH_TENANTS 4096 /* of one class */
#define SYNTH_AR      0.9  /* how slowly a tenant's mood changes, request by request */
#define SYNTH_ZIPF    0.8  /* popularity of a class's tenants */

struct synth_length {     /* tokens */
    double median, sigma; /* of the lognormal: exp(mu), standard deviation of the log */
    double min, max;
};

struct synth_class {
    char name[32];
    double weight; /* share of the requests, relative */
    uint32_t tenants;
    struct synth_length prompt, output;
    double correlation;  /* of the logs of prompt and output, before clamping */
    double tenant_share; /* of the variance of the output's log */
    double history_share;
    double follow;            /* probability that a request is followed up */
    double think_s;           /* mean time until then */
    struct synth_length more; /* what a follow-up adds to the prompt, beside what was said */
    double system_tokens;     /* leading tokens that all prompts of the class share */
};

struct synth_params {
    char preset[32];
    uint64_t requests;
    double rate_per_s;                  /* of requests, averaged over a day */
    double cv;                          /* of the gaps between sessions, without lulls */
    double lull_share;                  /* of the gaps that are lulls */
    double lull_gaps;                   /* their mean length, in mean gaps */
    double amplitude, peak_h, period_h; /* rate(t) = mean (1 + amplitude cos(..)) */
    uint32_t prefix_block;              /* tokens in a prefix block; 0: no prefix hashes */
    bool seeded;                        /* the section fixes the seed, whatever the trial's */
    uint64_t seed;
    struct synth_class cls[SYNTH_CLASSES];
    uint32_t classes;
};

/* What a preset was fitted to. */
struct synth_preset {
    const char *name, *title, *source;
    struct synth_params params;
};
const struct synth_preset *synth_preset_at(size_t i); /* NULL past the end */

int synth_params_preset(const char *name, struct synth_params *p, struct err *e) MUST_CHECK;
int synth_params_read(const struct config *section, struct synth_params *p,
                      struct err *e) MUST_CHECK;
int synth_params_check(const struct synth_params *p, const char *where, struct err *e) MUST_CHECK;
char *synth_params_json(const struct synth_params *p); /* every number, for digests; malloc'd */

int synth_open(struct request_source **out, const struct synth_params *p, uint64_t seed,
               struct err *e) MUST_CHECK;

#endif
