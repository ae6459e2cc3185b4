/* setup.h - the "host" section of an experiment. */
#ifndef MODELS_HOST_SETUP_H
#define MODELS_HOST_SETUP_H

#include "models/host/gpu_part.h"
#include "models/host/program.h"
#include "models/mlaas/mlaas.h"

enum { VM_BATCH_MAX = 256 };
#define VM_HALT_POLL_DEFAULT SIM_NEVER /* the hypervisor's own */

enum { NEEDS_GPU = 1, NEEDS_DISK = 2, NEEDS_MEMORY = 4 };
struct vm_setup {
    const char *name; /* borrowed from the section */
    uint32_t count, vcpus, weight, tick_hz;
    uint64_t memory; /* bytes */
    bool large_pages, disk_passed, gpu, pv_lock;
    bool pins;        /* offload: staging is pinning, by the OS */
    uint32_t batched; /* offload: launches that one crossing takes along; 1: each makes its own */
    uint32_t window;  /* offload: batches of input that the OS reads ahead; 0: the process reads */
    unsigned needs;   /* what its workload uses of the machine: NEEDS_x */
    sim_time halt_poll;
    sim_time budget, period; /* of each vCPU's scheduling context; 0: none */
    double footprint;
    struct gpu_part_setup part; /* of a GPU that others use too */
    struct workload work;
};

enum { VMS_MAX = 64, TENANTS_MAX = 512 };
struct host_setup {
    uint32_t cpus; /* 0: all that the machine has */
    sim_time duration, warmup;
    const char *disk; /* which drive of the profile: "ssd.DISK" */
    struct vm_setup *vm;
    size_t n_vm;
    uint32_t copies;      /* of the whole list */
    const char *baseline; /* a stack to run on as well, or NULL; borrowed */
    uint32_t baseline_copies;
    struct gpu_parts_setup gpus; /* those that VMs have parts of */
    bool parts;                  /* any has */
    struct mlaas_config infer;   /* of policies that ask networks */
};

/* setup_gpu.c: "gpu" of a VM, "gpus" of the section; then whether they go together. */
int setup_gpu_vm(struct vm_setup *v, const struct config *at, struct err *e) MUST_CHECK;
int setup_gpus(struct gpu_parts_setup *s, const struct config *at, struct err *e) MUST_CHECK;
int setup_gpus_fit(const struct host_setup *s, const struct config *section,
                   struct err *e) MUST_CHECK;
/* The sharing that a stack wants which itself says how a GPU is shared; NULL: it goes with the
 * section's, or there are no parts.  stack may be NULL. */
const char *setup_gpus_wanted(const struct host_setup *s, const char *stack);
const char *setup_gpus_name(enum gpu_parts sharing);

int host_setup_read(struct host_setup *s, const struct config *section, struct err *e) MUST_CHECK;
void host_setup_free(struct host_setup *s);

#endif
