/* test_ptx_ops.c - every opcode that the interpreter knows, by its results.
 *
 * Expected values follow the PTX ISA's definitions, worked out by hand.  The
 * last test holds the two tables together: no row here, not known there.    */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

#define ONE   "0f3F800000"
#define TWO   "0f40000000"
#define THREE "0f40400000"
#define NAN_  "0f7FC00001"
#define NZERO "0f80000000"

static const struct row {
    const char *op, *type, *a, *b, *c; /* type of the result: r (32 bits), rd (64), p */
    uint64_t want;
} rows[] = {
    {"mov.u32", "r", "4294967295", NULL, NULL, 0xffffffff},
    {"mov.f32", "r", ONE, NULL, NULL, 0x3f800000},
    {"mov.b32", "r", "0x12345678", NULL, NULL, 0x12345678},
    {"mov.u64", "rd", "0x123456789abcdef0", NULL, NULL, 0x123456789abcdef0},
    {"mov.b64", "rd", "-1", NULL, NULL, UINT64_MAX},
    {"cvta.to.global.u64", "rd", "0x7fff12345678", NULL, NULL, 0x7fff12345678},
    {"cvta.global.u64", "rd", "0x7fff12345678", NULL, NULL, 0x7fff12345678},
    {"cvt.u64.u32", "rd", "0xfffffffff0000000", NULL, NULL, 0xf0000000},
    {"cvt.u32.u64", "r", "0x123456789", NULL, NULL, 0x23456789},
    {"cvt.rn.f32.s32", "r", "-1", NULL, NULL, 0xbf800000},
    {"cvt.rn.f32.s32", "r", "16777217", NULL, NULL, 0x4b800000}, /* a tie, to even */
    {"not.b32", "r", "0x0f0f0f0f", NULL, NULL, 0xf0f0f0f0},
    {"not.pred", "p", "1", NULL, NULL, 0},
    {"add.s32", "r", "4294967295", "2", NULL, 1},
    {"add.s64", "rd", "0xffffffff", "1", NULL, 0x100000000},
    {"add.u64", "rd", "-1", "1", NULL, 0},
    {"sub.s32", "r", "1", "2", NULL, 0xffffffff},
    {"sub.s64", "rd", "0", "1", NULL, UINT64_MAX},
    {"mul.lo.s32", "r", "0x10001", "0x10001", NULL, 0x20001},
    {"mul.lo.s64", "rd", "0x100000000", "3", NULL, 0x300000000},
    {"mul.wide.u32", "rd", "0xffffffff", "0xffffffff", NULL, 0xfffffffe00000001},
    {"mad.lo.s32", "r", "3", "5", "-16", 0xffffffff},
    {"div.u32", "r", "0xfffffff0", "16", NULL, 0x0fffffff},
    {"rem.u32", "r", "0xffffffff", "16", NULL, 15},
    {"min.u32", "r", "0x80000000", "1", NULL, 1},
    {"max.u32", "r", "0x80000000", "1", NULL, 0x80000000},
    {"min.u32", "r", "0x80000000", "1", NULL, 1},
    {"neg.s32", "r", "5", NULL, NULL, 0xfffffffb},
    {"mov.pred", "p", "-1", NULL, NULL, 1},
    {"popc.b32", "r", "0xf00f0001", NULL, NULL, 9},
    {"brev.b32", "r", "0x80000003", NULL, NULL, 0xc0000001},
    {"bfind.shiftamt.u32", "r", "0x00010000", NULL, NULL, 15}, /* bit 16, 15 below the top */
    {"bfind.shiftamt.u32", "r", "0", NULL, NULL, 0xffffffff},
    {"and.b32", "r", "0xff00ff00", "0x0ff00ff0", NULL, 0x0f000f00},
    {"and.b64", "rd", "0xff000000000000ff", "0xf0000000000000f0", NULL, 0xf0000000000000f0},
    {"and.pred", "p", "1", "0", NULL, 0},
    {"or.b32", "r", "0xf0", "0x0f", NULL, 0xff},
    {"or.b64", "rd", "0xf000000000000000", "1", NULL, 0xf000000000000001},
    {"or.pred", "p", "1", "0", NULL, 1},
    {"shl.b32", "r", "0xffffffff", "4", NULL, 0xfffffff0},
    {"shl.b32", "r", "1", "32", NULL, 0}, /* amounts clamp, they do not wrap */
    {"shl.b64", "rd", "1", "63", NULL, 0x8000000000000000},
    {"shr.u32", "r", "0x80000000", "31", NULL, 1},
    {"shr.u32", "r", "0x80000000", "32", NULL, 0},
    {"shr.u64", "rd", "0x8000000000000000", "63", NULL, 1},
    {"shr.u64", "rd", "0x8000000000000000", "64", NULL, 0},
    {"add.rn.f32", "r", ONE, "0f33800000", NULL, 0x3f800000}, /* 1 + 2^-24: a tie, to even */
    {"add.f32", "r", ONE, ONE, NULL, 0x40000000},
    {"sub.rn.f32", "r", ONE, "0fB3000000", NULL, 0x3f800000}, /* half of the last bit: to even */
    {"sub.rn.f32", "r", ONE, THREE, NULL, 0xc0000000},
    {"div.rn.f32", "r", TWO, THREE, NULL, 0x3f2aaaab}, /* rounded up */
    {"div.rn.f32", "r", NZERO, ONE, NULL, 0x80000000},
    {"div.rn.f32", "r", ONE, NZERO, NULL, 0xff800000},
    {"div.rn.f32", "r", NZERO, NZERO, NULL, 0x7fffffff},
    {"mul.rn.f32", "r", TWO, THREE, NULL, 0x40c00000},
    {"mul.f32", "r", "0f00800000", "0f3F000000", NULL, 0x00400000}, /* denormals are kept */
    {"max.f32", "r", NAN_, ONE, NULL, 0x3f800000},
    {"max.f32", "r", NZERO, "0f00000000", NULL, 0},
    {"max.f32", "r", NAN_, NAN_, NULL, 0x7fffffff},
    {"min.f32", "r", "0f00000000", NZERO, NULL, 0x80000000},
    {"min.f32", "r", TWO, NAN_, NULL, 0x40000000},
    {"fma.rn.f32", "r", "0f3F800001", "0f3F800001", "0fBF800002", 0x28800000}, /* one rounding */
    {"neg.f32", "r", ONE, NULL, NULL, 0xbf800000},
    {"neg.f32", "r", "0f00000000", NULL, NULL, 0x80000000},
    {"rcp.rn.f32", "r", THREE, NULL, NULL, 0x3eaaaaab}, /* a third, rounded up */
    {"rcp.rn.f32", "r", "0f00000000", NULL, NULL, 0x7f800000},
    {"xor.b32", "r", "0xff00ff00", "0x0ff00ff0", NULL, 0xf0f0f0f0},
    {"bfe.u32", "r", "0x12345678", "8", "12", 0x456},
    {"bfe.u32", "r", "0xffffffff", "40", "4", 0},
    {"bfi.b32", "r", "0x12345678", "0xffffffff", "8, 12", 0xfff678ff},
    {"bfi.b32", "r", "7", "0", "30, 5", 0xc0000000}, /* what does not fit is cut off */
    {"bfi.b32", "r", "7", "0x1234", "40, 4", 0x1234},
    {"bfi.b32", "r", "7", "0x1234", "4, 0", 0x1234},
    {"prmt.b32", "r", "0x44332211", "0x88776655", "0x7610", 0x88772211},
    {"prmt.b32", "r", "0x44332281", "0x88776655", "0x5518", 0x666622ff},
    {"selp.f32", "r", ONE, TWO, "0", 0x40000000},
    {"selp.b32", "r", "7", "9", "1", 7},
    {"selp.s32", "r", "-1", "0", "1", 0xffffffff},
    {"selp.u32", "r", "-1", "5", "0", 5},
    {"setp.eq.b32", "p", "-1", "0xffffffff", NULL, 1},
    {"selp.b64", "rd", "0x700000000", "0x900000000", "0", 0x900000000},
    {"setp.eq.s64", "p", "0x100000005", "5", NULL, 0},
    {"setp.eq.s64", "p", "-1", "-1", NULL, 1},
    {"setp.eq.s32", "p", "5", "5", NULL, 1},
    {"selp.u32", "r", "7", "9", "0", 9},
    {"setp.eq.s64", "p", "0x100000005", "5", NULL, 0},
    {"setp.ne.s32", "p", "5", "5", NULL, 0},
    {"setp.lt.u32", "p", "1", "0xffffffff", NULL, 1},
    {"setp.le.u32", "p", "1", "1", NULL, 1},
    {"setp.le.u32", "p", "0xffffffff", "1", NULL, 0},
    {"setp.ge.u32", "p", "1", "0xffffffff", NULL, 0},
    {"setp.gt.u32", "p", "0xffffffff", "1", NULL, 1},
    {"setp.gt.f32", "p", NAN_, ONE, NULL, 0},
    {"setp.lt.f32", "p", NZERO, "0f00000000", NULL, 0},
    {"setp.geu.f32", "p", NAN_, ONE, NULL, 1},
    {"setp.geu.f32", "p", NZERO, "0f00000000", NULL, 1},
    {"setp.geu.f32", "p", ONE, TWO, NULL, 0},
    {"setp.num.f32", "p", ONE, NAN_, NULL, 0},
    {"setp.nan.f32", "p", ONE, NAN_, NULL, 1},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const char head[] = ".version 7.4\n.target sm_80\n.address_size 64\n"
                           ".visible .entry k(\n.param .align 8 .b8 k_param_0[24]\n)\n{\n"
                           ".shared .align 16 .b8 s[4096];\n"
                           "ld.param.u64 %rd1, [k_param_0];\n"
                           "ld.param.u64 %rd2, [k_param_0+8];\n"
                           "mov.u32 %r90, %tid.x;\nmul.wide.u32 %rd3, %r90, 16;\n"
                           "add.s64 %rd1, %rd1, %rd3;\nadd.s64 %rd2, %rd2, %rd3;\n";

struct io {
    uint32_t in[32][4], out[32][4];
};

/* Runs `body` on 32 threads; %rd1 and %rd2 point at this thread's in and out. */
static int run(const char *body, struct io *io, char *why, size_t n)
{
    char text[4096];
    const struct {
        void *in, *out;
        uint32_t u, f;
    } args = {io->in, io->out, 77, 0x40490fdb};
    snprintf(text, sizeof text, "%s%s\nret;\n}\n", head, body);
    struct ptx_module *m = ptx_load(text, why, n);
    if (!m)
        return -1;
    struct ptx_launch l = {"k", 1, 32, &args, sizeof args, 10000, 0};
    ptx_memory_add(io->in, sizeof io->in);
    ptx_memory_add(io->out, sizeof io->out);
    int bad = ptx_launch(m, &l, why, n);
    ptx_memory_remove(io->in);
    ptx_memory_remove(io->out);
    ptx_free(m);
    return bad;
}

static void works(const char *body, struct io *io)
{
    char why[512] = "";
    cr_assert_eq(run(body, io, why, sizeof why), 0, "%s", why);
}

ParameterizedTestParameters(kernels_ptx_ops, lane_by_lane)
{
    static int index[ROWS];
    for (int i = 0; i < ROWS; i++)
        index[i] = i;
    return cr_make_param_array(int, index, ROWS);
}
ParameterizedTest(const int *i, kernels_ptx_ops, lane_by_lane)
{
    const struct row *r = &rows[*i];
    struct io io = {0};
    char body[512], sources[256];
    snprintf(sources, sizeof sources, "%s%s%s%s%s", r->a, r->b ? ", " : "", r->b ? r->b : "",
             r->c ? ", " : "", r->c ? r->c : "");
    snprintf(body, sizeof body,
             "%s %%%s50, %s;\nst.global.u32 [%%rd2], %%%s50;\n"
             "bfe.u32 %%r51, 0, 0, 0;\n",
             r->op, r->type, sources, r->type);
    works(body, &io);
    cr_expect_eq(io.out[3][0], (uint32_t)r->want, "%s %s gives %08x, want %08x", r->op, sources,
                 io.out[3][0], (uint32_t)r->want);
    /* The upper half, by way of the operation itself. */
    const struct ptx_op *op = ptx_op_find(r->op);
    uint64_t v[4] = {0};
    const char *fourth = r->c ? strchr(r->c, ',') : NULL; /* "c, d" */
    const char *texts[] = {r->a, r->b, r->c, fourth ? fourth + 2 : NULL};
    for (int j = 0; j < 4 && texts[j]; j++)
        v[j] = !strncmp(texts[j], "0f", 2) ? strtoull(texts[j] + 2, NULL, 16)
                                           : strtoull(texts[j], NULL, 0);
    cr_expect_eq(op->alu(v[0], v[1], v[2], v[3]), r->want, "%s gives other upper bits", r->op);
}

Test(kernels_ptx_ops, loads_and_stores_move_what_they_say)
{
    struct io io = {0};
    for (uint32_t i = 0; i < 32; i++)
        io.in[i][0] = 1000 + i;
    works("ld.global.u32 %r1, [%rd1];\nld.param.u32 %r2, [k_param_0+16];\n"
          "ld.param.v2.u32 {%r3, %r4}, [k_param_0+16];\n"
          "st.global.u32 [%rd2], %r1;\nst.global.u32 [%rd2+4], %r2;\nst.global.u32 [%rd2+8], %r4;\n"
          "ld.param.f32 %f1, [k_param_0+20];\nst.global.f32 [%rd2+12], %f1;",
          &io);
    for (uint32_t i = 0; i < 32; i++) {
        const uint32_t want[] = {1000 + i, 77, 0x40490fdb, 0x40490fdb};
        cr_expect_arr_eq(io.out[i], want, sizeof want, "thread %u", i);
    }
    works("ld.param.v2.f32 {%f1, %f2}, [k_param_0+16];\nst.global.f32 [%rd2], %f2;\n"
          "ld.global.f32 %f3, [%rd1+0];\nst.global.f32 [%rd2+4], %f3;",
          &io);
    cr_expect_eq(io.out[5][0], 0x40490fdb);
    cr_expect_eq(io.out[5][1], 1005);
    io.in[5][2] = 12, io.in[5][3] = 13;
    works("ld.global.v2.u32 {%r1, %r2}, [%rd1+8];\nst.global.u32 [%rd2], %r2;\n"
          "st.global.u32 [%rd2+4], %r1;",
          &io);
    cr_expect_eq(io.out[5][0], 13);
    cr_expect_eq(io.out[5][1], 12);
    io.in[5][1] = 7;
    works("ld.relaxed.sys.u64 %rd50, [%rd1];\nst.relaxed.sys.u64 [%rd2+8], %rd50;", &io);
    cr_expect_eq(io.out[5][2], 1005);
    cr_expect_eq(io.out[5][3], 7);
}

Test(kernels_ptx_ops, shared_memory_and_both_barriers)
{
    struct io io = {0};
    works(
        "mov.u32 %r1, s;\nshl.b32 %r2, %r90, 4;\nadd.s32 %r1, %r1, %r2;\n"
        "st.shared.u32 [%r1], %r90;\nst.shared.f32 [%r1+4], 0f3F800000;\n"
        "st.shared.u32 [%r1+8], 8;\nst.shared.u32 [%r1+12], 12;\nbar.sync 0;\n"
        "mov.u32 %r3, s;\nld.shared.v4.f32 {%f1, %f2, %f3, %f4}, [%r3+496];\n" /* thread 31's */
        "st.global.f32 [%rd2], %f1;\nst.global.f32 [%rd2+4], %f2;\n"
        "bar.warp.sync 0xffffffff;\nst.shared.u32 [%r1], %r90;" /* thread 31: after all read it */,
        &io);
    cr_expect_eq(io.out[0][0], 31);
    cr_expect_eq(io.out[0][1], 0x3f800000);
    works("mov.u32 %r1, s;\nshl.b32 %r2, %r90, 2;\nadd.s32 %r1, %r1, %r2;\nst.shared.u32 [%r1], "
          "5;\nld.shared.u32 %r2, [%r1];\n"
          "ld.shared.f32 %f2, [%r1];\nst.global.u32 [%rd2], %r2;",
          &io);
    works("mov.u32 %r1, s;\nshl.b32 %r2, %r90, 3;\nadd.s32 %r1, %r1, %r2;\n"
          "st.shared.v2.u32 [%r1], {%r90, %r2};\nld.shared.v2.u32 {%r3, %r4}, [%r1];\n"
          "st.global.u32 [%rd2], %r3;\nst.global.u32 [%rd2+4], %r4;",
          &io);
    cr_expect_eq(io.out[9][0], 9);
    cr_expect_eq(io.out[9][1], 72);
}

Test(kernels_ptx_ops, branches_follow_their_guards)
{
    struct io io = {0};
    works("setp.lt.u32 %p1, %r90, 10;\n@%p1 bra $L_low;\nmov.u32 %r1, 2;\nbra.uni $L_end;\n"
          "$L_low:\nmov.u32 %r1, 1;\n$L_end:\n@!%p1 add.s32 %r1, %r1, 100;\n"
          "st.global.u32 [%rd2], %r1;\n@%p1 ret;\nst.global.u32 [%rd2+4], 7;",
          &io);
    cr_expect_eq(io.out[9][0], 1);
    cr_expect_eq(io.out[10][0], 102);
    cr_expect_eq(io.out[9][1], 0);
    cr_expect_eq(io.out[10][1], 7);
}

Test(kernels_ptx_ops, a_shuffle_swaps_lanes)
{
    struct io io = {0};
    works("shfl.sync.bfly.b32 %r1|%p1, %r90, 5, 31, -1;\nst.global.u32 [%rd2], %r1;", &io);
    for (uint32_t i = 0; i < 32; i++)
        cr_expect_eq(io.out[i][0], i ^ 5);
}

Test(kernels_ptx_ops, lanes_read_others_vote_and_add)
{
    struct io io = {0};
    works("add.s32 %r2, %r90, 7;\nand.b32 %r2, %r2, 31;\n" /* the lane seven further, around */
          "shfl.sync.idx.b32 %r1|%p1, %r90, %r2, 31, -1;\nst.global.u32 [%rd2], %r1;\n"
          "setp.lt.u32 %p2, %r90, 5;\nvote.sync.ballot.b32 %r3, %p2, -1;\n"
          "st.global.u32 [%rd2+4], %r3;\nredux.sync.add.u32 %r4, %r90, -1;\n"
          "st.global.u32 [%rd2+8], %r4;\nredux.sync.add.s32 %r5, -3, -1;\n"
          "st.global.u32 [%rd2+12], %r5;",
          &io);
    for (uint32_t i = 0; i < 32; i++) {
        const uint32_t want[] = {(i + 7) % 32, 0x1f, 496, (uint32_t)-96};
        cr_expect_arr_eq(io.out[i], want, sizeof want, "lane %u", i);
    }
}

/* A = 1 in column k = lane-dependent places only where known: row g, k = 4q. */
Test(kernels_ptx_ops, mma_multiplies_matrices)
{
    struct io io = {0};
    /* every byte of A is 1; B byte (k, n) is n + 1, C is 1000: D[m][n] = 1000 + 32 (n + 1) */
    works("shr.u32 %r1, %r90, 2;\nadd.s32 %r1, %r1, 1;\nmul.lo.s32 %r1, %r1, 0x01010101;\n"
          "mov.u32 %r2, 0x01010101;\nmov.u32 %r3, 1000;\n"
          "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r4,%r5,%r6,%r7}, "
          "{%r2,%r2,%r2,%r2}, {%r1,%r1}, {%r3,%r3,%r3,%r3};\n"
          "st.global.u32 [%rd2], %r4;\nst.global.u32 [%rd2+4], %r5;\n"
          "st.global.u32 [%rd2+8], %r6;\nst.global.u32 [%rd2+12], %r7;",
          &io);
    for (uint32_t i = 0; i < 32; i++)
        for (uint32_t j = 0; j < 4; j++)
            cr_expect_eq(io.out[i][j], 1000 + 32 * (i % 4 * 2 + j % 2 + 1), "lane %u, %u", i, j);
}

static void refused(const char *body, const char *says)
{
    char why[512] = "";
    struct io io = {0};
    cr_expect_eq(run(body, &io, why, sizeof why), -1, "accepted: %s", body);
    cr_expect_neq((void *)strstr(why, says), NULL, "said: %s, want: %s", why, says);
}

Test(kernels_ptx_ops, what_has_no_test_is_refused)
{
    refused("ex2.approx.f32 %f1, %f2;", "opcode ex2.approx.f32 has no test");
    refused("add.ftz.f32 %f1, %f2, %f3;", "opcode add.ftz.f32 has no test");
    refused("atom.global.add.f32 %f1, [%rd1], %f3;", "opcode atom.global.add.f32 has no test");
    refused("mov.u32 %r1, %laneid;\nmov.u32 %r1, %clock.x;", "special register %clock.x");
    refused(".local .align 4 .b8 depot[32];", "directive .local has no test");
    refused("bra $nowhere;", "no label or variable $nowhere");
    refused("ld.global.u32 %r1, [%rd1+2];", "misaligned");
    refused("ld.shared.u32 %r1, [s+8192];", "reads 4 bytes at 8192 of 4096 shared bytes");
    refused("ld.param.u32 %r1, [k_param_0+24];", "outside every allocation");
    refused("st.global.u32 [%rd2+1000000], 1;", "writes 4 bytes outside every allocation");
    refused("shfl.sync.bfly.b32 %r1, %r90, 1, 7183, -1;", "within a part of the warp");
    refused("shfl.sync.idx.b32 %r1, %r90, 32, 31, -1;", "shuffles from lane 32");
    refused("setp.lt.u32 %p1, %r90, 9;\n@%p1 vote.sync.ballot.b32 %r1, %p1, -1;",
            "a guard switches off some of the lanes");
    refused("setp.lt.u32 %p1, %r90, 9;\n@%p1 bra $L_x;\nredux.sync.add.u32 %r1, %r90, -1;\n"
            "$L_x:\n",
            "waits for lanes that never come");
    refused("st.shared.u32 [s], %r90;", "race: writes shared word 0");
}

static bool tested_elsewhere(const struct ptx_op *op)
{
    return op->kind != PTX_ALU; /* loads, stores, flow and warp operations: by the tests above */
}

Test(kernels_ptx_ops, every_known_opcode_has_a_row)
{
    for (const struct ptx_op *op = ptx_ops; op->name; op++) {
        bool found = tested_elsewhere(op);
        for (int i = 0; i < ROWS; i++)
            found |= !strcmp(rows[i].op, op->name);
        cr_expect(found, "%s is known but has no test", op->name);
    }
}
