/* vlapic.h - a virtual interrupt controller: which vectors wait, which are served.
 *
 * 256 vectors, a higher one first.  A vector that is raised while it already
 * waits is the same interrupt (edge, collapsed), as in hardware; `raised` and
 * `collapsed` count both, so that
 *
 *     raised = collapsed + delivered + waiting         at any time.
 *
 * Whoever may be on another CPU posts to pir (the posted-interrupt
 * descriptor); the vCPU itself moves that to irr before it looks.            */
#ifndef MODELS_VM_VLAPIC_H
#define MODELS_VM_VLAPIC_H

#include <stdbool.h>
#include <stdint.h>

enum { VLAPIC_VECTORS = 256, VLAPIC_NONE = -1 };

struct vlapic {
    uint64_t pir[VLAPIC_VECTORS / 64]; /* posted, not yet seen by the vCPU */
    uint64_t irr[VLAPIC_VECTORS / 64]; /* requested */
    uint64_t isr[VLAPIC_VECTORS / 64]; /* being served */
    bool masked;                       /* the guest runs with interrupts off */
    uint64_t raised, collapsed, delivered;
};

/* true: it is new; false: it collapsed into one that waits. */
bool vlapic_post(struct vlapic *l, uint8_t vector);
bool vlapic_waiting(const struct vlapic *l);    /* posted or requested, whatever masks it */
int vlapic_deliverable(const struct vlapic *l); /* the vector to serve next, or VLAPIC_NONE */
int vlapic_accept(struct vlapic *l);            /* takes it into service */
void vlapic_eoi(struct vlapic *l);              /* the highest in service is done */
unsigned vlapic_count(const struct vlapic *l);  /* how many wait */

#endif
