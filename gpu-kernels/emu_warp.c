/* emu_warp.c - operations of a warp: the last lane to arrive does them for all. */
#include "gpu-kernels/emu_block.h"

static void shuffle(struct emu_warp *w, uint32_t mask)
{
    uint32_t value[32];
    for (uint32_t l = 0; l < 32; l++)
        value[l] = w->operand[l].shuffle.value;
    for (uint32_t l = 0; l < 32; l++) {
        if (!(mask >> l & 1))
            continue;
        uint32_t from = w->operand[l].shuffle.from & 31;
        if (!(mask >> from & 1))
            emu_die("lane %u shuffles from lane %u, which is outside its mask %08x, at %s", l, from,
                    mask, emu_running->where);
        w->operand[l].shuffle.value = value[from];
    }
}

/* Every lane gets the same: whose values are not 0, or their sum. */
static void gather(struct emu_warp *w, uint32_t mask, bool sum)
{
    uint32_t all = 0;
    for (uint32_t l = 0; l < 32; l++)
        if (mask >> l & 1)
            all += sum ? w->operand[l].shuffle.value
                       : (uint32_t)(w->operand[l].shuffle.value != 0) << l;
    for (uint32_t l = 0; l < 32; l++)
        w->operand[l].shuffle.value = all;
}

/* Who holds what of A, B and C: PTX ISA, "matrix fragments for mma.m16n8k32". */
static void mma_s8(struct emu_warp *w)
{
    int8_t a[16][32], b[32][8];
    for (int l = 0; l < 32; l++) {
        const struct emu_mma *m = &w->operand[l].mma;
        const int g = l / 4, q = l % 4;
        for (int byte = 0; byte < 4; byte++) {
            for (int r = 0; r < 4; r++)
                a[g + r % 2 * 8][r / 2 * 16 + 4 * q + byte] = (int8_t)(m->a[r] >> 8 * byte);
            for (int r = 0; r < 2; r++)
                b[r * 16 + 4 * q + byte][g] = (int8_t)(m->b[r] >> 8 * byte);
        }
    }
    for (int l = 0; l < 32; l++)
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 32; k++)
                w->operand[l].mma.c[i] += a[l / 4 + i / 2 * 8][k] * b[k][2 * (l % 4) + i % 2];
}

static void check_arrival(const struct emu_warp *w, uint32_t lane, uint32_t mask, const char *where)
{
    if (!(mask >> lane & 1))
        emu_die("lane %u is outside the mask %08x it passes at %s", lane, mask, where);
    if (mask & w->done)
        emu_die("lane %u waits at %s for lanes %08x, which have left the kernel", lane, where,
                mask & w->done);
}

static void check_meeting(const struct emu_warp *w, uint32_t lane, uint32_t mask)
{
    for (uint32_t l = 0; l < 32; l++)
        if ((mask >> l & 1) && (w->mask[l] != mask || w->op[l] != w->op[lane]))
            emu_die("lanes %u and %u of a warp meet at different operations: %s, %s", lane, l,
                    emu_running->where, w->lanes[l].where);
}

static void perform(struct emu_warp *w, enum emu_op op, uint32_t mask)
{
    if (op == EMU_SHUFFLE)
        shuffle(w, mask);
    else if (op == EMU_MMA_S8)
        mma_s8(w);
    else if (op == EMU_BALLOT || op == EMU_SUM)
        gather(w, mask, op == EMU_SUM);
    w->arrived &= ~mask;
    for (uint32_t l = 0; l < w->count; l++)
        if ((mask >> l & 1) && w->lanes[l].state == EMU_AT_WARP)
            w->lanes[l].state = EMU_READY;
}

void emu_warp_op(uint32_t mask, enum emu_op op, union emu_operand *io, const char *where)
{
    struct emu_warp *w = emu_running->warp;
    const uint32_t lane = emu_self->lane;
    if (w->count < 32)
        mask &= (1u << w->count) - 1;
    emu_step(where);
    check_arrival(w, lane, mask, where);
    emu_running->where = where;
    w->mask[lane] = mask;
    w->op[lane] = op;
    if (io)
        w->operand[lane] = *io;
    w->arrived |= 1u << lane;
    if ((w->arrived & mask) == mask) {
        check_meeting(w, lane, mask);
        perform(w, op, mask);
    } else {
        emu_wait(EMU_AT_WARP, where);
    }
    if (io)
        *io = w->operand[lane];
}
