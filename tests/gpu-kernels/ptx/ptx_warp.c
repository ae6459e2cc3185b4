/* ptx_warp.c - operations that the lanes of a warp do together. */
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

static void shuffle(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in,
                    uint32_t members)
{
    const bool exchange = in->op->kind == PTX_SHUFFLE_XOR; /* else from the lane named */
    const struct ptx_operand *o = in->operand;
    ptx_lanes value;
    for (int l = 0; l < 32; l++)
        value[l] = ptx_value(r, w, l, &o[1]);
    for (int l = 0; l < 32; l++) {
        if (!(members >> l & 1))
            continue;
        int from = (exchange ? l : 0) ^ (int)(uint32_t)ptx_value(r, w, l, &o[2]);
        if (ptx_value(r, w, l, &o[3]) != 31) /* segments of a warp: not used, not tested */
            ptx_fault(r, w, l, in, "shuffles within a part of the warp");
        else if (from < 0 || from > 31 || !(members >> from & 1))
            ptx_fault(r, w, l, in, "shuffles from lane %d, which is not there", from);
        else
            w->regs[o[0].reg[0]][l] = value[from];
        if (o[0].count == 2)
            w->regs[o[0].reg[1]][l] = 1;
    }
}

/* The same result for all: a bit for each lane whose predicate holds, or the sum. */
static void gather(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in,
                   uint32_t members)
{
    uint32_t all = 0;
    for (int l = 0; l < 32; l++) {
        const uint32_t v = (uint32_t)ptx_value(r, w, l, &in->operand[1]);
        if (members >> l & 1)
            all += in->op->kind == PTX_BALLOT ? (v & 1) << l : v;
    }
    for (int l = 0; l < 32; l++)
        if (members >> l & 1)
            w->regs[in->operand[0].reg[0]][l] = all;
}

/* D = A B + C; who holds what: PTX ISA, fragments of mma.m16n8k32. */
static void mma_s8(struct ptx_warp *w, const struct ptx_ins *in)
{
    const struct ptx_operand *d = &in->operand[0], *a = d + 1, *b = d + 2, *c = d + 3;
    int8_t left[16][32], right[32][8];
    int32_t sum[16][8];
    for (int l = 0; l < 32; l++) {
        const int g = l / 4, q = l % 4;
        for (int i = 0; i < 4; i++) {
            uint64_t v = w->regs[a->reg[i]][l];
            for (int byte = 0; byte < 4; byte++)
                left[g + (i & 1) * 8][(i >> 1) * 16 + q * 4 + byte] = (int8_t)(v >> 8 * byte);
            sum[g + (i >> 1) * 8][q * 2 + (i & 1)] = (int32_t)(uint32_t)w->regs[c->reg[i]][l];
        }
        for (int i = 0; i < 2; i++)
            for (int byte = 0; byte < 4; byte++)
                right[i * 16 + q * 4 + byte][g] = (int8_t)(w->regs[b->reg[i]][l] >> 8 * byte);
    }
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 8; column++)
            for (int k = 0; k < 32; k++)
                sum[row][column] += left[row][k] * right[k][column];
    for (int l = 0; l < 32; l++)
        for (int i = 0; i < 4; i++)
            w->regs[d->reg[i]][l] = (uint32_t)sum[l / 4 + (i >> 1) * 8][l % 4 * 2 + (i & 1)];
}

static uint32_t members_of(const struct ptx_run *r, const struct ptx_warp *w,
                           const struct ptx_ins *in, int lane)
{
    if (in->op->kind == PTX_MMA_S8)
        return ~0u & w->lanes;
    const enum ptx_kind kind = in->op->kind;
    int mask_at = kind == PTX_SHUFFLE_XOR || kind == PTX_SHUFFLE_FROM ? 4
                  : kind == PTX_WARP_SYNC                             ? 0
                                                                      : 2;
    return (uint32_t)ptx_value(r, w, lane, &in->operand[mask_at]) & w->lanes;
}

static void perform(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in,
                    uint32_t members)
{
    if (in->op->kind == PTX_SHUFFLE_XOR || in->op->kind == PTX_SHUFFLE_FROM)
        shuffle(r, w, in, members);
    else if (in->op->kind == PTX_BALLOT || in->op->kind == PTX_WARP_SUM)
        gather(r, w, in, members);
    else if (in->op->kind == PTX_MMA_S8)
        mma_s8(w, in);
    else
        for (int l = 0; l < 32; l++)
            w->syncs[l] += members >> l & 1;
    for (int l = 0; l < 32; l++)
        if (members >> l & 1) {
            w->state[l] = PTX_RUNS;
            w->pc[l]++;
        }
}

void ptx_warp_op(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in, uint32_t running)
{
    int first = __builtin_ctz(running), pc = w->pc[first];
    uint32_t members = members_of(r, w, in, first), here = running, gone = 0;
    for (int l = 0; l < 32; l++) {
        here |= (uint32_t)(w->state[l] == PTX_AT_WARP && w->pc[l] == pc) << l;
        gone |= (uint32_t)(w->state[l] == PTX_GONE && (w->lanes >> l & 1)) << l;
    }
    if (members & gone)
        ptx_fault(r, w, first, in, "waits for lanes %08x, which have left the kernel",
                  members & gone);
    else if (running & ~members)
        ptx_fault(r, w, first, in, "lanes %08x are outside the mask they pass", running & ~members);
    else if ((here & members) == members)
        perform(r, w, in, members);
    else
        for (int l = 0; l < 32; l++)
            if (running >> l & 1)
                w->state[l] = PTX_AT_WARP;
}
