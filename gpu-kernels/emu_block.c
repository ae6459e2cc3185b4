/* emu_block.c - fibers of a block: schedule, barrier, shared memory, reports. */
#include "gpu-kernels/emu_block.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

_Thread_local const struct emu_self *emu_self;
_Thread_local struct emu *emu_now;
_Thread_local struct emu_thread *emu_running;

static void say(struct emu *e, const char *format, va_list args)
{
    e->failed = true;
    vsnprintf(e->why, sizeof e->why, format, args);
}

static void yield(bool finished)
{
    fiber_switch(&emu_running->fiber, &emu_now->host, finished);
}

void emu_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(emu_now, format, args);
    va_end(args);
    yield(true);
    __builtin_unreachable(); /* a failed launch resumes nobody */
}

void emu_wait(enum emu_state state, const char *where)
{
    emu_running->state = state;
    emu_running->where = where;
    yield(false);
}

void emu_step(const char *where)
{
    if (++emu_now->steps > emu_now->step_limit)
        emu_die("still running after %llu steps, thread %u at %s: an endless wait?",
                (unsigned long long)emu_now->step_limit, emu_self->thread.x, where);
}

/* ---- barrier ---------------------------------------------------------------- */

static void release_barrier(struct emu *e)
{
    e->at_barrier = 0;
    for (uint32_t i = 0; i < e->count; i++)
        if (e->threads[i].state == EMU_AT_BARRIER)
            e->threads[i].state = EMU_READY;
}

/* CUDA pairs barriers by number, not by place; but threads of one block that
 * wait at different places passed a condition they do not agree on. */
static void same_barrier(struct emu *e, const char *where)
{
    if (e->at_barrier == 0) {
        e->barrier_where = where;
        e->barrier_thread = emu_self->thread.x;
    } else if (strcmp(e->barrier_where, where)) {
        emu_die("divergent barrier in block %u: thread %u waits at %s, thread %u at %s",
                emu_self->block.x, e->barrier_thread, e->barrier_where, emu_self->thread.x, where);
    }
}

void emu_barrier(const char *where)
{
    struct emu *e = emu_now;
    emu_step(where);
    same_barrier(e, where);
    if (++e->at_barrier == e->live)
        release_barrier(e);
    else
        emu_wait(EMU_AT_BARRIER, where);
}

/* ---- shared memory ------------------------------------------------------------ */

void *emu_shared(size_t bytes, const void *site)
{
    struct emu *e = emu_now;
    for (uint32_t i = 0; i < e->site_count; i++)
        if (e->sites[i].site == site)
            return e->shared + e->sites[i].offset;
    size_t offset = (e->shared_used + 127) / 128 * 128;
    if (e->site_count == EMU_SITES || offset + bytes > EMU_SHARED_MAX)
        emu_die("block %u wants more than %d bytes of shared memory", emu_self->block.x,
                EMU_SHARED_MAX);
    e->sites[e->site_count].site = site;
    e->sites[e->site_count++].offset = offset;
    e->shared_used = offset + bytes;
    return memset(e->shared + offset, 0xff, bytes); /* NaN, as floats */
}

/* ---- schedule ------------------------------------------------------------------ */

