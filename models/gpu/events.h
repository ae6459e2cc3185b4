/* events.h - what happens to a tenant while it runs: "events" of the "gpu" section. */
#ifndef MODELS_GPU_EVENTS_H
#define MODELS_GPU_EVENTS_H

#include "sim/config.h"
#include "sim/time.h"

struct gpu_setup;
enum gpu_event_kind { EVENT_CHECKPOINT, EVENT_RESTORE, EVENT_MIGRATE };
struct gpu_event {
    sim_time at;
    uint32_t client;    /* index in "tenants": all copies of it */
    uint32_t to_device; /* EVENT_MIGRATE */
    enum gpu_event_kind kind;
    bool pinned; /* the host's memory is */
};
/* Reads s->event; the tenants are there. */
int gpu_events_read(struct gpu_setup *s, const struct config *list, struct err *e) MUST_CHECK;

#endif
