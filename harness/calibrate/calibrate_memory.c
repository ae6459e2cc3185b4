/* calibrate_memory.c - latency by working set, bandwidth, page faults. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/thismachine.h"
#include "harness/calibrate/calibrate.h"
#include "sim/rng.h"

#define LINE  64u
#define HUGE_ ((size_t)2 << 20)
#define MIB   ((size_t)1 << 20)

/* Anonymous memory, aligned to 2 MiB, of small pages or (if the kernel will) of large ones. */
static void *map(size_t bytes, bool huge)
{
    char *p = mmap(NULL, bytes + HUGE_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_ - (uintptr_t)p % HUGE_) % HUGE_;
    if (before)
        munmap(p, before);
    munmap(p + before + bytes, HUGE_ - before);
    madvise(p + before, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return p + before;
}

static long faults(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

static void touch(char *p, size_t bytes, size_t step)
{
    for (size_t at = 0; at < bytes; at += step)
        ((volatile char *)p)[at] = 1;
}

/* ---- faults ---- */

static bool fault_once(size_t page, size_t bytes, double *us)
{
    char *p = map(bytes, page == HUGE_);
    if (!p)
        return false;
    long before = faults();
    uint64_t begin = calibrate_ns();
    touch(p, bytes, page);
    uint64_t ns = calibrate_ns() - begin;
    long n = faults() - before, want = (long)(bytes / page);
    munmap(p, bytes);
    *us = (double)ns / (double)want / 1e3;
    return n <= want + want / 8 + 8; /* else the kernel gave small pages */
}

static void fault_cost(struct calibration *c, const char *leaf, size_t page, size_t bytes,
                       const char *how)
{
    double us[CALIBRATE_REPEATS];
    for (int i = 0; i < c->repeats; i++)
        if (!fault_once(page, bytes, &us[i])) {
            calibrate_skip(c, leaf, "the kernel does not give pages of this size for the asking");
            return;
        }
    calibrate_add(c, leaf, "us", us, c->repeats, how);
}

/* ---- latency ---- */

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

/* One cycle through all lines in random order (Sattolo's shuffle). */
static bool link_lines(struct line *at, size_t n)
{
    uint32_t *order = malloc(n * sizeof *order);
    struct rng r;
    if (!order)
        return false;
    rng_init(&r, 1, "calibrate", "chase");
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = (size_t)rng_below(&r, i);
        uint32_t swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    for (size_t i = 0; i < n; i++)
        at[order[i]].next = &at[order[i + 1 < n ? i + 1 : 0]];
    free(order);
    return true;
}

static double chase_ns(struct line *at, size_t loads)
{
    struct line *volatile keep;
    struct line *p = at;
    uint64_t begin = calibrate_ns();
    for (size_t i = 0; i < loads; i++)
        p = p->next;
    keep = p;
    (void)keep;
    return (double)(calibrate_ns() - begin) / (double)loads;
}

static bool chase_one(struct calibration *c, struct calibrate_row *row, size_t bytes, bool huge)
{
    double ns[CALIBRATE_REPEATS];
    size_t n = bytes / LINE, loads = c->quick ? 20000 : 1000000;
    struct line *at = map(bytes, huge);
    bool linked = at && link_lines(at, n);
    if (linked) {
        chase_ns(at, n < loads ? n : loads); /* warm */
        for (int i = 0; i < c->repeats; i++)
            ns[i] = chase_ns(at, loads);
        calibrate_knot(row, bytes, calibrate_median(ns, c->repeats));
    }
    if (at)
        munmap(at, bytes);
    return linked;
}

static void chase(struct calibration *c, const char *leaf, bool huge, const char *how)
{
    struct calibrate_row *row = calibrate_table(c, leaf, "ns", how);
    long long memory = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    size_t most = c->quick ? 4 * MIB : 512 * MIB;
    for (size_t bytes = 16384; bytes <= most && (long long)bytes < memory / 8; bytes *= 2)
        if (!chase_one(c, row, bytes, huge))
            c->failed = true;
}

/* ---- bandwidth ---- */

static uint64_t sum(const uint64_t *p, size_t n)
{
    uint64_t s[8] = {0};
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            s[k] += p[i + (size_t)k];
    return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

static void bandwidth(struct calibration *c)
{
    double rd[CALIBRATE_REPEATS], cp[CALIBRATE_REPEATS];
    size_t bytes = c->quick ? 8 * MIB : 256 * MIB;
    char *from = map(bytes, true), *to = map(bytes, true);
    if (from && to) {
        touch(from, bytes, 4096);
        touch(to, bytes, 4096);
        for (int i = 0; i < c->repeats; i++) {
            uint64_t t0 = calibrate_ns();
            volatile uint64_t keep = sum((const uint64_t *)(void *)from, bytes / 8);
            (void)keep;
            uint64_t t1 = calibrate_ns();
            memcpy(to, from, bytes);
            uint64_t t2 = calibrate_ns();
            rd[i] = (double)bytes / (double)(t1 - t0);
            cp[i] = (double)bytes / (double)(t2 - t1);
        }
        calibrate_add(c, "mem.read_bandwidth", "GB/s", rd, c->repeats,
                      "one core sums 256 MiB of 64-bit words");
        calibrate_add(c, "mem.copy_bandwidth", "GB/s", cp, c->repeats,
                      "one core copies 256 MiB with memcpy; bytes copied, not bytes moved");
    } else {
        c->failed = true;
    }
    if (from)
        munmap(from, bytes);
    if (to)
        munmap(to, bytes);
}

/* ---- NUMA ---- */

static bool bind_node(void *p, size_t bytes, unsigned node)
{
    enum { MPOL_BIND_ = 2 };
    unsigned long mask = 1ul << node;
    return !syscall(SYS_mbind, p, bytes, MPOL_BIND_, &mask, sizeof mask * 8, 0);
}

/* Latency of memory on each node, as seen from where we run. */
static void numa(struct calibration *c)
{
    if (thismachine_number("/sys/devices/system/node/node1/cpumap", -1) < 0 &&
        access("/sys/devices/system/node/node1", F_OK)) {
        calibrate_skip(c, "mem.node_latency", "there is one NUMA node");
        return;
    }
    size_t bytes = c->quick ? 4 * MIB : 256 * MIB;
    struct calibrate_row *row = calibrate_table(
        c, "mem.node_latency", "ns", "pointer chase through 256 MiB bound to node x, from node 0");
    for (unsigned node = 0; node < 64; node++) {
        struct line *at = map(bytes, true);
        if (!at || !bind_node(at, bytes, node) || !link_lines(at, bytes / LINE))
            node = 64;
        else
            calibrate_knot(row, node, chase_ns(at, c->quick ? 20000 : 2000000));
        if (at)
            munmap(at, bytes);
    }
}

int calibrate_memory(struct calibration *c, struct err *e)
{
    (void)e;
    calibrate_pin(c->cpu);
    size_t area = c->quick ? 8 * MIB : 64 * MIB;
    fault_cost(c, "mem.fault_4k", 4096, area, "first touch of anonymous 4 KiB pages");
    fault_cost(c, "mem.fault_2m", HUGE_, area,
               "first touch of anonymous 2 MiB pages (MADV_HUGEPAGE)");
    chase(c, "mem.chase_4k", false,
          "pointer chase, random order, 4 KiB pages, by working set in bytes");
    chase(c, "mem.chase_2m", true,
          "the same after MADV_HUGEPAGE (2 MiB pages where the kernel gives them)");
    bandwidth(c);
    numa(c);
    return 0;
}
