/* machine.h - a machine profile: what things cost, and how we know.
 *
 * A profile is JSON, schema "malv-machine/1": any nesting of sections whose
 * leaves are costs {value, unit, source, evidence} or tables {x, y, unit,
 * source, evidence}.  A leaf is named by its dotted path ("cost.syscall").
 * No number without a source and an evidence tag: a profile that lacks one
 * does not load.
 *
 * Once scaled, a profile is immutable and shared by trials; each run keeps a machine_use,
 * which remembers what the run looked up, so that a report can list the
 * assumed constants that its result depends on.                             */
#ifndef MODELS_MACHINE_H
#define MODELS_MACHINE_H

#include "sim/config.h"
#include "sim/err.h"
#include "sim/measures.h"
#include "sim/time.h"

#define MACHINE_MOST 1e16 /* base units of a time or a table; keeps sums far from 2^63 */

enum evidence { EVIDENCE_MEASURED, EVIDENCE_PUBLISHED, EVIDENCE_ASSUMED };
enum quantity { QUANTITY_TIME, QUANTITY_BYTES, QUANTITY_RATE, QUANTITY_CLOCK, QUANTITY_COUNT };

/* One constant, or a table of y over x (then n > 0 and value is unused). */
struct machine_cost {
    char *name, *unit, *source;
    enum evidence evidence;
    enum quantity quantity;
    double value; /* in base units: ps, bytes, bytes/s, Hz, 1 */
    size_t n;
    uint64_t *x; /* strictly ascending */
    int64_t *y;  /* base units, rounded to integers */
};

struct machine {
    char *name, *title;
    struct machine_cost *cost;
    size_t n_cost;
};

int machine_load(struct machine **m, const struct config *json, struct err *e) MUST_CHECK;
void machine_free(struct machine *m);
const struct machine_cost *machine_find(const struct machine *m, const char *name); /* NULL: none */
const char *evidence_name(enum evidence v);
/* Before any use: what if this constant (of a table: every value) were so many times what it is?
 * It is assumed from then on, and its source says so.  Two factors multiply. */
int machine_scale(struct machine *m, const char *name, double factor, struct err *e) MUST_CHECK;

struct machine_use {
    const struct machine *machine;
    unsigned char *used; /* [n_cost] */
};

int machine_use_begin(struct machine_use *u, const struct machine *m, struct err *e) MUST_CHECK;
void machine_use_end(struct machine_use *u);
/* A scalar of the wanted quantity, in base units; a complaint names the profile. */
int machine_value(struct machine_use *u, const char *name, enum quantity q, double *out,
                  struct err *e) MUST_CHECK;
int machine_ps(struct machine_use *u, const char *name, sim_cost *out, struct err *e) MUST_CHECK;
int machine_table(struct machine_use *u, const char *name, const struct machine_cost **out,
                  struct err *e) MUST_CHECK;
/* Piecewise linear in integers; flat before the first knot, the last slope goes on after it. */
sim_cost machine_table_at(const struct machine_cost *t, uint64_t x);
/* Records how many of the used constants are measured, published and assumed, and one incident
 * of kind "assumed" for each assumed one: name, value, why. */
void machine_use_report(const struct machine_use *u, struct measures *out);

#endif
