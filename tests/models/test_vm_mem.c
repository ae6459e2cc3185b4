/* Guests' memory: frames are never lost nor given twice, whatever faults, balloons and merges do.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "models/vm/ksm.h"
#include "models/vm/vm_mem.h"
#include "sim/rng.h"
#include "tests/models/vm_world.h"

/* Every frame has as many owners as pages point to it, and the counts agree. */
static void frames_conserved(struct frames *f, struct guest_mem *const *mem, size_t n,
                             uint64_t seed)
{
    uint32_t *owners = calloc(frames_total(f), sizeof *owners);
    uint64_t taken = 0;
    cr_assert(owners);
    for (size_t i = 0; i < n; i++) {
        struct guest_mem_counts c;
        uint64_t mapped = 0, ballooned = 0;
        guest_mem_counts(mem[i], &c);
        for (uint64_t p = 0; p < c.pages; p++) {
            uint32_t frame = guest_mem_frame(mem[i], p);
            mapped += frame != FRAME_NONE;
            ballooned += guest_mem_ballooned(mem[i], p);
            if (frame != FRAME_NONE)
                owners[frame]++;
        }
        cr_assert_eq(mapped, c.mapped, "seed %" PRIu64, seed);
        cr_assert_eq(ballooned, c.ballooned, "seed %" PRIu64, seed);
    }
    for (uint32_t k = 0; k < frames_total(f); k++) {
        cr_assert_eq(owners[k], frames_refs(f, k), "frame %u, seed %" PRIu64, k, seed);
        taken += owners[k] > 0;
    }
    cr_assert_eq(taken + frames_left(f), frames_total(f), "seed %" PRIu64, seed);
    free(owners);
}

Test(vm_mem, a_page_is_mapped_once_and_a_huge_one_brings_its_neighbours)
{
    struct frames *f = frames_new(2000);
    struct guest_mem *m = guest_mem_new(f, 1500, true);
    cr_assert_eq(guest_mem_read(m, 700), TOUCH_LARGE);
    cr_assert_eq(guest_mem_read(m, 1023), TOUCH_MAPPED);
    cr_assert_eq(frames_left(f), 2000 - 512);
    cr_assert_eq(guest_mem_read(m, 1400), TOUCH_SMALL, "the last region is no whole one");
    cr_assert(guest_mem_inflate(m, 3), "never touched");
    cr_assert_eq(guest_mem_read(m, 4), TOUCH_SMALL, "its region has a hole");
    cr_assert(guest_mem_inflate(m, 512));
    cr_assert_not(guest_mem_inflate(m, 512));
    frames_conserved(f, &m, 1, 0);
    guest_mem_free(m);
    cr_assert_eq(frames_left(f), 2000);
    frames_free(f);
}

Test(vm_mem, a_host_without_frames_says_so_and_loses_none)
{
    struct frames *f = frames_new(600);
    struct guest_mem *m = guest_mem_new(f, 2048, true);
    cr_assert_eq(guest_mem_read(m, 0), TOUCH_LARGE);
    for (uint64_t p = 512; p < 600; p++)
        cr_assert_eq(guest_mem_read(m, p), TOUCH_SMALL, "88 are left, no 512");
    cr_assert_eq(guest_mem_read(m, 1000), TOUCH_FULL);
    frames_conserved(f, &m, 1, 0);
    guest_mem_free(m);
    frames_free(f);
}

static void noted(void *ctx, uint64_t unused)
{
    (void)unused;
    ++*(unsigned *)ctx;
}

