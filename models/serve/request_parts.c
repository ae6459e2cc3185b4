#include "models/serve/request_parts.h"

#include <string.h>

static const char *const name[REQUEST_PARTS] = {"intake",    "policy", "queue",  "prefill",
                                                "preempted", "ship",   "decode", "send"};

void request_parts_begin(struct request_parts *p)
{
    *p = (struct request_parts){{.parts = REQUEST_PARTS}, {.parts = REQUEST_PARTS}};
}

void request_parts_free(struct request_parts *p)
{
    breakdown_free(&p->first);
    breakdown_free(&p->whole);
}

static void add(struct breakdown *b, const struct request_clock *c, uint64_t send)
{
    uint64_t part[REQUEST_PARTS];
    memcpy(part, c->spent, sizeof part);
    part[PART_SEND] += send / 1000;
    breakdown_add(b, part);
}

void request_parts_first(struct request_parts *p, const struct request_clock *c, uint64_t send)
{
    add(&p->first, c, send);
}

void request_parts_last(struct request_parts *p, const struct request_clock *c, uint64_t send)
{
    add(&p->whole, c, send);
}

void request_parts_report(const struct request_parts *p, struct measures *out)
{
    breakdown_report(&p->whole, "share", name, out);
    breakdown_report(&p->first, "ttft_share", name, out);
}
