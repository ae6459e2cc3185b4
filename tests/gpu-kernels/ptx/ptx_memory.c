/* ptx_memory.c - where an address leads, and whether it may. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

/* ---- global: only what was given ---------------------------------------------- */

static struct region {
    uintptr_t begin, end;
} * regions;
static size_t region_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a kernel may stay while memory comes */

void ptx_memory_add(const void *p, size_t size)
{
    pthread_mutex_lock(&lock);
    regions = realloc(regions, (region_count + 1) * sizeof *regions);
    regions[region_count++] = (struct region){(uintptr_t)p, (uintptr_t)p + size};
    pthread_mutex_unlock(&lock);
}

void ptx_memory_remove(const void *p)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < region_count; i++)
        if (regions[i].begin == (uintptr_t)p) {
            regions[i] = regions[--region_count];
            break;
        }
    if (!region_count) {
        free(regions);
        regions = NULL;
    }
    pthread_mutex_unlock(&lock);
}

static bool known(uint64_t a, uint32_t size)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < region_count && !found; i++)
        found = a >= regions[i].begin && a + size <= regions[i].end;
    pthread_mutex_unlock(&lock);
    return found;
}

/* ---- shared: who touched each word -------------------------------------------- */

struct touch {
    bool any, many; /* many: threads of several warps */
    int thread;
    uint32_t barriers, syncs; /* of the block, of the thread's warp, when it happened */
};
struct ptx_word {
    struct touch read, write;
};

bool ptx_words_reset(struct ptx_run *r)
{
    size_t words = r->kernel->shared_size / 4 + 4;
    if (!r->words)
        r->words = malloc(words * sizeof *r->words);
    if (!r->shared)
        r->shared = aligned_alloc(16, (words * 4 + 15) / 16 * 16);
    if (!r->words || !r->shared)
        return false;
    memset(r->words, 0, words * sizeof *r->words);
    memset(r->shared, 0xff, words * 4);
    return true;
}

void ptx_words_free(struct ptx_run *r)
{
    free(r->words);
    free(r->shared);
}

/* Nothing orders two touches of different threads but a barrier of the block
 * between them or, within a warp, one of the warp. */
static bool unordered(const struct ptx_run *r, const struct ptx_warp *w, int lane,
                      const struct touch *t)
{
    if (!t->any || t->barriers != r->barriers)
        return false;
    if (t->many)
        return true;
    if (t->thread == w->id * 32 + lane)
        return false;
    return t->thread / 32 != w->id || t->syncs == w->syncs[lane];
}

static struct touch touch_now(const struct ptx_run *r, const struct ptx_warp *w, int lane)
{
    return (struct touch){true, false, w->id * 32 + lane, r->barriers, w->syncs[lane]};
}

static void note_read(struct ptx_run *r, struct ptx_warp *w, int lane, const struct ptx_ins *in,
                      uint32_t index)
{
    struct ptx_word *word = &r->words[index];
    if (!word->write.any)
        ptx_fault(r, w, lane, in, "reads shared word %u, which nobody wrote", index);
    if (unordered(r, w, lane, &word->write))
        ptx_fault(r, w, lane, in, "race: reads shared word %u, which thread %d wrote", index,
                  word->write.thread);
    struct touch now = touch_now(r, w, lane);
    const struct touch *old = &word->read;
    now.many = old->any && old->barriers == r->barriers && (old->many || old->thread / 32 != w->id);
    word->read = now;
}

static void note_write(struct ptx_run *r, struct ptx_warp *w, int lane, const struct ptx_ins *in,
                       uint32_t index)
{
    struct ptx_word *word = &r->words[index];
    if (unordered(r, w, lane, &word->write))
        ptx_fault(r, w, lane, in, "race: writes shared word %u, which thread %d wrote", index,
                  word->write.thread);
    if (unordered(r, w, lane, &word->read))
        ptx_fault(r, w, lane, in, "race: writes shared word %u, which thread %d read", index,
                  word->read.thread);
    word->write = touch_now(r, w, lane);
    word->read.any = false;
}

/* ---- both -------------------------------------------------------------------- */

static unsigned char *shared_at(struct ptx_run *r, struct ptx_warp *w, int lane,
                                const struct ptx_ins *in, uint64_t at, uint32_t size, bool write)
{
    if (at + size > r->kernel->shared_size) {
        ptx_fault(r, w, lane, in, "%s %u bytes at %llu of %u shared bytes",
                  write ? "writes" : "reads", size, (unsigned long long)at, r->kernel->shared_size);
        return NULL;
    }
    for (uint32_t i = 0; i < size; i += 4)
        (write ? note_write : note_read)(r, w, lane, in, (uint32_t)(at + i) / 4);
    return r->shared + at;
}

unsigned char *ptx_access(struct ptx_run *r, struct ptx_warp *w, int lane, const struct ptx_ins *in,
                          uint64_t at, uint32_t size, bool write)
{
    const char *verb = write ? "writes" : "reads";
    if (at % size) {
        ptx_fault(r, w, lane, in, "%s %u bytes at a misaligned address", verb, size);
        return NULL;
    }
    switch (in->op->space) {
    case PTX_SHARED:
        return shared_at(r, w, lane, in, at, size, write);
    case PTX_PARAM:
        if (!write && at + size <= r->kernel->param_size)
            return (unsigned char *)(uintptr_t)r->launch->args + at;
        break;
    case PTX_GLOBAL:
        if (known(at, size))
            return (unsigned char *)(uintptr_t)at;
    }
    ptx_fault(r, w, lane, in, "%s %u bytes outside every allocation", verb, size);
    return NULL;
}
