#include "models/host/program.h"

#include <stdlib.h>
#include <string.h>

bool program_add(struct program *p, struct op op)
{
    if (p->n == PROGRAM_OPS_MAX)
        return false;
    if ((p->n & (p->n - 1)) == 0) { /* a power of two: full */
        struct op *grown = realloc(p->op, (p->n ? 2 * p->n : 1) * sizeof *grown);
        if (!grown)
            return false;
        p->op = grown;
    }
    p->op[p->n++] = op;
    return true;
}

/* Does this op take time in every state the machine can be in?  A loop without any never ends. */
static bool takes_time(const struct op *op)
{
    switch (op->kind) {
    case OP_compute:
    case OP_sleep:
        return op->ns > 0;
    case OP_syscall:
    case OP_read:
    case OP_write:
    case OP_fetch:
    case OP_send:
    case OP_receive:
    case OP_touch:
    case OP_launch:
    case OP_stage:
        return true;
    default:
        return false;
    }
}

const char *program_wrong(const struct program *p)
{
    int depth = 0, open = 0;
    bool timed[PROGRAM_DEPTH_MAX + 1] = {false};
    for (size_t i = 0; i < p->n; i++) {
        const struct op *op = &p->op[i];
        timed[depth] = timed[depth] || takes_time(op);
        if (op->kind == OP_loop) {
            if (++depth > PROGRAM_DEPTH_MAX)
                return "loops at most 8 deep";
            timed[depth] = false;
        } else if (op->kind == OP_end) {
            if (!timed[depth])
                return "an op that takes time in every loop";
            depth--;
            timed[depth] = true;
        } else if ((op->kind == OP_begin || op->kind == OP_receive) && open++) {
            return "a \"done\" before the next \"begin\" or \"receive\"";
        } else if (op->kind == OP_done && !open--) {
            return "a \"begin\" or \"receive\" before each \"done\"";
        }
    }
    return open ? "a \"done\" after each \"begin\" and \"receive\"" : NULL;
}

uint32_t workload_threads(const struct workload *w)
{
    uint32_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += w->crew[i].threads;
    return n;
}

void workload_free(struct workload *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->crew[i].program.op);
    *w = (struct workload){0};
}

const struct op *workload_batch(const struct workload *w, bool *several)
{
    const struct op *batch = NULL;
    *several = false;
    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->crew[i].program.n; k++) {
            const struct op *op = &w->crew[i].program.op[k];
            if (op->kind != OP_fetch)
                continue;
            *several |= batch && (batch->bytes != op->bytes || batch->count != op->count);
            batch = op;
        }
    return batch;
}
