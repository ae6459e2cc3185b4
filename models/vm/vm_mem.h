/* vm_mem.h - a vCPU and its guest's memory: touches that fault, and the balloon. */
#ifndef MODELS_VM_VM_MEM_H
#define MODELS_VM_VM_MEM_H

#include "models/vm/guest_mem.h"
#include "models/vm/vm.h"

/* The guest touches a page, as its next operation: free where it is mapped, else an EPT violation
 * with what the host does then.  TOUCH_FULL: nothing was done and no operation begun. */
enum guest_touch vcpu_touch(struct vcpu *v, struct guest_mem *m, uint64_t page, bool write,
                            uint64_t content, const struct vcpu_then *then);

/* virtio-balloon: the guest's driver takes pages from the top down and tells the VMM of up to 256
 * at a time by an exit to user space, which gives each back to the host (hypervisor.balloon.page).
 */
struct balloon;
struct balloon *balloon_new(struct vcpu *v, struct guest_mem *m); /* NULL: out of memory */
void balloon_free(struct balloon *b);
/* Towards so many pages in the balloon, as the vCPU's next operation; then.done when there, or
 * when no page is left to take. */
void balloon_set(struct balloon *b, uint64_t pages, const struct vcpu_then *then);
uint64_t balloon_pages(const struct balloon *b);

#endif
