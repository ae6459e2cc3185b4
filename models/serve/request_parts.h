/* request_parts.h - what the time of a request is made of: one part after the other, without gaps.
 */
#ifndef MODELS_SERVE_REQUEST_PARTS_H
#define MODELS_SERVE_REQUEST_PARTS_H

#include "sim/breakdown.h"
#include "sim/time.h"

enum request_part {
    PART_INTAKE,    /* from the wire to the server, or the router */
    PART_POLICY,    /* until the policies have answered, and somebody takes it in */
    PART_QUEUE,     /* until its prompt is let into a batch */
    PART_PREFILL,   /* until its first token; iterations that others' work makes longer, too */
    PART_PREEMPTED, /* since it was preempted, or its engine failed, until it is as far again */
    PART_SHIP,      /* its KV cache from the engine of its prompt into a batch of the other */
    PART_DECODE,    /* the other tokens */
    PART_SEND,      /* of a token: from the engine to the wire */
    REQUEST_PARTS
};

/* Of one request.  Zeroed but for `since`, it has just arrived then. */
struct request_clock {
    enum request_part part;
    sim_time since, spent[REQUEST_PARTS];
};

static inline void request_enters(struct request_clock *c, enum request_part part, sim_time now)
{
    c->spent[c->part] += now - c->since;
    c->part = part;
    c->since = now;
}

/* Of all that are done. */
struct request_parts {
    struct breakdown first, whole; /* up to the first token, up to the last */
};

void request_parts_begin(struct request_parts *p);
void request_parts_free(struct request_parts *p);
/* What the clock has by now; send: of the token, ps. */
void request_parts_first(struct request_parts *p, const struct request_clock *c, uint64_t send);
void request_parts_last(struct request_parts *p, const struct request_clock *c, uint64_t send);
/* Measures share.*, share_p99.*, ttft_share.*, ttft_share_p99.*. */
void request_parts_report(const struct request_parts *p, struct measures *out);

#endif
