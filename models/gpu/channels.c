#include "models/gpu/channels.h"

#include <stdlib.h>
#include <string.h>

struct held_row {
    struct plan_op op;
    struct plan_edge *edge;
    uint32_t cap;
    bool open; /* a launch whose operation has not come */
};
struct channel {
    uint64_t *command; /* [depth]: numbers of the last ones */
    uint64_t n;
};
struct channels {
    struct plan *plan;
    uint32_t depth, size; /* of the ring: a power of two */
    struct held_row *row;
    uint64_t out, in; /* numbers: the next to leave, the next to come */
    struct channel *channel;
    uint32_t n;
    bool ended;
};

int channels_new(struct channels **out, struct plan *p, uint32_t depth, struct err *e)
{
    struct channels *c = *out = calloc(1, sizeof *c);
    if (!c)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    c->plan = p;
    c->depth = depth;
    for (c->size = 64; depth && c->size < 4 * (uint64_t)depth; c->size *= 2)
        ;
    c->row = calloc(c->size, sizeof *c->row);
    if (c->row)
        return 0;
    channels_free(c);
    *out = NULL;
    return err_set(e, ERR_ENOMEM, "gpu: out of memory");
}

void channels_free(struct channels *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; c->row && i < c->size; i++)
        free(c->row[i].edge);
    for (uint32_t i = 0; i < c->n; i++)
        free(c->channel[i].command);
    free(c->row);
    free(c->channel);
    free(c);
}

static struct held_row *row_of(const struct channels *c, uint64_t number)
{
    return &c->row[number & (c->size - 1)];
}

static bool room(struct held_row *r, uint32_t edges)
{
    if (edges <= r->cap)
        return true;
    struct plan_edge *more = realloc(r->edge, 2 * edges * sizeof *more);
    if (!more)
        return false;
    r->edge = more;
    r->cap = 2 * edges;
    return true;
}

static bool hold(struct channels *c, const struct plan_op *op)
{
    struct held_row *r = row_of(c, c->in);
    if (!room(r, op->n_edges))
        return false;
    r->op = *op;
    if (op->n_edges)
        memcpy(r->edge, op->edge, op->n_edges * sizeof *op->edge);
    r->open = op->kind == TRACE_OP_LAUNCH;
    return true;
}

static struct channel *channel_of(struct channels *c, uint32_t queue)
{
    if (queue >= c->n) {
        uint32_t n = queue + 8;
        struct channel *more = realloc(c->channel, n * sizeof *more);
        if (!more)
            return NULL;
        memset(more + c->n, 0, (n - c->n) * sizeof *more);
        c->channel = more;
        c->n = n;
    }
    struct channel *k = &c->channel[queue];
    if (!k->command)
        k->command = malloc(c->depth * sizeof *k->command);
    return k->command ? k : NULL;
}

/* Its launch waits for the command that has its place in the channel. */
static bool enter(struct channels *c, const struct plan_op *op)
{
    struct channel *k = channel_of(c, op->queue);
    if (!k)
        return false;
    uint64_t *place = &k->command[k->n % c->depth];
    const bool full = k->n++ >= c->depth;
    const uint64_t before = *place;
    *place = c->in;
    for (uint32_t i = 0; i < op->n_edges; i++) {
        const uint64_t launch = op->edge[i].from;
        struct held_row *r = row_of(c, launch);
        if (!op->edge[i].begun || launch < c->out || !r->open)
            continue;
        r->open = false;
        if (!full || before >= launch)
            continue;
        if (!room(r, r->op.n_edges + 1))
            return false;
        r->edge[r->op.n_edges++] = (struct plan_edge){.from = before};
    }
    return true;
}

/* 1: it has come and stays; 2: it goes at once. */
static int come(struct channels *c, struct plan_op *op, struct err *e)
{
    const bool empty = c->in == c->out, launch = op->kind == TRACE_OP_LAUNCH;
    const bool held = !empty || launch;
    if ((op->kind <= TRACE_OP_COMM && !enter(c, op)) || (held && !hold(c, op)))
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    c->in++;
    c->out += !held;
    return held ? 1 : 2;
}

int channels_next(struct channels *c, struct plan_op *out, struct err *e)
{
    if (!c->depth)
        return plan_next(c->plan, out, e);
    while (c->in == c->out || (row_of(c, c->out)->open && c->in - c->out < c->size && !c->ended)) {
        int rc = c->ended ? 0 : plan_next(c->plan, out, e);
        if (rc < 0 || (!rc && c->in == c->out))
            return rc;
        c->ended = !rc;
        if (rc && (rc = come(c, out, e)) != 1)
            return rc == 2 ? 1 : rc;
    }
    struct held_row *r = row_of(c, c->out++);
    *out = r->op;
    out->edge = r->edge;
    return 1;
}
