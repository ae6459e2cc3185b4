/* device.h - the device behind a page cache: what a request and a page of it take,
 * and how that changes in mid-run.
 *
 * A request takes the profile's memory.swap.latency and each page 4 KiB over
 * memory.swap.bandwidth.  "device" in the section is a list of phases: from
 * `from_s` seconds of the trace on, requests and pages take so many times that (a
 * drive that is throttled, a replica farther away).  Two phases alike only divide
 * the report.  Where nothing is said there is one phase, from the start.      */
#ifndef MODELS_MEM_DEVICE_H
#define MODELS_MEM_DEVICE_H

#include "sim/config.h"
#include "sim/measures.h"
#include "sim/time.h"

#define MEM_DEVICE_PHASES 16

struct mem_device_count { /* so far */
    uint64_t requests, pages, accesses;
};

struct mem_device {
    uint32_t n, now; /* phases; the present one */
    struct mem_device_phase {
        double from_s, request, page; /* times what the profile says */
        double io;                    /* ns that it took, once it is over */
        struct mem_device_count done;
    } phase[MEM_DEVICE_PHASES];
    double request, page; /* ns, as the profile says; 0 without a machine */
    struct mem_device_count since;
};

/* list: NULL where the section says nothing. */
int mem_device_config(struct mem_device *d, const struct config *list, struct err *e) MUST_CHECK;
/* The clock is at `now`, with so much asked of it before: phases that ended by then are closed. */
void mem_device_clock(struct mem_device *d, sim_time now, const struct mem_device_count *c);
/* What so much takes in the present phase, ns. */
double mem_device_ns(const struct mem_device *d, uint64_t requests, uint64_t pages);
/* Closes the last phase; ns of all. */
double mem_device_end(struct mem_device *d, const struct mem_device_count *c);
void mem_device_report(const struct mem_device *d, struct measures *out); /* of several phases */

#endif
