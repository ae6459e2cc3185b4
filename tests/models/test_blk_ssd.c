/* test_blk_ssd.c - a drive against queues whose answers are in textbooks, and its books. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/models/blk_bench.h"

static void near(double got, double want, double within, const char *what)
{
    cr_expect(fabs(got / want - 1) <= within, "%s: %g, want %g within %g %%", what, got, want,
              100 * within);
}

/* Reads of one stripe on one die: M/D/1.  W = rho s / (2 (1 - rho)). */
Test(blk_ssd, one_die_is_md1)
{
    for (double rho = 0.3; rho < 0.85; rho += 0.25) {
        struct ssd_params p = blk_drive(50000, 1);
        struct blk_load l = {50000 / rho, 1, 65536, 400000, 20000, 7};
        near(blk_drive_run(&p, &l).wait_ns, rho * 50000 / (2 * (1 - rho)), 0.05, "M/D/1 wait");
    }
}

/* Offsets fall on dies evenly: a Poisson stream split at random is n of them. */
Test(blk_ssd, dies_share_a_poisson_stream)
{
    struct ssd_params p = blk_drive(80000, 1);
    p.dies = 8;
    struct blk_load l = {80000 / (8 * 0.7), 1, 65536, 800000, 20000, 3};
    near(blk_drive_run(&p, &l).wait_ns, 0.7 * 80000 / (2 * 0.3), 0.05, "8 x M/D/1 wait");
}

/* Reads and programs, first come first served: Pollaczek-Khinchine over the mix.  A write of one
 * stripe through a link without length is a program at once. */
Test(blk_ssd, reads_and_programs_are_mg1)
{
    const double r = 40000, w = 200000, share = 0.6, gap = 200000;
    const double es = share * r + (1 - share) * w, es2 = share * r * r + (1 - share) * w * w;
    struct ssd_params p = blk_drive((uint64_t)r, (uint64_t)w);
    struct blk_load l = {gap, share, 65536, 800000, 20000, 5};
    near(blk_drive_run(&p, &l).wait_ns, es2 / (2 * gap) / (1 - es / gap), 0.05, "P-K wait");
}

/* Reads that pass every program: Cobham's non-preemptive priority, W = R / (1 - rho_read). */
Test(blk_ssd, overtaking_reads_are_a_priority_class)
{
    const double r = 40000, w = 200000, share = 0.6, gap = 200000;
    const double residual = (share * r * r + (1 - share) * w * w) / (2 * gap);
    struct ssd_params p = blk_drive((uint64_t)r, (uint64_t)w);
    p.overtake = UINT64_MAX;
    struct blk_load l = {gap, share, 65536, 800000, 20000, 5};
    near(blk_drive_run(&p, &l).wait_ns, residual / (1 - share * r / gap), 0.05, "Cobham wait");
}

/* What the link carries is M/D/1 too when the dies take no time. */
Test(blk_ssd, the_link_is_md1)
{
    struct ssd_params p = blk_drive(0, 1);
    p.read_byte = 500; /* 2 GB/s: 32768 ns a stripe */
    struct blk_load l = {32768 / 0.6, 1, 65536, 400000, 20000, 7};
    const double s = 32768;
    near(blk_drive_run(&p, &l).sojourn_ns, s + 0.6 * s / (2 * 0.4), 0.05, "link sojourn");
}

Test(blk_ssd, ceilings)
{
    struct ssd_params p = blk_drive(50000, 250000);
    p.dies = 8;
    p.read_byte = 100;
    p.write_byte = 100;
    p.buffer = 4 << 20;
    struct blk_load l = {100, 1, 4096, 200000, 0, 1}; /* far more than it can do */
    struct blk_seen seen = blk_drive_run(&p, &l);
    near((double)seen.stats.reads / (double)seen.end * 1e9, 8 / 50e-6, 0.02, "read IOPS");
    l = (struct blk_load){100, 0, 1 << 20, 2000, 0, 1};
    seen = blk_drive_run(&p, &l);
    near((double)seen.stats.write_bytes / (double)seen.end * 1e9, 8 * 65536 / 250e-6, 0.02,
         "write bandwidth");
    l = (struct blk_load){100, 1, 1 << 20, 2000, 0, 1};
    p.read_byte = 1000; /* 1 GB/s, slower than the dies */
    seen = blk_drive_run(&p, &l);
    near((double)seen.stats.read_bytes / (double)seen.end * 1e9, 1e9, 0.02, "read bandwidth");
}

/* L = lambda W over a run that begins and ends empty is an identity of the books. */
Test(blk_ssd, littles_law)
{
    struct ssd_params p = blk_drive(50000, 150000);
    p.dies = 4;
    p.overtake = 2;
    struct blk_load l = {30000, 1, 65536, 50000, 0, 9};
    const struct blk_seen seen = blk_drive_run(&p, &l);
    near(seen.inside_ns, seen.sojourn_ns * seen.reads, 1e-9, "integral of L");
}

/* With half of each block valid, a stripe written is half a block's worth of moves: moves =
 * programs * valid / (block - valid), and the erases that make room for them. */
