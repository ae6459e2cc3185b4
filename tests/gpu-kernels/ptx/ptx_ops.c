/* ptx_ops.c - what each opcode does to one lane; names are whole.
 *
 * Registers hold raw bits, zero-extended to 64.  Semantics: PTX ISA 7.4.     */
#include <math.h>
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

static float f32(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof v);
    return v;
}

static uint64_t bits(float v)
{
    uint32_t b;
    memcpy(&b, &v, sizeof b);
    return v == v ? b : 0x7fffffff; /* the NaN that hardware makes */
}

static uint32_t u32(uint64_t v)
{
    return (uint32_t)v;
}

static int32_t s32(uint64_t v)
{
    return (int32_t)(uint32_t)v;
}

/* ALU(name, value): value in terms of a, b, c, d. */
#define ALU(name, value)                                                                           \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c, uint64_t d)                           \
    {                                                                                              \
        (void)a, (void)b, (void)c, (void)d;                                                        \
        return value;                                                                              \
    }
ALU(mov_32, u32(a))
ALU(mov_64, a)
ALU(add_32, u32(a + b))
ALU(add_64, a + b)
ALU(sub_32, u32(a - b))
ALU(sub_64, a - b)
ALU(mul_lo_32, u32(a *b))
ALU(mul_lo_64, a *b)
ALU(mul_wide_u32, (uint64_t)u32(a) * u32(b))
ALU(mad_lo_32, u32(a *b + c))
ALU(div_u32, u32(b) ? u32(a) / u32(b) : UINT32_MAX)
ALU(rem_u32, u32(b) ? u32(a) % u32(b) : u32(a))
ALU(min_u32, u32(a) < u32(b) ? u32(a) : u32(b))
ALU(max_u32, u32(a) > u32(b) ? u32(a) : u32(b))
ALU(and_64, a &b)
ALU(or_64, a | b)
ALU(not_32, u32(~a))
ALU(not_pred, !a)
ALU(shl_32, u32(b) > 31 ? 0 : u32(a << b))
ALU(shl_64, u32(b) > 63 ? 0 : a << u32(b))
ALU(shr_u32, u32(b) > 31 ? 0 : u32(a) >> u32(b))
ALU(shr_u64, u32(b) > 63 ? 0 : a >> u32(b))
ALU(add_f32, bits(f32(a) + f32(b)))
ALU(sub_f32, bits(f32(a) - f32(b)))
ALU(div_f32, bits(f32(a) / f32(b)))
ALU(mul_f32, bits(f32(a) * f32(b)))
ALU(fma_f32, bits(fmaf(f32(a), f32(b), f32(c))))
ALU(neg_f32, f32(a) == f32(a) ? u32(a) ^ 0x80000000u : 0x7fffffff)
ALU(rcp_f32, bits(1.0f / f32(a)))
ALU(neg_32, u32(-a))
ALU(mov_pred, a & 1)
ALU(popc_32, (uint32_t)__builtin_popcount(u32(a)))
ALU(eq_64, a == b)
ALU(xor_32, u32(a ^ b))
ALU(le_u32, u32(a) <= u32(b))
ALU(cvt_f32_s32, bits((float)s32(a)))
ALU(eq_32, u32(a) == u32(b))
ALU(ne_32, u32(a) != u32(b))
ALU(lt_u32, u32(a) < u32(b))
ALU(ge_u32, u32(a) >= u32(b))
ALU(gt_u32, u32(a) > u32(b))
ALU(gt_f32, f32(a) > f32(b))
ALU(lt_f32, f32(a) < f32(b))
ALU(geu_f32, !(f32(a) < f32(b)))
ALU(num_f32, f32(a) == f32(a) && f32(b) == f32(b))
ALU(nan_f32, f32(a) != f32(a) || f32(b) != f32(b))
ALU(selp_64, c & 1 ? a : b)
ALU(selp_32, c & 1 ? u32(a) : u32(b))

/* The number of two wins over the NaN; +0 is above -0. */
static uint64_t extreme(uint64_t a, uint64_t b, bool max)
{
    float x = f32(a), y = f32(b);
    if (x != x || y != y)
        return x == x ? u32(a) : y == y ? u32(b) : 0x7fffffff;
    if (x == y)
        return (signbit(x) != 0) == max ? u32(b) : u32(a);
    return (x > y) == max ? u32(a) : u32(b);
}
ALU(max_f32, extreme(a, b, true))
ALU(min_f32, extreme(a, b, false))