/* What a fault takes is an exit and what the host does; a mapped page is free. */
Test(vm_mem, a_fault_is_an_exit_and_a_mapped_page_is_none)
{
    struct vm_world w;
    struct cpus_config cfg = cpu_free_config(1, 1, 1);
    struct vm_spec spec = vm_plain_spec(1);
    vm_world_open(&w, &cfg, &spec);
    struct frames *f = frames_new(4096);
    struct guest_mem *m = guest_mem_new(f, 2048, true);
    unsigned done = 0;
    const struct vcpu_then t = {.done = noted, .ctx = &done};
    sim_time exit = W_HARDWARE + W_STATE + W_LOOP + W_HANDLER, at = 0;
    static const uint64_t pages[] = {5, 6, 5};
    for (size_t i = 0; i < 3; i++) {
        vcpu_touch(vm_vcpu(w.vm, 0), m, pages[i], true, 77, &t);
        sim_run(w.cpu.sim, SIM_NEVER);
        cr_assert_eq(done, i + 1);
        at += i ? 0 : exit + 100000;
        cr_assert_eq(vm_now(&w), at, "touch %zu", i);
    }
    guest_mem_free(m);
    frames_free(f);
    vm_world_close(&w);
}

Test(vm_mem, the_balloon_gives_memory_to_the_host_and_back)
{
    struct vm_world w;
    struct cpus_config cfg = cpu_free_config(1, 1, 1);
    struct vm_spec spec = vm_plain_spec(1);
    vm_world_open(&w, &cfg, &spec);
    struct frames *f = frames_new(1024);
    struct guest_mem *m = guest_mem_new(f, 1000, false);
    struct balloon *b = balloon_new(vm_vcpu(w.vm, 0), m);
    unsigned done = 0;
    const struct vcpu_then t = {.done = noted, .ctx = &done};
    for (uint64_t p = 0; p < 1000; p++)
        guest_mem_write(m, p, p);
    cr_assert_eq(frames_left(f), 24);
    balloon_set(b, 600, &t);
    sim_run(w.cpu.sim, SIM_NEVER);
    cr_assert_eq(done, 1);
    cr_assert_eq(frames_left(f), 624);
    sim_time exit = W_HARDWARE + W_STATE + W_LOOP + W_HANDLER + 6;
    cr_assert_eq(vm_now(&w), 3 * exit + 600 * 2000, "600 pages in three messages");
    balloon_set(b, 100, &t);
    sim_run(w.cpu.sim, SIM_NEVER);
    cr_assert_eq(balloon_pages(b), 100);
    cr_assert_eq(frames_left(f), 624, "they come back when the guest touches them");
    cr_assert_eq(guest_mem_read(m, 700), TOUCH_SMALL);
    frames_conserved(f, &m, 1, 0);
    balloon_free(b);
    guest_mem_free(m);
    frames_free(f);
    vm_world_close(&w);
}

/* ---- deduplication ---- */

struct dedup {
    struct vm_world w;
    struct frames *f;
    struct ksm *k;
    struct guest_mem *m[3];
};

static void dedup_open(struct dedup *d, uint64_t pages, const struct ksm_spec *spec)
{
    struct cpus_config cfg = cpu_free_config(1, 1, 1);
    vm_world_open(&d->w, &cfg, NULL);
    d->f = frames_new(4000);
    d->k = ksm_new(d->w.cpu.sim, d->w.cpu.cpus, d->f, &d->w.cost, spec);
    cr_assert(d->f && d->k);
    for (int i = 0; i < 3; i++) {
        d->m[i] = guest_mem_new(d->f, pages, i == 0);
        cr_assert(d->m[i] && ksm_add(d->k, d->m[i]));
    }
    ksm_start(d->k);
}

static void dedup_close(struct dedup *d)
{
    for (int i = 0; i < 3; i++) {
        ksm_forget(d->k, d->m[i]);
        guest_mem_free(d->m[i]);
    }
    cr_assert_eq(frames_left(d->f), frames_total(d->f));
    struct ksm_counts n;
    ksm_counts(d->k, &n);
    cr_assert_eq(n.shared, 0, "no page, nothing shared");
    ksm_free(d->k);
    frames_free(d->f);
    vm_world_close(&d->w);
}

/* Three guests of 200 pages, 120 of them the same in all: two rounds to see that they do not
 * change, and then 240 frames come back; the CPU time is that of the scans and the merges. */
