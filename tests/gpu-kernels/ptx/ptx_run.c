/* ptx_run.c - runs blocks: fetch, guard, execute, until every thread is gone. */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

void ptx_fault(struct ptx_run *r, const struct ptx_warp *w, int lane, const struct ptx_ins *in,
               const char *format, ...)
{
    if (r->failed)
        return;
    r->failed = true;
    int used =
        snprintf(r->why, r->why_size, "%s, block %u, thread %d, line %d [%s]: ", r->kernel->name,
                 r->block, w->id * 32 + lane, in->line, in->text);
    va_list args;
    va_start(args, format);
    if (used > 0 && (size_t)used < r->why_size)
        vsnprintf(r->why + used, r->why_size - (size_t)used, format, args);
    va_end(args);
}

uint64_t ptx_value(const struct ptx_run *r, const struct ptx_warp *w, int lane,
                   const struct ptx_operand *o)
{
    if (o->kind == PTX_REG)
        return w->regs[o->reg[0]][lane];
    if (o->kind == PTX_VALUE)
        return o->value;
    if (o->value == PTX_TID)
        return (uint64_t)(w->id * 32 + lane);
    return o->value == PTX_CTAID ? r->block : r->launch->grid;
}

static void compute(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in, uint32_t lanes)
{
    const struct ptx_operand *o = in->operand;
    uint64_t v[4] = {0};
    for (int l = 0; l < 32; l++) {
        if (!(lanes >> l & 1))
            continue;
        for (int i = 1; i < in->op->operands; i++)
            v[i - 1] = ptx_value(r, w, l, &o[i]);
        w->regs[o[0].reg[0]][l] = in->op->alu(v[0], v[1], v[2], v[3]);
    }
}

/* Words of eight bytes are whole, as on a device: the host may be at them, too. */
static void put(void *p, uint64_t v, uint32_t size)
{
    if (size == sizeof v)
        __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
    else
        memcpy(p, &v, size);
}

static uint64_t get(const void *p, uint32_t size)
{
    uint64_t v = 0;
    if (size == sizeof v) {
        static _Thread_local unsigned looks;
        if (++looks % 1024 == 0) /* polling the host, maybe */
            sched_yield();
        return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
    }
    memcpy(&v, p, size);
    return v;
}

static void transfer(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in,
                     uint32_t lanes)
{
    const bool store = in->op->kind == PTX_STORE;
    const struct ptx_operand *where = &in->operand[store ? 0 : 1], *what = &in->operand[store];
    const uint32_t size = in->op->size;
    for (int l = 0; l < 32 && !r->failed; l++) {
        if (!(lanes >> l & 1))
            continue;
        uint64_t at = where->value + (where->reg[0] < 0 ? 0 : w->regs[where->reg[0]][l]);
        unsigned char *p = ptx_access(r, w, l, in, at, size * in->op->count, store);
        for (int i = 0; p && i < in->op->count; i++, p += size) {
            uint64_t v = 0;
            if (store) {
                v = what->kind == PTX_VECTOR ? w->regs[what->reg[i]][l] : ptx_value(r, w, l, what);
                put(p, v, size);
            } else {
                v = get(p, size);
                w->regs[what->reg[i]][l] = v;
            }
        }
    }
}

static void execute(struct ptx_run *r, struct ptx_warp *w, const struct ptx_ins *in, uint32_t group,
                    uint32_t lanes)
{
    const enum ptx_kind kind = in->op->kind;
    if (kind == PTX_ALU)
        compute(r, w, in, lanes);
    else if (kind == PTX_LOAD || kind == PTX_STORE)
        transfer(r, w, in, lanes);
    for (int l = 0; l < 32; l++) {
        if (!(group >> l & 1))
            continue;
        bool on = lanes >> l & 1;
        if (kind == PTX_BARRIER && on) { /* pc stays: it names the barrier */
            w->state[l] = PTX_AT_BARRIER;
            continue;
        }
        if (kind == PTX_RETURN && on)
            w->state[l] = PTX_GONE;
        w->pc[l] = kind == PTX_BRANCH && on ? (int)in->operand[0].value : w->pc[l] + 1;
    }
}

/* The running lanes that are furthest behind; 0 when none runs. */
static uint32_t next_group(const struct ptx_warp *w, int *pc)
{
    uint32_t group = 0;
    *pc = INT32_MAX;
    for (int l = 0; l < 32; l++) {
        if (w->state[l] != PTX_RUNS || w->pc[l] > *pc)
            continue;
        group = w->pc[l] < *pc ? 1u << l : group | 1u << l;
        *pc = w->pc[l];
    }
    return group;
}

