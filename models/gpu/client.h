/* client.h - one tenant that runs a program again and again: in a loop, or once for each arrival.
 */
#ifndef MODELS_GPU_CLIENT_H
#define MODELS_GPU_CLIENT_H

#include "models/gpu/run.h"

struct client;
/* Copy number `copy` of tenant i; takes its seats.  Appended to r->clients. */
int client_new(struct gpu_run *r, size_t i, uint32_t copy) MUST_CHECK;
void client_start(struct client *c); /* schedules its first iteration */
void client_free(struct client *c);
struct client *client_next(const struct client *c);
/* A request of the experiment's trace. */
void client_request(struct client *c, const struct trace_request *q);
void client_no_more(struct client *c);     /* the trace has no more of them */
void client_score(const struct client *c); /* at the end: adds what it did to its score */

#endif
