/* client_state.h - what client.c and moves.c share.  Private to them. */
#ifndef MODELS_GPU_CLIENT_STATE_H
#define MODELS_GPU_CLIENT_STATE_H

#include "models/gpu/client.h"
#include "models/gpu/moves.h"
#include "models/gpu/timeline.h"
#include "sim/rng.h"

struct waiting { /* arrivals that found it busy */
    sim_time *at;
    uint64_t head, tail, cap;
};
struct client {
    struct gpu_run *run;
    const struct gpu_client_setup *set;
    const struct gpu_program *program;
    struct score *score;
    struct timeline *timeline;
    struct board_seat **seat; /* [program->devices] */
    struct lane *lane;        /* [program->queues] */
    struct client *next;
    struct rng arrivals;
    struct waiting waiting;
    uint64_t count;          /* iterations; 0: no end */
    uint64_t arrived, ended; /* iterations */
    sim_time came, began;    /* the one under way */
    sim_time from, to;       /* of what is measured: the first began, the last ended */
    enum gpu_arrival arrival;
    bool busy, done, no_room;
    struct move move;
};

/* client.c */
int client_sit(struct client *c, uint32_t device); /* seats from this device on */
int client_lane(struct client *c, uint32_t queue);
void client_again(struct client *c); /* an iteration that was due may begin */
void client_leave(struct client *c);

#endif
