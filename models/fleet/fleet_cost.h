/* fleet_cost.h - how long one iteration of an engine takes, of three kinds.
 *
 * llm     the machine profile's llm.MODEL (models/llm_cost.h), and the host's work between two
 *         iterations as model "serve" has it: the same numbers, in one piece
 * linear  DistServe's formula (OSDI'24, simdistserve): prompts a + b sum(n) + c sum(n^2); decoding
 *         a + b sum(context) + c batch, with other coefficients from a batch size on
 * curve   Splitwise's (ISCA'24, splitwise-sim): a piecewise linear function of the tokens in the
 *         batch for prompts, another for decoding; both in one iteration cost the prompts'
 * times 1.1
 *
 * All in integer picoseconds; the cost of k iterations of the same decoding batch is a closed form:
 * each costs `growth` more than the one before, up to the next bend of a table.                 */
#ifndef MODELS_FLEET_COST_H
#define MODELS_FLEET_COST_H

#include "models/llm_cost.h"
#include "models/model.h"
#include "models/stack.h"

struct fleet_batch {
    struct llm_batch llm;
    uint64_t squares; /* sum over the prompt parts of their tokens squared */
};

struct fleet_linear { /* ps, ps per unit; a fit may have some below zero */
    int64_t prompt[3], decode[3], large[3];
    uint64_t large_from; /* decoding sequences */
};

#define FLEET_KNOTS 64
struct fleet_curve { /* y over x; the first and last slope go on outside */
    uint32_t n;
    uint64_t x[FLEET_KNOTS];
    int64_t y[FLEET_KNOTS]; /* ps */
};

enum fleet_cost_kind { FLEET_LLM, FLEET_LINEAR, FLEET_CURVE };
struct fleet_cost {
    enum fleet_cost_kind kind;
    struct llm_cost llm;
    sim_cost step, seq; /* llm: of the host, per iteration and per sequence in it */
    sim_cost launch, complete;
    bool graphs, overlap;
    struct fleet_linear linear;
    struct fleet_curve *prompt, *token;
};

struct fleet_time {
    sim_cost all;  /* of one iteration, from its beginning to the next */
    sim_cost gpu;  /* of it, the GPU's part; the whole where a measured time does not say */
    sim_cost most; /* growth below 0: an iteration may lose so much before the host is the slower */
    int64_t growth;    /* of every further one with the same decoding sequences */
    uint64_t straight; /* for so many iterations, this one among them; at least 1 */
};
sim_cost fleet_cost_host(const struct fleet_cost *c, const struct fleet_batch *b); /* llm */
struct fleet_time fleet_cost_iteration(const struct fleet_cost *c, const struct fleet_batch *b);

void fleet_curve_add(struct fleet_curve *k, uint64_t x, int64_t y); /* x ascending, room left */
sim_cost fleet_curve_at(const struct fleet_curve *k, uint64_t x);   /* never below 1 ps */

#endif
