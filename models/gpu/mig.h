/* mig.h - MIG: which slices a GPU can be cut into, and where they may lie.
 *
 * A GPU has compute slices (7, on the A30 4) and memory slices (8, 4): those of
 * its largest profile.  An instance of a profile takes `memory_slices` memory
 * slices in a row, beginning at a multiple of that number, and the `slices`
 * compute slices of the same number as the first of these, all of which must
 * exist.  Nothing overlaps.  From this one rule follow the starts that the
 * driver lists (nvidia-smi mig -lgipp: 1g 0..6, 2g 0 2 4, 3g 0 4, 4g 0, 7g 0;
 * 1g with double memory 0 2 4 6), and that beside two 3g nothing fits though
 * a compute slice is left.  Profiles come from the machine profile:
 *
 *   gpu.mig.<profile>.{slices, sms, memory, copy_engines, memory_slices, max}
 *
 * An instance's memory and bandwidth are its share of the memory slices; the
 * bytes that it can allocate (`memory`) are a little less.                   */
#ifndef MODELS_GPU_MIG_H
#define MODELS_GPU_MIG_H

#include "models/gpu/device.h"

enum { MIG_PROFILES_MAX = 16, MIG_NAME_MAX = 24, MIG_SLICES_MAX = 8 };
#define MIG_ANYWHERE UINT32_MAX

struct mig_profile {
    char name[MIG_NAME_MAX]; /* "3g.20gb" */
    uint32_t slices;         /* compute */
    uint32_t memory_slices;
    uint32_t sms;
    uint32_t copy_engines;
    uint32_t max;    /* so many on one GPU */
    uint64_t memory; /* bytes that can be allocated */
};

struct mig_table {
    const char *machine;                          /* borrowed */
    struct mig_profile profile[MIG_PROFILES_MAX]; /* as the machine profile lists them */
    uint32_t n;
    uint32_t slices, memory_slices; /* of the GPU */
};
/* Fails when the machine has none, or when they contradict each other. */
int mig_table_read(struct mig_table *t, struct machine_use *u, struct err *e) MUST_CHECK;
/* NULL: no such profile. */
const struct mig_profile *mig_profile(const struct mig_table *t, const char *name);
/* Set of the memory slices at which p may begin: bit s for slice s. */
uint32_t mig_starts(const struct mig_table *t, const struct mig_profile *p);

struct mig_instance {
    const struct mig_profile *profile; /* NULL: free */
    uint32_t start;
};
struct mig { /* one GPU cut into instances; begin with {.table = t} */
    const struct mig_table *table;
    struct mig_instance instance[MIG_SLICES_MAX];
};
/* At `start`, or at the first place where it fits.  The number of the instance (0..) goes to
 * *number; w gets what device_partition() wants to hear. */
int mig_place(struct mig *m, const char *profile, uint32_t start, uint32_t *number,
              struct device_partition_want *w, struct err *e) MUST_CHECK;
void mig_remove(struct mig *m, uint32_t number);
/* Whether one more of p fits, without moving anything. */
bool mig_fits(const struct mig *m, const struct mig_profile *p);

/* All of `names` at once, each NAME or NAME@START, in whatever order of places there is one; w[i]
 * for names[i].  At most MIG_SLICES_MAX. */
int mig_layout(struct mig *m, const char *const *names, uint32_t n, struct device_partition_want *w,
               struct err *e) MUST_CHECK;

#endif
