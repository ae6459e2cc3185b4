/* board.h - one GPU of a run, shared as the experiment says: its device, its partitions, and what
 * stands before it (the dispatcher, the shares).  Seats are its tenants.        */
#ifndef MODELS_GPU_BOARD_H
#define MODELS_GPU_BOARD_H

#include "models/gpu/dispatch.h"
#include "models/gpu/lane.h"
#include "models/gpu/setup.h"
#include "models/gpu/share.h"

struct board_want {
    const struct gpu_setup *set;
    const struct device_params *params;
    enum gpu_sharing sharing; /* may be other than the setup's: a tenant alone */
    uint32_t number;
    sim_cost per_command; /* of the dispatcher */
    struct policy_slot *dispatch, *share;
    struct policy_life *dispatch_life, *share_life; /* NULL: these for ever */
    struct mlaas *infer;                            /* what policies ask for costs; NULL: nothing */
};
struct board;
int board_new(struct board **b, struct sim *s, const struct board_want *w,
              struct err *e) MUST_CHECK;
void board_free(struct board *b); /* and its seats; NULL is fine */
struct device *board_device(const struct board *b);
uint32_t board_taken(const struct board *b);       /* seats */
sim_cost board_dispatching(const struct board *b); /* CPU time of its dispatcher, if any */
void board_stop(struct board *b);                  /* the run ends: nobody asks policies any more */

struct board_seat_want {
    uint32_t id, partition, weight, sms_milli;
    int32_t prio;
    uint64_t memory;
};
/* The tenant's place on a board.  Memory that is not there: *no_room, and no seat. */
struct board_seat;
int board_seat(struct board *b, const struct board_seat_want *w, struct board_seat **seat,
               bool *no_room, struct err *e) MUST_CHECK;
int board_lane(struct board_seat *s, struct lane *lane,
               struct err *e) MUST_CHECK; /* a stream of it */
void board_request(struct board_seat *s, sim_time came, sim_time deadline);
void board_expect(struct board_seat *s, sim_time next); /* gpu_tenant.next_ns */
void board_answered(struct board_seat *s, sim_time now);
/* Its memory is given back; is taken again, false: it is not there. */
void board_away(struct board_seat *s);
bool board_back(struct board_seat *s) MUST_CHECK;
void board_leave(struct board_seat *s); /* it does nothing any more */

#endif
