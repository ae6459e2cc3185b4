/* life_world.h - two CPUs, some VMs that ask a policy, and versions of it that do nothing but exist
 * and hand on one number: how often it was handed on. */
#ifndef TESTS_MODELS_LIFE_WORLD_H
#define TESTS_MODELS_LIFE_WORLD_H

#include "models/machine.h"
#include "models/policy_life.h"
#include "sim/rng.h"

#define LIFE_DECISIONS 400
#define LIFE_VMS       3

struct life_world {
    struct sim *sim;
    struct cores *cpu;
    struct policy_life *life;
    struct policy_plan plan;
    struct policy_slot slot[POLICY_VERSIONS];
    struct measures *out;
    struct machine *machine;
    struct machine_use use;
    struct rng rng;
    struct err e;
    struct question {
        struct policy_ticket t;
        uint32_t vm, asked, answered;
    } q[LIFE_DECISIONS];
    uint32_t changes;
    bool at_once; /* set before life_start */
};

/* In this order: open, what plan there shall be, start, questions, close. */
void life_open(struct life_world *w, uint64_t seed);
/* One more; standing: it is there from the beginning. */
void life_version(struct life_world *w, bool standing);
void life_start(struct life_world *w);
void life_close(struct life_world *w);

/* Events, of a decision: it is asked for, and at once or a little later answered; the answer. */
void life_question(void *world, uint64_t decision);
void life_effect(void *world, uint64_t decision);

/* The measure life.serve.batch.WHAT, which must be there. */
double life_number(struct life_world *w, const char *what);

#endif
