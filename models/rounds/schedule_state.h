/* schedule_state.h - what a round is made of; between schedule*.c only. */
#ifndef MODELS_ROUNDS_SCHEDULE_STATE_H
#define MODELS_ROUNDS_SCHEDULE_STATE_H

#include "models/rounds/schedule.h"

/* A job, or two together, and how it stands with its part of every type. */
struct turn {
    double part[RATES_TYPES_MAX];
    double had[RATES_TYPES_MAX]; /* seconds since parts were made, and half a round to begin with */
    double owed[RATES_TYPES_MAX]; /* seconds, from before parts were made */
};

struct live {
    uint64_t id;
    sim_time arrived, ends; /* ends: this round */
    uint32_t kind, gpus;
    double left, weight; /* steps */
    uint32_t type;       /* it ran there last; RATES_NONE */
    bool asked;          /* parts were made while it was there */
    bool runs;           /* in this round */
    double steps;        /* in this round */
    struct turn turn;
};

struct pair {
    uint64_t a, b; /* ids, a before b */
    struct turn turn;
};

struct candidate {
    double lag, owed, part;
    uint32_t at; /* a job's place, or from n_live on a pair's */
};

struct chosen {
    uint32_t at, type; /* as in candidate */
};

struct schedule {
    const struct schedule_set *set;
    struct schedule_stats *stats;
    struct live *live; /* [n_live], in order of arrival */
    struct pair *pair;
    struct candidate *candidate;
    struct chosen *chosen;
    struct policy_round_job *seen;
    struct policy_part *part;
    uint32_t n_live, live_room, n_pair, pair_room, n_chosen, most_parts, candidates;
    sim_time now, shared;
    struct carry carry;
    bool ever_shared, changed, ended;
    struct schedule_arrival next;
    bool more; /* next is there */
    struct pyrandom order;
};

/* The place of a job, or RATES_NONE. */
uint32_t schedule_find(const struct schedule *s, uint64_t id);

/* Asks the policy for parts. */
int schedule_share(struct schedule *s, struct err *e);
/* Who runs in the round that begins now: chosen[]. */
int schedule_choose(struct schedule *s, struct err *e);

#endif
