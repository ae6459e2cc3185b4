/* measures.h - what one trial reports: numbers, latency sketches, time
 * series and incidents, by name.
 *
 * Models fill it; results/ writes it; nobody in between needs to know which
 * names there are.  Order of first mention is kept.  Names are [a-z0-9_.],
 * units are SI or plain words ("s", "ms", "1", "tokens/s").  Packed form is
 * portable and is what workers send and the journal keeps.                  */
#ifndef SIM_MEASURES_H
#define SIM_MEASURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/buf.h"
#include "sim/err.h"
#include "sim/sketch.h"
#include "sim/time.h"

enum better { BETTER_NONE, BETTER_LESS, BETTER_MORE };

struct measure_number {
    char *name, *unit;
    enum better better;
    double value;
};

struct measure_sketch {
    char *name, *unit;
    struct sketch *sketch;
};

/* A time series in at most SERIES_BINS equal bins; the bin width doubles when
 * time outgrows them, so memory is bounded.  Each bin keeps the time integral
 * of a piecewise-constant level: its mean level is sum / width.             */
#define SERIES_BINS 512
struct measure_series {
    char *name, *unit;
    sim_time width; /* ns per bin */
    uint32_t bins;  /* used */
    double level;   /* current */
    sim_time since; /* when the current level began */
    sim_time end;   /* of the bin that since lies in; 0 before the first level */
    double sum[SERIES_BINS];
};

/* Something a reader must see: a policy ejected, a request refused, a warning. */
struct measure_incident {
    char *kind; /* "ejected", "warning", ... */
    char *who;  /* policy or component */
    char *text; /* one sentence */
    sim_time when;
    uint64_t decision; /* index of the decision, for a policy */
};

struct measures {
    struct measure_number *number;
    struct measure_sketch *sketch;
    struct measure_series *series;
    struct measure_incident *incident;
    size_t n_number, n_sketch, n_series, n_incident;
    bool failed; /* out of memory: sticky, checked once at the end */
};

struct measures *measures_new(void);
void measures_free(struct measures *m);

void measures_number(struct measures *m, const char *name, const char *unit, enum better better,
                     double value); /* sets; a second call with the same name replaces */
const double *measures_find(const struct measures *m, const char *name); /* NULL: not there */
struct sketch *measures_sketch(struct measures *m, const char *name, const char *unit, bool exact);
struct measure_series *measures_series(struct measures *m, const char *name, const char *unit);
void series_level(struct measure_series *s, sim_time now, double level); /* now never goes back */
void measures_incident(struct measures *m, const char *kind, const char *who, sim_time when,
                       uint64_t decision, const char *text);

void measures_pack(const struct measures *m, struct buf *b);
int measures_unpack(struct measures **m, struct buf *b, struct err *e) MUST_CHECK;

#endif
