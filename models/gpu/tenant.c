#include "models/gpu/tenant.h"

#include <assert.h>

void gpu_tenant_request(struct gpu_tenant *t, sim_time came, sim_time deadline)
{
    t->request_ns = came ? came : 1; /* 0 says that there is none */
    t->deadline_ns = deadline;
}

void gpu_tenant_answered(struct gpu_tenant *t, sim_time now)
{
    assert(t->request_ns && "answered without a request");
    t->latency_ns = now > t->request_ns ? now - t->request_ns : 1;
    t->request_ns = t->deadline_ns = 0;
}

void gpu_tenant_see(const struct gpu_tenant *t, uint32_t sms, bool oracle,
                    struct policy_gpu_tenant *out)
{
    struct device_use used;
    struct device_running run;
    assert(sms > 0);
    device_context_used(t->context, &used);
    device_context_running(t->context, &run);
    *out = (struct policy_gpu_tenant){.id = t->id,
                                      .prio = t->prio,
                                      .weight = t->weight,
                                      .running = run.commands,
                                      .used_ns = used.sm_time / sms / 1000,
                                      .done = used.kernels,
                                      .deadline_ns = t->deadline_ns,
                                      .request_ns = t->request_ns,
                                      .latency_ns = t->latency_ns,
                                      .running_sms = run.sms,
                                      .running_milli = run.bandwidth,
                                      .running_left_ns = run.left,
                                      .oracle_next_ns = oracle ? t->next_ns : 0};
}
