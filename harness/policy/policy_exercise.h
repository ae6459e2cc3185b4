/* policy_exercise.h - a made-up server that asks a policy everything once:
 * arrivals, ranks, preempted requests that come back, completions.          */
#ifndef HARNESS_POLICY_POLICY_EXERCISE_H
#define HARNESS_POLICY_POLICY_EXERCISE_H

#include "models/policy_slot.h"

/* A hash of all answers: the same policy, seed and length give the same. */
uint64_t policy_exercise(struct policy_slot *slot, uint64_t seed, uint32_t requests);

#endif
