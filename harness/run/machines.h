/* machines.h - the machine profiles that an experiment's combinations name.
 *
 * Reading a profile and its parts takes longer than many a trial.  An experiment keeps the last few
 * that were asked for: what was checked before the first trial is what all trials run on, whatever
 * becomes of the files meanwhile. */
#ifndef HARNESS_RUN_MACHINES_H
#define HARNESS_RUN_MACHINES_H

#include "sim/err.h"

struct experiment;
struct machine;
struct setup;

struct machines;
int machines_open(struct machines **k, struct err *e) MUST_CHECK; /* of an experiment; empty */
void machines_free(struct machines *k);                           /* NULL is fine */

/* The machine of one combination, scaled as it says; to machine_free.  No machine: NULL.  text (may
 * be NULL): the profile's canonical JSON before scaling, malloc'd; "" for no machine. */
int machines_get(const struct experiment *x, const struct setup *s, struct machine **m, char **text,
                 struct err *e) MUST_CHECK;

#endif
