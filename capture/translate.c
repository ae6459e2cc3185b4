/* translate.c - see translate.h */
#include "capture/translate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct raw_head head(enum raw_type type, size_t size, uint32_t correlation)
{
    return (struct raw_head){(uint16_t)type, (uint16_t)size, correlation};
}

static uint64_t product(const int32_t v[3])
{
    return (uint64_t)(uint32_t)v[0] * (uint32_t)v[1] * (uint32_t)v[2];
}

static void kernel(struct translate *t, const struct cupti_kernel *k)
{
    struct raw_kernel r = {.head = head(RAW_KERNEL, sizeof r, k->correlation),
                           .begin = k->begin,
                           .end = k->end,
                           .device = k->device,
                           .context = k->context,
                           .stream = k->stream,
                           .name = sink_name(t->sink, k->name),
                           .grid = product(k->grid),
                           .block = (uint32_t)product(k->block),
                           .registers = k->registers,
                           .smem = (uint32_t)(k->smem_static + k->smem_dynamic)};
    sink_put(t->sink, &r);
}

static void copy(struct translate *t, const struct cupti_memcpy *c)
{
    struct raw_copy r = {.head = head(RAW_COPY, sizeof r, c->correlation),
                         .begin = c->begin,
                         .end = c->end,
                         .bytes = c->bytes,
                         .device = c->device,
                         .context = c->context,
                         .stream = c->stream,
                         .kind = c->copy,
                         .from = c->from,
                         .to = c->to};
    sink_put(t->sink, &r);
}

static void copy_peer(struct translate *t, const struct cupti_memcpy_peer *c)
{
    struct raw_copy r = {.head = head(RAW_COPY, sizeof r, c->correlation),
                         .begin = c->begin,
                         .end = c->end,
                         .bytes = c->bytes,
                         .device = c->device,
                         .context = c->context,
                         .stream = c->stream,
                         .kind = c->copy,
                         .from = c->from,
                         .to = c->to};
    sink_put(t->sink, &r);
}

static void set(struct translate *t, const struct cupti_memset *c)
{
    struct raw_copy r = {.head = head(RAW_SET, sizeof r, c->correlation),
                         .begin = c->begin,
                         .end = c->end,
                         .bytes = c->bytes,
                         .device = c->device,
                         .context = c->context,
                         .stream = c->stream};
    sink_put(t->sink, &r);
}

static bool worth_keeping(const char *name)
{
    static const char *const words[] = {"Launch",      "Memcpy",          "Memset", "EventRecord",
                                        "Synchronize", "StreamWaitEvent", NULL};
    for (int i = 0; words[i]; i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

/* cudaLaunchKernel_v7000 is cudaLaunchKernel. */
static void without_version(char text[RAW_TEXT])
{
    char *v = strrchr(text, '_');
    if (v && v[1] == 'v' && v[2] && v[2 + strspn(v + 2, "0123456789")] == 0)
        *v = 0;
}

static void know_call(struct translate *t, int domain, uint32_t call, struct translate_call *c)
{
    const char *name = NULL;
    char text[RAW_TEXT];
    c->state = CALL_DROPPED;
    if (t->cupti->cuptiGetCallbackName(domain, call, &name) || !name || !worth_keeping(name))
        return;
    snprintf(text, sizeof text, "%s", name);
    without_version(text);
    c->name = sink_name(t->sink, text);
    c->state = CALL_KEPT;
}

static void call(struct translate *t, int domain, const struct cupti_api *a)
{
    if (a->call >= TRANSLATE_CALLS)
        return;
    struct translate_call *c = &t->call[domain == CUPTI_DOMAIN_RUNTIME][a->call];
    if (c->state == CALL_NEW)
        know_call(t, domain, a->call, c);
    if (c->state == CALL_DROPPED)
        return;
    struct raw_call r = {.head = head(RAW_CALL, sizeof r, a->correlation),
                         .begin = a->begin,
                         .end = a->end,
                         .thread = a->thread,
                         .name = c->name};
    sink_put(t->sink, &r);
}

static void synchronize(struct translate *t, const struct cupti_sync *s)
{
    struct raw_sync r = {.head = head(RAW_SYNC, sizeof r, s->correlation),
                         .begin = s->begin,
                         .end = s->end,
                         .kind = s->type,
                         .context = s->context,
                         .stream = s->stream,
                         .event = s->event};
    if (s->type >= RAW_SYNC_EVENT && s->type <= RAW_SYNC_CONTEXT)
        sink_put(t->sink, &r);
}

static void event(struct translate *t, const struct cupti_event *v)
{
    struct raw_event r = {.head = head(RAW_EVENT, sizeof r, v->correlation),
                          .context = v->context,
                          .stream = v->stream,
                          .event = v->event};
    sink_put(t->sink, &r);
}

void translate_record(struct translate *t, const void *record)
{
    switch (*(const uint32_t *)record) {
    case CUPTI_KERNEL:
    case CUPTI_CONCURRENT_KERNEL:
        kernel(t, record);
        return;
    case CUPTI_MEMCPY:
        copy(t, record);
        return;
    case CUPTI_MEMCPY_PEER:
        copy_peer(t, record);
        return;
    case CUPTI_MEMSET:
        set(t, record);
        return;
    case CUPTI_DRIVER:
        call(t, CUPTI_DOMAIN_DRIVER, record);
        return;
    case CUPTI_RUNTIME:
        call(t, CUPTI_DOMAIN_RUNTIME, record);
        return;
    case CUPTI_SYNC:
        synchronize(t, record);
        return;
    case CUPTI_EVENT:
        event(t, record);
        return;
    }
}
