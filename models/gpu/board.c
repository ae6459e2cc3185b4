#include "models/gpu/board.h"

#include <stdlib.h>

struct board_seat {
    struct board *board;
    struct board_seat *next;
    struct gpu_tenant tenant;
    struct dispatch_queue *queue;
    int32_t prio;
    uint64_t memory;
    bool left;
};
struct board {
    struct board_want want;
    struct sim *sim;
    struct device *device;
    struct dispatch *dispatch;
    struct share *share;
    struct board_seat *seats;
    uint32_t partition[GPU_PARTITIONS_MAX], taken;
};

static enum device_turns turns_of(enum gpu_sharing s)
{
    switch (s) {
    case SHARING_MPS:
    case SHARING_DISPATCH:
        return DEVICE_TOGETHER;
    case SHARING_VGPU_EQUAL:
    case SHARING_VGPU_FIXED:
        return DEVICE_TURNS_FIX;
    default:
        return DEVICE_TURNS;
    }
}

static sim_time slice_of(const struct board *b, uint32_t weight)
{
    const struct gpu_setup *set = b->want.set;
    sim_time slice = set->timeslice ? set->timeslice : b->want.params->timeslice / 1000;
    slice = slice * weight / 1024;
    return slice ? slice : 1;
}

/* ---- the device and its parts ---------------------------------------------------------- */

static int cut(struct board *b, struct err *e)
{
    const struct gpu_setup *set = b->want.set;
    const enum device_turns turns = turns_of(b->want.sharing);
    const struct device_partition_want all = {0};
    if (b->want.sharing != SHARING_MIG)
        return device_partition(b->device, &all, turns, &b->partition[0], e);
    int rc = 0;
    for (uint32_t i = 0; !rc && i < set->partitions; i++)
        rc = device_partition(b->device, &set->partition[i], turns, &b->partition[i], e);
    return rc;
}

static uint32_t tenants_of(const struct gpu_setup *set)
{
    uint32_t n = 0;
    for (size_t i = 0; i < set->clients; i++)
        n += set->client[i].copies;
    return n ? n : 1;
}

static bool in_front(struct board *b)
{
    const struct board_want *w = &b->want;
    const struct dispatch_params d = {w->number,       b->partition[0],
                                      w->params->sms,  w->per_command,
                                      w->infer,        w->set->infer.mode == MLAAS_ASYNC,
                                      w->dispatch_life};
    if (w->sharing == SHARING_DISPATCH &&
        !(b->dispatch = dispatch_new(b->sim, b->device, &d, w->dispatch)))
        return false;
    bool time = w->sharing == SHARING_TIME_SLICE;
    if (!w->share || (!time && w->sharing != SHARING_MPS))
        return true;
    const struct share_params s = {
        time ? POLICY_SHARE_TIME : POLICY_SHARE_SMS, w->params->sms, w->set->share_period,
        tenants_of(w->set) * slice_of(b, 1024),      w->infer,       w->share_life};
    return (b->share = share_new(b->sim, b->device, &s, w->share)) != NULL;
}

int board_new(struct board **out, struct sim *s, const struct board_want *w, struct err *e)
{
    struct board *b = *out = calloc(1, sizeof *b);
    if (!b)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    b->want = *w;
    b->sim = s;
    int rc = device_new(&b->device, s, w->params, e);
    if (!rc)
        rc = cut(b, e);
    if (!rc && !in_front(b))
        rc = err_set(e, ERR_ENOMEM, "gpu: out of memory");
    if (!rc)
        return 0;
    board_free(b);
    *out = NULL;
    return rc;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    share_free(b->share);
    dispatch_free(b->dispatch);
    if (b->device)
        device_free(b->device);
    for (struct board_seat *s; (s = b->seats);) {
        b->seats = s->next;
        free(s);
    }
    free(b);
}

struct device *board_device(const struct board *b)
{
    return b->device;
}

uint32_t board_taken(const struct board *b)
{
    return b->taken;
}

sim_cost board_dispatching(const struct board *b)
{
    struct dispatch_use u = {0};
    if (b->dispatch)
        dispatch_used(b->dispatch, &u);
    return u.busy;
}

void board_stop(struct board *b)
{
    if (b->share)
        share_stop(b->share);
}

/* ---- seats -------------------------------------------------------------------------------- */

static int sit(struct board *b, const struct board_seat_want *w, struct board_seat *s,
               struct err *e)
{
    const struct device_context_want want = {
        .partition = b->partition[b->want.sharing == SHARING_MIG ? w->partition : 0],
        .sms_milli = w->sms_milli,
        .timeslice = slice_of(b, w->weight),
        .prio = w->prio};
    s->tenant = (struct gpu_tenant){.id = w->id, .prio = w->prio, .weight = w->weight};
    s->tenant.context = device_context(b->device, &want, e);
    if (!s->tenant.context)
        return e->code;
    s->queue = b->dispatch ? dispatch_queue(b->dispatch, &s->tenant, e) : NULL;
    return b->dispatch && !s->queue ? e->code : 0;
}

int board_seat(struct board *b, const struct board_seat_want *w, struct board_seat **out,
               bool *no_room, struct err *e)
{
    struct board_seat *s = *out = calloc(1, sizeof *s);
    *no_room = false;
    if (!s)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    s->board = b;
    s->prio = w->prio;
    s->memory = w->memory;
    s->next = b->seats;
    b->seats = s;
    int rc = sit(b, w, s, e);
    if (rc)
        return rc;
    b->taken++;
    if (w->memory && !device_alloc(s->tenant.context, w->memory)) {
        *no_room = s->left = true;
        *out = NULL;
        return 0;
    }
    return b->share ? share_come(b->share, &s->tenant, w->sms_milli, e) : 0;
}

int board_lane(struct board_seat *s, struct lane *lane, struct err *e)
{
    if (s->queue)
        lane->dispatched = dispatch_stream(s->queue, s->prio, e);
    else
        lane->stream = device_stream(s->tenant.context, s->prio, e);
    return lane->dispatched || lane->stream ? 0 : e->code;
}

void board_request(struct board_seat *s, sim_time came, sim_time deadline)
{
    gpu_tenant_request(&s->tenant, came, deadline);
    if (s->board->dispatch)
        dispatch_news(s->board->dispatch);
}

void board_expect(struct board_seat *s, sim_time next)
{
    s->tenant.next_ns = next;
}

void board_answered(struct board_seat *s, sim_time now)
{
    gpu_tenant_answered(&s->tenant, now);
    if (s->board->dispatch)
        dispatch_news(s->board->dispatch);
}

void board_away(struct board_seat *s)
{
    if (s->memory)
        device_release(s->tenant.context, s->memory);
}

bool board_back(struct board_seat *s)
{
    return !s->memory || device_alloc(s->tenant.context, s->memory);
}

void board_leave(struct board_seat *s)
{
    if (s->board->share && !s->left)
        share_go(s->board->share, &s->tenant);
    s->left = true;
}
