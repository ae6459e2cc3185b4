/* tenant.h - who shares a GPU, as the hooks gpu.dispatch and gpu.share see it.
 *
 * Whoever runs the tenants' programs owns these and says when a request begins
 * and is answered; dispatch.h and share.h read them.  Times are ns.          */
#ifndef MODELS_GPU_TENANT_H
#define MODELS_GPU_TENANT_H

#include "models/gpu/device.h"
#include "policies/policy.h"

struct gpu_tenant {
    uint32_t id;                    /* below POLICY_GPU_TENANTS_MAX, unique on its device */
    int32_t prio;                   /* above 0: latency-critical; 0: best effort */
    uint32_t weight;                /* 1024 is one part */
    struct device_context *context; /* on the device; contexts of a dispatched device run together
                                       (DEVICE_TOGETHER), or nothing is left to dispatch */
    /* kept by the calls below */
    sim_time request_ns, deadline_ns, latency_ns;
    sim_time next_ns; /* when its next request comes; UINT64_MAX: never; 0: not known */
};

/* A request came (or the job's next iteration begins); deadline: 0 none.  Answered: its latency is
 * known from now on. */
void gpu_tenant_request(struct gpu_tenant *t, sim_time came, sim_time deadline);
void gpu_tenant_answered(struct gpu_tenant *t, sim_time now);

/* What its context tells by itself: identity, requests, what runs, what it used so far of `sms`.
 * oracle: when its next request comes, too. */
void gpu_tenant_see(const struct gpu_tenant *t, uint32_t sms, bool oracle,
                    struct policy_gpu_tenant *out);

#endif
