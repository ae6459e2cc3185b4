/* ksm.h - page deduplication, as Linux' KSM does it.
 *
 * A thread of the host wakes every sleep_ns, looks at pages_to_scan pages of the
 * guests it was given, round and round, and merges those that are alike:
 *
 *     with a stable page (one merged before, write-protected): at once;
 *     with a page seen in this round, when both did not change since the last:
 *     that one becomes stable.
 *
 * A write to a stable page gets the writer a copy (guest_mem.h).  Looking and
 * merging take CPU time of the thread (hypervisor.ksm.scan, .merge).         */
#ifndef MODELS_VM_KSM_H
#define MODELS_VM_KSM_H

#include "models/cpu/cpus.h"
#include "models/vm/guest_mem.h"
#include "models/vm/hv_cost.h"

struct ksm_spec {
    uint32_t pages_to_scan; /* 100 in Linux */
    sim_time sleep_ns;      /* 20 ms */
};
struct ksm_counts {
    uint64_t scanned, rounds, merged; /* merged: pages that gave a frame back, ever */
    uint64_t shared;                  /* stable frames, now */
};

struct ksm;
struct ksm *ksm_new(struct sim *s, struct cpus *c, struct frames *f, const struct hv_cost *cost,
                    const struct ksm_spec *spec);    /* NULL: out of memory */
void ksm_free(struct ksm *k);                        /* before frames_free and cpus_free */
bool ksm_add(struct ksm *k, struct guest_mem *m);    /* false: out of memory */
void ksm_forget(struct ksm *k, struct guest_mem *m); /* before it is freed */
void ksm_start(struct ksm *k);
void ksm_stop(struct ksm *k); /* what is merged stays so */
void ksm_counts(const struct ksm *k, struct ksm_counts *out);

#endif
