/* kernel_world.h - the microkernel's operations: clients, servers and a device, as programs of
 * threads.  Building runs out of memory into sim_failed().                                     */
#ifndef MODELS_KERNEL_KERNEL_WORLD_H
#define MODELS_KERNEL_KERNEL_WORLD_H

#include "models/kernel/kernel_model.h"

struct world;

struct client {
    struct world *w;
    struct kernel_timer timer;
    struct uk_thread *thread;
    uint32_t cap;
    bool begun, rested;
    uint32_t note;   /* its notification's capability, */
    uint32_t signal; /* and the server's to it */
    unsigned phase;
};

struct server {
    struct world *w;
    uint32_t cap;
    uint64_t serving; /* which client; 0: none */
    struct uk_thread *thread;
    uint32_t to;   /* capability to the server behind it */
    uint32_t note; /* the notification that it waits for or is bound to */
    bool worked;
    unsigned phase;
};

struct world {
    struct kernel_run *r;
    const struct kernel_setup *set;
    struct uk *uk;
    struct client client[KERNEL_CLIENTS];
    struct server server[KERNEL_CLIENTS];
    uint32_t running; /* clients */
    uint32_t irq, ack;
    uint32_t done[KERNEL_CLIENTS]; /* block requests that the device has done, a ring: clients */
    uint32_t n_done, next_done;
};

void world_start(struct client *c); /* the measured time of its operation */
void world_stop(struct client *c);  /* unless it has not begun */
/* Whether this client goes on; the last one to end ends the run. */
bool world_more(struct client *c);

/* On the way to a thread: active ones have a scheduling context of their own. */
struct uk_spec world_spec(const struct world *w, uint32_t core, uint32_t prio, uint32_t space,
                          bool active);
struct uk_thread *world_thread(struct world *w, struct uk_spec spec, uk_program *program,
                               void *ctx);
/* A driver that waits for an interrupt of core 0; false: out of memory. */
bool world_driver(struct world *w, struct uk_spec spec, uk_program *program);
void world_spin(struct world *w); /* client 0 computes at the lowest priority of core 0 */

enum { WORLD_GAP = 10000 }; /* ns between an acknowledgement and the device's next interrupt */

void world_build_block(struct world *w);
void world_build_net(struct world *w);

#endif
