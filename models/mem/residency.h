/* residency.h - how much of each kind of line an LRU cache holds.
 *
 * Che's approximation (Che, Tung, Wang, JSAC 2002): a line that is used with
 * rate r per access is found with probability 1 - exp(-r T), where T makes
 * the expected number of lines held equal to the capacity.  Kinds are groups
 * of lines that are used alike: data, and page-table entries by level.      */
#ifndef MODELS_MEM_RESIDENCY_H
#define MODELS_MEM_RESIDENCY_H

struct residency_kind {
    double lines; /* how many there are */
    double rate;  /* uses per access, of the whole kind */
    double hit;   /* filled: probability to be found */
};

/* lines: capacity of the cache.  Everything fits: hit is 1 throughout. */
void residency(struct residency_kind *kind, int n, double lines);

#endif