static uint32_t guarded(const struct ptx_warp *w, const struct ptx_ins *in, uint32_t group)
{
    uint32_t on = 0;
    if (in->guard == PTX_NO_GUARD)
        return group;
    for (int l = 0; l < 32; l++)
        on |= (uint32_t)((w->regs[in->guard][l] & 1) != in->guard_not) << l;
    return group & on;
}

static void step(struct ptx_run *r, struct ptx_warp *w, uint32_t group, int pc)
{
    const struct ptx_ins *in = &r->kernel->ins[pc];
    uint32_t lanes = guarded(w, in, group);
    uint64_t limit = r->launch->step_limit ? r->launch->step_limit : 1000000000;
    if (++r->steps > limit)
        ptx_fault(r, w, __builtin_ctz(group), in,
                  "still running after %llu steps: an endless wait?", (unsigned long long)limit);
    else if (in->op->kind >= PTX_WARP_SYNC && lanes == group)
        ptx_warp_op(r, w, in, lanes);
    else if (in->op->kind >= PTX_WARP_SYNC && lanes)
        ptx_fault(r, w, __builtin_ctz(group), in, "a guard switches off some of the lanes");
    else
        execute(r, w, in, group, lanes);
}

/* Until every lane waits for the block or has left. */
static void run_warp(struct ptx_run *r, struct ptx_warp *w)
{
    int pc;
    for (uint32_t group; !r->failed && (group = next_group(w, &pc));)
        step(r, w, group, pc);
    for (int l = 0; l < 32; l++)
        if (w->state[l] == PTX_AT_WARP)
            ptx_fault(r, w, l, &r->kernel->ins[w->pc[l]], "waits for lanes that never come");
}

/* All threads wait at one barrier: on.  0: everybody has left. */
static int pass_barrier(struct ptx_run *r)
{
    int waiting = 0, at = -1;
    for (int i = 0; i < r->warp_count * 32; i++) {
        struct ptx_warp *w = &r->warps[i / 32];
        if (w->state[i % 32] != PTX_AT_BARRIER)
            continue;
        if (at >= 0 && w->pc[i % 32] != at)
            ptx_fault(r, w, i % 32, &r->kernel->ins[w->pc[i % 32]],
                      "divergent barrier: other threads wait at line %d", r->kernel->ins[at].line);
        at = w->pc[i % 32];
        w->pc[i % 32]++;
        w->state[i % 32] = PTX_RUNS;
        waiting++;
    }
    r->barriers++;
    return waiting;
}

static void start_block(struct ptx_run *r)
{
    for (int i = 0; i < r->warp_count; i++) {
        struct ptx_warp *w = &r->warps[i];
        uint32_t left = r->launch->block - (uint32_t)i * 32;
        ptx_lanes *regs = w->regs;
        *w = (struct ptx_warp){.regs = regs, .id = i};
        w->lanes = left >= 32 ? ~0u : (1u << left) - 1;
        for (int l = 0; l < 32; l++)
            w->state[l] = w->lanes >> l & 1 ? PTX_RUNS : PTX_GONE;
        memset(regs, 0xa5, (size_t)r->kernel->reg_count * sizeof *regs);
    }
}

static void run_blocks(struct ptx_run *r)
{
    const uint32_t only = r->launch->only, end = only ? only : r->launch->grid;
    for (r->block = only ? only - 1 : 0; r->block < end && !r->failed; r->block++) {
        if (!ptx_words_reset(r)) {
            r->failed = true;
            snprintf(r->why, r->why_size, "out of memory");
            return;
        }
        start_block(r);
        do {
            for (int i = 0; i < r->warp_count && !r->failed; i++)
                run_warp(r, &r->warps[i]);
        } while (!r->failed && pass_barrier(r));
    }
}

int ptx_launch(const struct ptx_module *m, const struct ptx_launch *l, char *why, size_t n)
{
    struct ptx_run r = {.launch = l, .why = why, .why_size = n};
    for (int i = 0; i < m->kernel_count; i++)
        if (!strcmp(m->kernels[i].name, l->kernel))
            r.kernel = &m->kernels[i];
    if (!r.kernel || l->args_size != r.kernel->param_size) {
        snprintf(why, n, "kernel %s is not there or takes other than %zu bytes", l->kernel,
                 l->args_size);
        return -1;
    }
    r.warp_count = (int)(l->block + 31) / 32;
    r.warps = calloc((size_t)r.warp_count, sizeof *r.warps);
    size_t regs = (size_t)r.kernel->reg_count + 1;
    ptx_lanes *all = malloc(regs * (size_t)r.warp_count * sizeof *all);
    for (int i = 0; i < r.warp_count && all; i++)
        r.warps[i].regs = all + (size_t)i * regs;
    run_blocks(&r);
    ptx_words_free(&r);
    free(all);
    free(r.warps);
    return r.failed ? -1 : 0;
}
