/* go_random.h - the random stream of Go's math/rand (its source since Go 1, as rand.Seed gives it).
 *
 * Published experiments were drawn with it; with the same seed theirs come out number for number.
 * It is an additive lagged Fibonacci generator, x[n] = x[n-607] + x[n-273] mod 2^64, whose state is
 * a seeded congruential sequence mixed with the state of an unseeded one after 7.8e12 steps.  That
 * state is not a table here: it is computed, by raising the recurrence to that power.
 * Not for anything new: sim/rng.h is the project's.                         */
#ifndef MODELS_CLUSTER_GO_RANDOM_H
#define MODELS_CLUSTER_GO_RANDOM_H

#include <stdint.h>

#define GO_RANDOM_LAG 607
struct go_random {
    uint64_t state[GO_RANDOM_LAG];
    uint32_t tap, feed;
};

void go_random_seed(struct go_random *r, int64_t seed); /* takes some 10 ms */
uint64_t go_random_u64(struct go_random *r);
uint32_t go_random_intn(struct go_random *r, uint32_t n); /* rand.Intn; n in 1..2^31-1 */
/* What rand.Shuffle draws for the element i = n-1 .. 1 to be swapped with: 0..i. */
uint32_t go_random_swap(struct go_random *r, uint32_t i);

#endif
