/* calibrate_kvm.c - a guest of a few instructions, to time its exits.
 *
 * The guest is a loop in real mode: one instruction that exits, counted down
 * to a hlt.  An empty loop is timed as well: it is taken off, and it tells
 * whether the processor runs the guest or KVM emulates it.                   */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/calibrate/calibrate.h"

#if defined(__x86_64__)
#include <linux/kvm.h>

#define PAGE     4096u
#define EMULATED 50.0 /* ns for a turn of the empty loop: no processor is that slow */

struct guest {
    int kvm, vm, vcpu;
    unsigned char *memory;
    struct kvm_run *run;
    size_t run_size;
};

static void guest_close(struct guest *g)
{
    if (g->run && g->run != MAP_FAILED)
        munmap(g->run, g->run_size);
    if (g->memory && g->memory != MAP_FAILED)
        munmap(g->memory, PAGE);
    const int fd[] = {g->vcpu, g->vm, g->kvm};
    for (int i = 0; i < 3; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

static bool guest_memory(struct guest *g)
{
    g->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (g->memory == MAP_FAILED)
        return false;
    struct kvm_userspace_memory_region at = {
        .guest_phys_addr = PAGE, .memory_size = PAGE, .userspace_addr = (uintptr_t)g->memory};
    return !ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &at);
}

static bool guest_open(struct guest *g)
{
    *g = (struct guest){.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), .vm = -1, .vcpu = -1};
    if (g->kvm < 0 || (g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0)) < 0 || !guest_memory(g) ||
        (g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0)) < 0)
        return false;
    int size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size <= 0)
        return false;
    g->run_size = (size_t)size;
    g->run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
    return g->run != MAP_FAILED;
}

/* mov esi, turns; again: xor eax, eax; INSTRUCTION; dec esi; jnz again; hlt */
static void guest_program(struct guest *g, uint32_t turns, const char *bytes, size_t n)
{
    static const unsigned char clear[] = {0x66, 0x31, 0xc0};
    unsigned char *p = g->memory;
    *p++ = 0x66;
    *p++ = 0xbe;
    memcpy(p, &turns, sizeof turns);
    p += sizeof turns;
    unsigned char *again = p;
    memcpy(p, clear, sizeof clear);
    p += sizeof clear;
    memcpy(p, bytes, n);
    p += n;
    *p++ = 0x66;
    *p++ = 0x4e;
    *p++ = 0x75;
    ptrdiff_t back = again - (p + 1);
    *p++ = (unsigned char)back;
    *p = 0xf4;
}

static bool guest_reset(struct guest *g)
{
    struct kvm_sregs s;
    struct kvm_regs r = {.rip = PAGE, .rflags = 2};
    if (ioctl(g->vcpu, KVM_GET_SREGS, &s))
        return false;
    s.cs.base = 0;
    s.cs.selector = 0;
    return !ioctl(g->vcpu, KVM_SET_SREGS, &s) && !ioctl(g->vcpu, KVM_SET_REGS, &r);
}

/* Runs to the hlt; the time of one turn in ns, or negative. */
static double guest_turn(struct guest *g, uint32_t turns, const char *bytes, size_t n)
{
    guest_program(g, turns, bytes, n);
    if (!guest_reset(g))
        return -1;
    uint64_t begin = calibrate_ns();
    for (;;) {
        if (ioctl(g->vcpu, KVM_RUN, 0) && errno != EINTR && errno != EAGAIN)
            return -1;
        if (g->run->exit_reason == KVM_EXIT_HLT)
            return (double)(calibrate_ns() - begin) / turns;
        if (g->run->exit_reason != KVM_EXIT_IO && g->run->exit_reason != KVM_EXIT_INTR)
            return -1;
    }
}

static void probe(struct calibration *c, struct guest *g, const char *leaf, const char *bytes,
                  size_t n, double empty, const char *how)
{
    double us[CALIBRATE_REPEATS];
    uint32_t turns = c->quick ? 1000 : 20000;
    for (int i = 0; i < c->repeats; i++) {
        double ns = guest_turn(g, turns, bytes, n);
        if (ns < 0) {
            calibrate_skip(c, leaf, "KVM does not run the probing guest to its end");
            return;
        }
        us[i] = (ns - empty) / 1e3;
    }
    calibrate_add(c, leaf, "us", us, c->repeats, how);
}

int calibrate_kvm(struct calibration *c, struct err *e)
{
    (void)e;
    struct guest g;
    calibrate_pin(c->cpu);
    double empty = guest_open(&g) ? guest_turn(&g, c->quick ? 10000 : 1000000, "\x90", 1) : -1;
    char why[128];
    if (empty >= 0 && empty < EMULATED) {
        probe(c, &g, "cost.vm_exit", "\x0f\xa2", 2, empty,
              "cpuid in a real-mode guest: exit, handler in the kernel, entry");
        probe(c, &g, "cost.vm_exit_user", "\xe6\x10", 2, empty,
              "out to a port in a real-mode guest: exit to user space and back");
    } else {
        if (empty < 0)
            snprintf(why, sizeof why, "/dev/kvm: %s",
                     g.kvm < 0 ? strerror(errno) : "KVM does not run the probing guest");
        else
            snprintf(
                why, sizeof why,
                "KVM emulates the guest (%.0f ns for three instructions): no hardware behind it",
                empty);
        calibrate_skip(c, "cost.vm_exit", why);
        calibrate_skip(c, "cost.vm_exit_user", why);
    }
    guest_close(&g);
    return 0;
}

#else

int calibrate_kvm(struct calibration *c, struct err *e)
{
    (void)e;
    calibrate_skip(c, "cost.vm_exit", "the probing guest is x86-64 code");
    return 0;
}

#endif