Test(vm_mem, alike_pages_are_merged_once_they_hold_still)
{
    struct dedup d;
    const struct ksm_spec spec = {100, 20 * SIM_MS};
    dedup_open(&d, 200, &spec);
    for (int i = 0; i < 3; i++)
        for (uint64_t p = 0; p < 200; p++)
            guest_mem_write(d.m[i], p, p < 120 ? 1000 + p : 1000000 * (uint64_t)(i + 1) + p);
    struct ksm_counts n;
    sim_run(d.w.cpu.sim, 6 * 20 * SIM_MS + SIM_MS);
    ksm_counts(d.k, &n);
    cr_assert_eq(n.merged, 0, "one round: each page is new");
    sim_run(d.w.cpu.sim, SIM_SEC);
    ksm_counts(d.k, &n);
    cr_assert_eq(n.merged, 240);
    cr_assert_eq(n.shared, 120);
    cr_assert_eq(frames_left(d.f), 4000 - 600 + 240);
    struct cpus_totals t;
    cpus_totals(d.w.cpu.cpus, &t);
    cr_assert_eq(t.work, n.scanned * 500 + n.merged * 10000);
    cr_assert_eq(guest_mem_write(d.m[1], 7, 5), TOUCH_UNSHARE, "a writer gets a copy");
    cr_assert_eq(guest_mem_write(d.m[1], 7, 6), TOUCH_MAPPED);
    cr_assert_eq(frames_content(d.f, guest_mem_frame(d.m[2], 7)), 1007, "the others' is as it was");
    frames_conserved(d.f, d.m, 3, 0);
    dedup_close(&d);
}

Test(vm_mem, a_page_that_changes_between_rounds_is_left_alone)
{
    struct dedup d;
    const struct ksm_spec spec = {30, SIM_MS};
    dedup_open(&d, 10, &spec);
    for (uint64_t round = 0; round < 50; round++) {
        for (int i = 0; i < 3; i++)
            guest_mem_write(d.m[i], 0, round); /* alike, but never still */
        sim_run(d.w.cpu.sim, vm_now(&d.w) + SIM_MS);
    }
    struct ksm_counts n;
    ksm_counts(d.k, &n);
    cr_assert_gt(n.rounds, 20);
    cr_assert_eq(n.merged, 0);
    dedup_close(&d);
}

/* Random guests that write, balloon, come and go under a scanner. */
static void random_host(uint64_t seed)
{
    struct dedup d;
    struct rng r;
    rng_init_indexed(&r, seed, "test", "vm_mem", seed);
    const struct ksm_spec spec = {1 + (uint32_t)rng_below(&r, 500), 1 + rng_below(&r, SIM_MS)};
    uint64_t pages = 1 + rng_below(&r, 1300);
    dedup_open(&d, pages, &spec);
    for (int i = 0; i < 600; i++) {
        size_t g = rng_below(&r, 3);
        uint64_t p = rng_below(&r, pages);
        switch (rng_below(&r, 8)) {
        case 0:
            guest_mem_inflate(d.m[g], p);
            break;
        case 1:
            guest_mem_deflate(d.m[g], p);
            break;
        case 2:
            sim_run(d.w.cpu.sim, vm_now(&d.w) + rng_below(&r, 3 * SIM_MS));
            break;
        case 3:
            if (i % 37)
                break;
            ksm_forget(d.k, d.m[g]);
            guest_mem_free(d.m[g]);
            d.m[g] = guest_mem_new(d.f, pages, seed % 2);
            cr_assert(ksm_add(d.k, d.m[g]));
            break;
        default:
            if (!guest_mem_ballooned(d.m[g], p))
                guest_mem_write(d.m[g], p, rng_below(&r, 20));
        }
        if (i % 100 == 0)
            frames_conserved(d.f, d.m, 3, seed);
    }
    frames_conserved(d.f, d.m, 3, seed);
    dedup_close(&d);
}

Test(vm_mem, frames_are_never_lost_nor_doubled)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        random_host(seed);
}
