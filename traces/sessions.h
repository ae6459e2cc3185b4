/* sessions.h - the sessions that will follow up, soonest first (for synth.c). */
#ifndef TRACES_SESSIONS_H
#define TRACES_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

struct session {
    uint64_t when; /* of its next request */
    uint64_t id;   /* from 1, in order of first request */
    uint32_t cls, tenant, turn;
    uint32_t said; /* tokens so far: the last prompt and its output */
};

struct sessions;
struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);
bool sessions_push(struct sessions *s, const struct session *one); /* false: out of memory */
/* The earliest (then the oldest session) if it is at or before t. */
bool sessions_pop_before(struct sessions *s, uint64_t t, struct session *out);

#endif