Test(blk_ssd, collection_turns_over_what_was_written)
{
    struct ssd_params p = blk_drive(20000, 100000);
    p.free = 64;
    p.gc_low = 16;
    p.gc_high = 32;
    p.block = 16;
    p.valid = 12;
    p.erase = UINT64_C(2000000) * 1000;
    struct blk_load l = {1300000, 0.2, 65536, 60000, 0, 2};
    const struct blk_seen seen = blk_drive_run(&p, &l);
    const struct ssd_stats *st = &seen.stats;
    near((double)st->moves, (double)st->programs * 12 / 4, 0.01, "moves");
    near((double)st->erases, (double)st->programs / 4, 0.01, "erases");
    near((double)st->busy[SSD_gc], (double)st->moves * 120000 + (double)st->erases * 2e6, 1e-9,
         "time of collection");
    p.gc_low = 0;
    const struct blk_seen calm = blk_drive_run(&p, &l);
    cr_expect_eq(calm.stats.moves, 0);
    cr_expect_gt(seen.wait_ns, 2 * calm.wait_ns, "collection must be felt: %g beside %g",
                 seen.wait_ns, calm.wait_ns);
}

Test(blk_ssd, a_flush_holds_every_die_once_per_so_many_bytes)
{
    struct ssd_params p = blk_drive(20000, 50000);
    p.dies = 4;
    p.flush_bytes = 1 << 20;
    p.flush_time = UINT64_C(3000000) * 1000;
    struct blk_load l = {200000, 0.5, 65536, 20000, 0, 2};
    const struct blk_seen seen = blk_drive_run(&p, &l);
    cr_expect_eq(seen.stats.flushes, 4 * (seen.stats.write_bytes >> 20), "%lu flushes of dies",
                 (unsigned long)seen.stats.flushes);
    cr_expect_eq(seen.stats.busy[SSD_flush], seen.stats.flushes * 3000000);
}

/* What the oracle is told: of reads of one piece, first come first served, with nothing after
 * them, it is the very time they then take. */
static void keep(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

Test(blk_ssd, foresight_is_exact_for_what_is_already_there)
{
    struct ssd_params p = blk_drive(50000, 170000);
    p.dies = 4;
    p.command = UINT64_C(9000) * 1000;
    struct rng r;
    rng_init(&r, 6, "test", "foresight");
    for (int round = 0; round < 50; round++) {
        struct sim *s = sim_new(NULL);
        struct ssd *d = ssd_new(s, &p);
        struct ssd_io before[12], last;
        for (int i = 0; i < 12; i++) {
            before[i] = (struct ssd_io){.offset = rng_below(&r, 64) * 65536,
                                        .bytes = 65536,
                                        .write = rng_below(&r, 2) != 0,
                                        .done = keep};
            ssd_submit(d, &before[i]);
        }
        sim_run(s, 10000 + rng_below(&r, 200000)); /* all commands have reached their dies */
        last = (struct ssd_io){.offset = rng_below(&r, 64) * 65536, .bytes = 4096, .done = keep};
        const sim_time told = ssd_foresee(d, last.offset, last.bytes);
        ssd_submit(d, &last);
        sim_run(s, SIM_NEVER);
        cr_expect_eq(last.ended - last.submitted, told, "round %d: %lu ns, foreseen %lu", round,
                     (unsigned long)(last.ended - last.submitted), (unsigned long)told);
        ssd_free(d);
        sim_free(s);
    }
}

/* ---- 200 drives that nobody chose --------------------------------------------------- */

static struct ssd_params random_drive(struct rng *r)
{
    struct ssd_params p = blk_drive(1000 + rng_below(r, 80000), 1000 + rng_below(r, 300000));
    p.dies = 1 + rng_below(r, 16);
    p.depth = 1 + rng_below(r, 64);
    p.overtake = rng_below(r, 4);
    p.stripe = UINT64_C(4096) << rng_below(r, 6);
    p.buffer = p.stripe * (2 + rng_below(r, 40));
    p.command = rng_below(r, 30000000);
    p.read_byte = rng_below(r, 2000);
    p.write_byte = rng_below(r, 2000);
    if (rng_below(r, 2)) {
        p.block = 2 + rng_below(r, 30);
        p.valid = rng_below(r, p.block);
        p.gc_low = 1 + rng_below(r, 20);
        p.gc_high = p.gc_low + 1 + rng_below(r, 20);
        p.free = p.gc_low + rng_below(r, 50);
        p.erase = rng_below(r, 3000000) * 1000;
    }
    if (rng_below(r, 2)) {
        p.flush_bytes = 65536 + rng_below(r, 1 << 24);
        p.flush_time = rng_below(r, 2000000) * 1000;
    }
    return p;
}

/* Every I/O ends once (blk_drive_run), its parts sum to its latency, the bytes that went in are
 * programmed or still in the buffer, and a die is never busy for longer than time has passed. */
Test(blk_ssd, two_hundred_random_drives_lose_nothing)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng r;
        rng_init(&r, seed, "test", "drives");
        const struct ssd_params p = random_drive(&r);
        const struct blk_load l = {(double)(1000 + rng_below(&r, 200000)),
                                   rng_unit(&r),
                                   512 + rng_below(&r, UINT64_C(1) << (9 + rng_below(&r, 13))),
                                   400,
                                   0,
                                   seed};
        const struct blk_seen seen = blk_drive_run(&p, &l);
        const struct ssd_stats *st = &seen.stats;
        cr_expect_eq(st->reads + st->writes, l.n, "seed %lu", (unsigned long)seed);
        cr_expect_eq(st->inside + st->waiting, 0, "seed %lu", (unsigned long)seed);
        cr_expect_eq(st->programs * p.stripe + st->buffered, st->write_bytes, "seed %lu",
                     (unsigned long)seed);
        cr_expect_lt(st->buffered, p.stripe, "seed %lu", (unsigned long)seed);
        uint64_t busy = 0;
        for (int i = 0; i < SSD_CAUSES; i++)
            busy += st->busy[i];
        cr_expect_leq(busy, p.dies * seen.end, "seed %lu", (unsigned long)seed);
    }
}
