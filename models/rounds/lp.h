/* lp.h - linear programs through GLPK: the only host of that library. */
#ifndef MODELS_ROUNDS_LP_H
#define MODELS_ROUNDS_LP_H

#include "policies/policy.h"

/* As policy_host.lp says: 0, 1 or -1.  The simplex method from the same start every time, on
 * integers and doubles alone; x is rounded to 2^-32, below which two builds of the library may
 * differ. */
int lp_solve(const struct policy_lp *program, double *x);

#endif
