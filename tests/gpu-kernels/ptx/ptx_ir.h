/* ptx_ir.h - a parsed module, and the pieces of the interpreter. */
#ifndef TESTS_PTX_IR_H
#define TESTS_PTX_IR_H

#include <stdbool.h>

#include "tests/gpu-kernels/ptx/ptx.h"

enum ptx_kind {
    PTX_ALU, /* destination = alu(sources), lane by lane */
    PTX_LOAD,
    PTX_STORE,
    PTX_BRANCH,
    PTX_RETURN,
    PTX_BARRIER,
    PTX_WARP_SYNC,
    PTX_SHUFFLE_XOR,
    PTX_MMA_S8,
    PTX_SHUFFLE_FROM,
    PTX_BALLOT,
    PTX_WARP_SUM
};
enum ptx_space { PTX_GLOBAL, PTX_SHARED, PTX_PARAM };

typedef uint64_t ptx_alu(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

struct ptx_op {
    const char *name; /* with every modifier */
    enum ptx_kind kind;
    uint8_t operands;
    ptx_alu *alu;
    enum ptx_space space; /* loads and stores: */
    uint8_t size, count;
};
const struct ptx_op *ptx_op_find(const char *name); /* NULL: refused */
extern const struct ptx_op ptx_ops[];               /* a NULL name ends it */

enum ptx_operand_kind { PTX_REG, PTX_VALUE, PTX_SPECIAL, PTX_ADDRESS, PTX_VECTOR };
enum ptx_special { PTX_TID, PTX_CTAID, PTX_NCTAID };
struct ptx_operand {
    enum ptx_operand_kind kind;
    int reg[4]; /* PTX_ADDRESS: reg[0] is the base, -1 none */
    int count;
    uint64_t value; /* constant, offset, ptx_special, or the label's instruction */
    int label;      /* index of a symbol yet to be found, -1 none */
};

enum { PTX_OPERANDS = 5, PTX_NO_GUARD = -1 };
struct ptx_ins {
    const struct ptx_op *op;
    struct ptx_operand operand[PTX_OPERANDS];
    int guard; /* register */
    bool guard_not;
    int line;
    char *text;
};

enum ptx_symbol_kind { PTX_SYM_REG, PTX_SYM_LABEL, PTX_SYM_SHARED, PTX_SYM_PARAM };
struct ptx_symbol {
    char *name;
    enum ptx_symbol_kind kind;
    int64_t value; /* number, instruction (-1: not yet), offset */
};

struct ptx_kernel {
    char *name;
    struct ptx_symbol *symbols;
    struct ptx_ins *ins;
    int symbol_count, ins_count, reg_count;
    uint32_t shared_size, param_size;
};

struct ptx_module {
    struct ptx_kernel *kernels;
    int kernel_count;
};

/* ---- a run (ptx_run.c), as the other pieces see it ------------------------- */

enum ptx_state { PTX_RUNS, PTX_AT_WARP, PTX_AT_BARRIER, PTX_GONE };
typedef uint64_t ptx_lanes[32];

struct ptx_warp {
    ptx_lanes *regs;
    int pc[32];
    enum ptx_state state[32];
    uint32_t syncs[32]; /* warp barriers passed: what orders accesses within a warp */
    int id;
    uint32_t lanes; /* the mask of those that exist */
};

struct ptx_word; /* ptx_memory.c: who touched a word of shared memory */

struct ptx_run {
    const struct ptx_kernel *kernel;
    const struct ptx_launch *launch;
    struct ptx_warp *warps;
    int warp_count;
    uint32_t block, barriers; /* index; barriers passed by the block */
    unsigned char *shared;
    struct ptx_word *words;
    uint64_t steps;
    bool failed;
    char *why;
    size_t why_size;
};

/* Says what is wrong at this instruction; only the first counts. */
void ptx_fault(struct ptx_run *r, const struct ptx_warp *w, int lane, const struct ptx_ins *in,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

bool ptx_words_reset(
    struct ptx_run *r); /* for a new block: poison, nobody wrote; false: no memory */
void ptx_words_free(struct ptx_run *r);

/* The host address of `size` bytes at `address`, checked; NULL after a fault. */
unsigned char *ptx_access(struct ptx_run *r, struct ptx_warp *w, int lane, const struct ptx_ins *in,
                          uint64_t address, uint32_t size, bool write);

/* Lanes `here` stand at a warp operation, `running` have just arrived. */
void ptx_warp_op(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in, uint32_t running);
uint64_t ptx_value(const struct ptx_run *r, const struct ptx_warp *w, int lane,
                   const struct ptx_operand *o);

#endif
