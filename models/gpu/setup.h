/* setup.h - the "gpu" section of an experiment: who shares which GPU, and how. */
#ifndef MODELS_GPU_SETUP_H
#define MODELS_GPU_SETUP_H

#include "models/mlaas/mlaas.h"
#include "models/gpu/device.h"
#include "models/gpu/events.h"
#include "models/gpu/remote.h"
#include "models/gpu/rescale.h"
#include "policies/policy.h"

#define SHARINGS(X)                                                                                \
    X(EXCLUSIVE, "exclusive")                                                                      \
    X(TIME_SLICE, "time-slice")                                                                    \
    X(VGPU_EQUAL, "vgpu-equal")                                                                    \
    X(VGPU_FIXED, "vgpu-fixed")                                                                    \
    X(MPS, "mps")                                                                                  \
    X(MIG, "mig")                                                                                  \
    X(DISPATCH, "dispatch")
enum gpu_sharing {
#define X(id, name) SHARING_##id,
    SHARINGS(X)
#undef X
};

enum gpu_arrival { ARRIVE_LOOP, ARRIVE_POISSON, ARRIVE_UNIFORM, ARRIVE_LIST, ARRIVE_TRACE };

enum {
    GPU_DEVICES_MAX = 64,
    GPU_PARTITIONS_MAX = 16,
    GPU_COPIES_MAX = 64,
    GPU_ANYONE = UINT32_MAX
};

struct gpu_client_setup {
    const char *name;    /* borrowed from the section */
    const char *program; /* name in "programs"; borrowed */
    uint32_t copies, device, partition, weight, trace_tenant;
    int32_t prio;
    uint32_t sms_milli;     /* MPS percentage x 10; 0: all */
    uint64_t count, warmup; /* iterations; count 0: until the run ends */
    uint64_t memory;        /* bytes, held all the time */
    enum gpu_arrival arrival;
    double rate;               /* per second */
    const struct config *list; /* ARRIVE_LIST: seconds, ascending */
    sim_time start, think, deadline;
    bool background;          /* the run does not wait for it */
    const struct config *at;  /* where it stands, for complaints */
    struct rescale_from from; /* the GPU of its capture */
};

struct gpu_setup {
    enum gpu_sharing sharing;
    sim_time timeslice; /* 0: the profile's */
    uint32_t vgpus;     /* seats of a GPU with fixed shares; 0: as many as there are tenants */
    struct device_partition_want partition[GPU_PARTITIONS_MAX];
    const char *slice[GPU_PARTITIONS_MAX]; /* MIG profiles of all partitions, or of none */
    uint32_t partitions;
    struct rescale_from from;
    bool smallest_lags;         /* not the captured lags, but the smallest of their kind */
    bool together;              /* blocks of a kernel's wave end together */
    bool device_gaps;           /* the profile's gaps between kernels, not the captured ones */
    sim_cost launch;            /* added to every launch */
    enum remote_kind remote;    /* the channel to whoever holds the GPU */
    uint32_t coalesce;          /* calls in one message of it */
    double host;                /* CPU times are so many times the captured ones */
    const char *captured_under; /* stack; NULL: native */
    bool polls;                 /* threads poll for the end of their work */
    uint32_t queue_depth;       /* of a channel; 0: no bound; GPU_ANYONE: the profile's */
    bool normalize;
    sim_time duration; /* 0: until the counts are done */
    sim_time share_period;
    struct mlaas_config infer;       /* behind gpu.share and gpu.dispatch */
    uint32_t window;                 /* rows of a replayed trace that are in flight at most */
    struct gpu_client_setup *client; /* each of copies 1: they are multiplied here */
    struct gpu_event *event;         /* in order of time */
    size_t events;
    size_t clients; /* 0: one long trace is replayed */
};

int gpu_setup_read(struct gpu_setup *s, const struct config *section, struct err *e) MUST_CHECK;
/* Refuses what was said and could have no effect; called by gpu_setup_read. */
int gpu_setup_idle(const struct gpu_setup *s, const struct config *section,
                   struct err *e) MUST_CHECK;
/* Fills `partition` where they are named by MIG profiles. */
int gpu_setup_slices(struct gpu_setup *s, struct machine_use *u, struct err *e) MUST_CHECK;
void gpu_setup_free(struct gpu_setup *s);
const char *gpu_sharing_name(enum gpu_sharing s);

#endif
