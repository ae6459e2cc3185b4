/* calibrate_cpu.c - sockets, cores and threads as the kernel lists them. */
#include <stdio.h>
#include <unistd.h>

#include "harness/base/thismachine.h"
#include "harness/calibrate/calibrate.h"

enum { CPUS_MAX = 4096 };

static long topology(long cpu, const char *what)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/topology/%s", cpu, what);
    return thismachine_number(path, -1);
}

/* How many different (package, core) pairs the first n CPUs have; cores false: packages only. */
static long distinct(long n, bool cores)
{
    long found = 0;
    for (long i = 0; i < n; i++) {
        bool seen = false;
        for (long k = 0; k < i && !seen; k++)
            seen = topology(k, "physical_package_id") == topology(i, "physical_package_id") &&
                   (!cores || topology(k, "core_id") == topology(i, "core_id"));
        found += !seen;
    }
    return found;
}

int calibrate_cpu(struct calibration *c, struct err *e)
{
    (void)e;
    static const char how[] = "as the kernel lists it below /sys/devices/system/cpu";
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1 || n > CPUS_MAX || topology(0, "core_id") < 0) {
        calibrate_skip(c, "cpu.sockets", "the kernel does not list the topology");
        return 0;
    }
    long sockets = distinct(n, false), cores = distinct(n, true);
    calibrate_fact(c, "cpu.sockets", "1", (double)sockets, how);
    calibrate_fact(c, "cpu.cores_per_socket", "1", (double)cores / (double)sockets, how);
    calibrate_fact(c, "cpu.threads_per_core", "1", (double)n / (double)cores, how);
    long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE), l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (l2 > 0)
        calibrate_fact(c, "cpu.l2", "B", (double)l2, "sysconf(_SC_LEVEL2_CACHE_SIZE)");
    if (l3 > 0)
        calibrate_fact(c, "cpu.l3", "B", (double)l3, "sysconf(_SC_LEVEL3_CACHE_SIZE)");
    return 0;
}