static uint64_t bfe_u32(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)d;
    uint32_t from = b & 255, length = c & 255;
    uint64_t shifted = from > 31 ? 0 : u32(a) >> from;
    return length > 31 ? shifted : shifted & ((1u << length) - 1);
}

/* The lowest d bits of a in place of those of b from bit c on. */
static uint64_t bfi_b32(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint32_t from = c & 255, length = d & 255;
    uint64_t ones = length > 31 ? UINT32_MAX : (1u << length) - 1;
    if (from > 31)
        return u32(b);
    return u32((b & ~(ones << from)) | (a & ones) << from);
}

static uint64_t brev_32(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    uint64_t r = 0;
    for (int i = 0; i < 32; i++)
        r |= (a >> i & 1) << (31 - i);
    return r;
}

/* How far the highest one is from the top; of none, all ones. */
static uint64_t bfind_shift(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    return u32(a) ? (uint32_t)__builtin_clz(u32(a)) : UINT32_MAX;
}

/* Each nibble of c picks a byte of b:a, or (bit 3) its sign eight times. */
static uint64_t prmt(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)d;
    uint64_t pool = u32(a) | b << 32, r = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t pick = c >> 4 * i & 15;
        uint64_t byte = pool >> 8 * (pick & 7) & 255;
        r |= (pick & 8 ? (byte & 128 ? 255u : 0u) : byte) << 8 * i;
    }
    return r;
}

#define A1(name, f)                                                                                \
    {                                                                                              \
        name, PTX_ALU, 2, f, PTX_GLOBAL, 0, 0                                                      \
    }
#define A2(name, f)                                                                                \
    {                                                                                              \
        name, PTX_ALU, 3, f, PTX_GLOBAL, 0, 0                                                      \
    }
#define A3(name, f)                                                                                \
    {                                                                                              \
        name, PTX_ALU, 4, f, PTX_GLOBAL, 0, 0                                                      \
    }
#define A4(name, f)                                                                                \
    {                                                                                              \
        name, PTX_ALU, 5, f, PTX_GLOBAL, 0, 0                                                      \
    }
#define LD(name, space, size, count)                                                               \
    {                                                                                              \
        "ld." name, PTX_LOAD, 2, NULL, space, size, count                                          \
    }
#define ST(name, space, size, count)                                                               \
    {                                                                                              \
        "st." name, PTX_STORE, 2, NULL, space, size, count                                         \
    }
#define FLOW(name, kind, operands)                                                                 \
    {                                                                                              \
        name, kind, operands, NULL, PTX_GLOBAL, 0, 0                                               \
    }
