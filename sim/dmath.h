/* dmath.h - elementary functions with the same bits on every machine.
 *
 * Anything that reaches a result uses these and never libm's log or exp,
 * whose last bit differs between versions and processors.  Made of +, -, *, /
 * and integer steps only, so every compiler, optimisation level and
 * instruction set gives the same answer (the build forbids contraction).
 *
 * Error, measured against an 80-bit reference (tests/sim/test_dmath.c):
 * log, exp, pow, sinpi, cospi within 1 ulp; log1p, expm1 within 2 ulp.
 * Infinities, NaN, zeros and subnormals follow the C standard; errno and
 * flags are not set.                                                        */
#ifndef SIM_DMATH_H
#define SIM_DMATH_H

double dmath_log(double x);
double dmath_log1p(double x);
double dmath_exp(double x);
double dmath_expm1(double x);
double dmath_pow(double x, double y);
double dmath_sinpi(double x); /* sin(pi x): turns, not radians, reduce exactly */
double dmath_cospi(double x);

#endif
