/* crossings.h - what a captured program's calls take on another stack than the one they were
 * captured under: the difference of the two stacks' paths (stack.h), by call.
 *
 * A difference may be below 0; whoever adds it stops at 0.  Bytes cross nothing but the link,
 * except on a stack whose calls go over a channel: they go through it, one copy after the other. */
#ifndef MODELS_GPU_CROSSINGS_H
#define MODELS_GPU_CROSSINGS_H

#include <stdbool.h>

#include "models/gpu/setup.h"
#include "models/machine.h"

struct gpu_crossings {
    int64_t launch, copy; /* ns, to submit one */
    int64_t look;         /* ns, of a wait whose work is done already */
    int64_t answer;       /* ns, from the end of the work until a thread that waited goes on */
    double payload;       /* ps a byte */
};
/* Names NULL: native.  polls: threads poll for the end, path "complete"; else they sleep, "sync".
 */
int gpu_crossings_read(struct gpu_crossings *x, struct machine_use *u, const char *stack,
                       const char *captured_under, bool polls, struct err *e) MUST_CHECK;

/* Adds what a channel to whoever holds the GPU takes: the thread that launches waits for its part
 * of a message; beside it the server must keep up. */
int gpu_crossings_remote(struct gpu_crossings *x, enum remote_kind kind, uint32_t coalesce,
                         struct machine_use *u, struct err *e) MUST_CHECK;

/* Some stacks say how the GPU is shared: a complaint if the experiment says otherwise. */
int gpu_crossings_allow(const struct gpu_setup *s, const char *stack, struct err *e) MUST_CHECK;

static inline uint64_t gpu_crossings_add(uint64_t ns, int64_t more)
{
    return more >= 0 ? ns + (uint64_t)more : ns > (uint64_t)-more ? ns - (uint64_t)-more : 0;
}

#endif