const struct ptx_op ptx_ops[] = {
    A1("mov.u32", mov_32),
    A1("mov.f32", mov_32),
    A1("mov.b32", mov_32),
    A1("mov.u64", mov_64),
    A1("mov.b64", mov_64),
    A1("cvta.to.global.u64", mov_64),
    A1("cvta.global.u64", mov_64),
    A1("cvt.u64.u32", mov_32),
    A1("cvt.u32.u64", mov_32),
    A1("cvt.rn.f32.s32", cvt_f32_s32),
    A1("not.b32", not_32),
    A1("not.pred", not_pred),
    A2("add.s32", add_32),
    A2("add.s64", add_64),
    A2("add.u64", add_64),
    A2("sub.s32", sub_32),
    A2("sub.s64", sub_64),
    A2("mul.lo.s32", mul_lo_32),
    A2("mul.lo.s64", mul_lo_64),
    A2("mul.wide.u32", mul_wide_u32),
    A3("mad.lo.s32", mad_lo_32),
    A2("div.u32", div_u32),
    A2("rem.u32", rem_u32),
    A2("min.u32", min_u32),
    A2("max.u32", max_u32),
    A1("neg.s32", neg_32),
    A1("mov.pred", mov_pred),
    A1("popc.b32", popc_32),
    A1("brev.b32", brev_32),
    A1("bfind.shiftamt.u32", bfind_shift),
    A1("neg.f32", neg_f32),
    A1("rcp.rn.f32", rcp_f32),
    A2("xor.b32", xor_32),
    A2("and.b32", and_64),
    A2("and.b64", and_64),
    A2("and.pred", and_64),
    A2("or.b32", or_64),
    A2("or.b64", or_64),
    A2("or.pred", or_64),
    A2("shl.b32", shl_32),
    A2("shl.b64", shl_64),
    A2("shr.u32", shr_u32),
    A2("shr.u64", shr_u64),
    A2("add.rn.f32", add_f32),
    A2("add.f32", add_f32),
    A2("sub.rn.f32", sub_f32),
    A2("div.rn.f32", div_f32),
    A2("mul.rn.f32", mul_f32),
    A2("mul.f32", mul_f32),
    A2("max.f32", max_f32),
    A2("min.f32", min_f32),
    A3("fma.rn.f32", fma_f32),
    A3("bfe.u32", bfe_u32),
    A4("bfi.b32", bfi_b32),
    A3("prmt.b32", prmt),
    A3("selp.f32", selp_32),
    A3("selp.b32", selp_32),
    A3("selp.b64", selp_64),
    A3("selp.s32", selp_32),
    A3("selp.u32", selp_32),
    A2("setp.eq.b32", eq_32),
    A2("setp.eq.s32", eq_32),
    A2("setp.eq.s64", eq_64),
    A2("setp.ne.s32", ne_32),
    A2("setp.lt.u32", lt_u32),
    A2("setp.le.u32", le_u32),
    A2("setp.ge.u32", ge_u32),
    A2("setp.gt.u32", gt_u32),
    A2("setp.gt.f32", gt_f32),
    A2("setp.lt.f32", lt_f32),
    A2("setp.geu.f32", geu_f32),
    A2("setp.num.f32", num_f32),
    A2("setp.nan.f32", nan_f32),
    LD("param.u32", PTX_PARAM, 4, 1),
    LD("param.u64", PTX_PARAM, 8, 1),
    LD("param.f32", PTX_PARAM, 4, 1),
    LD("param.v2.u32", PTX_PARAM, 4, 2),
    LD("param.v2.f32", PTX_PARAM, 4, 2),
    LD("global.u32", PTX_GLOBAL, 4, 1),
    LD("global.f32", PTX_GLOBAL, 4, 1),
    LD("global.v2.u32", PTX_GLOBAL, 4, 2),
    LD("shared.u32", PTX_SHARED, 4, 1),
    LD("shared.f32", PTX_SHARED, 4, 1),
    LD("shared.v4.f32", PTX_SHARED, 4, 4),
    LD("shared.v2.u32", PTX_SHARED, 4, 2),
    LD("relaxed.sys.u64", PTX_GLOBAL, 8, 1),
    ST("global.f32", PTX_GLOBAL, 4, 1),
    ST("global.u32", PTX_GLOBAL, 4, 1),
    ST("shared.f32", PTX_SHARED, 4, 1),
    ST("shared.u32", PTX_SHARED, 4, 1),
    ST("shared.v2.u32", PTX_SHARED, 4, 2),
    ST("relaxed.sys.u64", PTX_GLOBAL, 8, 1),
    FLOW("bra", PTX_BRANCH, 1),
    FLOW("bra.uni", PTX_BRANCH, 1),
    FLOW("ret", PTX_RETURN, 0),
    FLOW("bar.sync", PTX_BARRIER, 1),
    FLOW("bar.warp.sync", PTX_WARP_SYNC, 1),
    FLOW("shfl.sync.bfly.b32", PTX_SHUFFLE_XOR, 5),
    FLOW("shfl.sync.idx.b32", PTX_SHUFFLE_FROM, 5),
    FLOW("vote.sync.ballot.b32", PTX_BALLOT, 3),
    FLOW("redux.sync.add.s32", PTX_WARP_SUM, 3),
    FLOW("redux.sync.add.u32", PTX_WARP_SUM, 3),
    FLOW("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", PTX_MMA_S8, 4),
    {NULL, PTX_ALU, 0, NULL, PTX_GLOBAL, 0, 0}};

const struct ptx_op *ptx_op_find(const char *name)
{
    for (const struct ptx_op *op = ptx_ops; op->name; op++)
        if (!strcmp(op->name, name))
            return op;
    return NULL;
}