static uint64_t next_random(struct emu *e)
{
    uint64_t z = (e->random += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void thread_main(void)
{
    struct emu *e = emu_now;
    fiber_started(&e->host);
    e->kernel(e->args);
    emu_running->state = EMU_DONE;
    emu_running->warp->done |= 1u << emu_self->lane;
    if (--e->live && e->at_barrier == e->live)
        release_barrier(e);
    yield(true);
    __builtin_unreachable(); /* a finished thread is not resumed */
}

static void resume(struct emu *e, struct emu_thread *t)
{
    emu_running = t;
    emu_self = &t->self;
    fiber_switch(&e->host, &t->fiber, false);
}

static void start_block(struct emu *e, uint32_t block, uint32_t grid)
{
    e->live = e->count;
    e->at_barrier = e->site_count = 0;
    e->shared_used = 0;
    memset(e->warps, 0, (e->count + 31) / 32 * sizeof *e->warps);
    for (uint32_t i = 0; i < e->count; i++) {
        struct emu_thread *t = &e->threads[i];
        t->self = (struct emu_self){{i, 0, 0}, {block, 0, 0}, {grid, 1, 1}, i % 32};
        t->state = EMU_READY;
        t->where = NULL;
        t->warp = &e->warps[i / 32];
        if (i % 32 == 0)
            t->warp->lanes = t;
        t->warp->count++;
        fiber_make(&t->fiber, e->stacks + i * fiber_stack_size(), fiber_stack_size(), thread_main);
    }
}

/* Each ready lane once, from lane `first` in odd steps; did any run? */
static bool run_lanes(struct emu *e, struct emu_warp *w, uint32_t first, uint32_t stride)
{
    bool ran = false;
    for (uint32_t i = 0; i < 32 && !e->failed; i++) {
        uint32_t lane = (first + i * stride) % 32;
        if (lane < w->count && w->lanes[lane].state == EMU_READY) {
            resume(e, &w->lanes[lane]);
            ran = true;
        }
    }
    return ran;
}

/* A warp until it is stuck; under a seed it is sometimes left half way. */
static bool run_warp(struct emu *e, struct emu_warp *w, bool shuffled)
{
    bool ran = false;
    for (;;) {
        uint64_t r = shuffled ? next_random(e) : 1u << 8;
        if (!run_lanes(e, w, r & 31, (r >> 8 & 31) | 1))
            return ran;
        ran = true;
        if (e->failed || (shuffled && (r >> 16 & 3) == 0))
            return true;
    }
}

static void report_deadlock(struct emu *e, uint32_t block)
{
    size_t used = (size_t)snprintf(e->why, sizeof e->why, "deadlock in block %u", block);
    const char *last = "";
    for (uint32_t i = 0; i < e->count && used < sizeof e->why; i++) {
        const struct emu_thread *t = &e->threads[i];
        if (t->state == EMU_DONE || !strcmp(t->where, last))
            continue;
        last = t->where;
        used += (size_t)snprintf(e->why + used, sizeof e->why - used,
                                 "; thread %u waits for its %s at %s", i,
                                 t->state == EMU_AT_WARP ? "warp" : "block", last);
    }
    e->failed = true;
}

static void run_block(struct emu *e, uint32_t block, uint32_t grid, bool shuffled)
{
    uint32_t warps = (e->count + 31) / 32;
    start_block(e, block, grid);
    while (e->live && !e->failed) {
        bool ran = false;
        uint32_t first = shuffled ? (uint32_t)(next_random(e) % warps) : 0;
        for (uint32_t i = 0; i < warps && !e->failed; i++)
            ran |= run_warp(e, &e->warps[(first + i) % warps], shuffled);
        if (!ran && !e->failed)
            report_deadlock(e, block);
    }
}

int emu_launch(struct emu *e, emu_kernel *kernel, uint32_t grid, uint32_t block, const void *args,
               const struct emu_options *options)
{
    assert(block >= 1 && block <= EMU_THREADS_MAX);
    struct emu_options o = options ? *options : (struct emu_options){0};
    e->kernel = kernel;
    e->args = args;
    e->count = block;
    e->random = o.seed;
    e->steps = 0;
    e->step_limit = o.step_limit ? o.step_limit : 1000000000;
    e->failed = false;
    e->why[0] = 0;
    emu_now = e;
    for (uint32_t b = 0; b < grid && !e->failed; b++)
        run_block(e, b, grid, o.seed != 0);
    emu_now = NULL;
    return e->failed ? -1 : 0;
}

struct emu *emu_new(void)
{
    struct emu *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->threads = calloc(EMU_THREADS_MAX, sizeof *e->threads);
    e->warps = calloc(EMU_THREADS_MAX / 32, sizeof *e->warps);
    e->shared = aligned_alloc(128, EMU_SHARED_MAX);
    e->stacks = mmap(NULL, EMU_THREADS_MAX * fiber_stack_size(), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (e->threads && e->warps && e->shared && e->stacks != MAP_FAILED)
        return e;
    emu_free(e);
    return NULL;
}

void emu_free(struct emu *e)
{
    if (!e)
        return;
    if (e->stacks && e->stacks != MAP_FAILED)
        munmap(e->stacks, EMU_THREADS_MAX * fiber_stack_size());
    free(e->threads);
    free(e->warps);
    free(e->shared);
    free(e);
}
