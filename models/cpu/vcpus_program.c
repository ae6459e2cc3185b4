/* vcpus_program.c - programs by name, from the profile's "guest" section. */
#include <inttypes.h>
#include <stdio.h>

#include "models/cpu/vcpus.h"

static int ps(struct machine_use *u, const char *program, const char *what, sim_cost *out,
              struct err *e)
{
    char name[96];
    snprintf(name, sizeof name, "guest.%s.%s", program, what);
    return machine_ps(u, name, out, e);
}

static int number(struct machine_use *u, const char *program, const char *what, uint32_t most,
                  uint32_t *out, struct err *e)
{
    char name[96];
    double v = 0;
    snprintf(name, sizeof name, "guest.%s.%s", program, what);
    int rc = machine_value(u, name, QUANTITY_COUNT, &v, e);
    if (!rc && !(v >= 0 && v <= most && v == (uint32_t)v))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: got %g, want an integer 0..%" PRIu32,
                     u->machine->name, name, v, most);
    if (!rc)
        *out = (uint32_t)v;
    return rc;
}

static int spin_locks(struct vcpus_program *p, struct machine_use *use, const char *name,
                      struct err *e)
{
    static const char *const names[] = {
#define X(name, what) #name,
        VCPUS_SPIN_LOCKS(X)
#undef X
    };
    int rc = 0;
    for (int i = 0; !rc && i < VCPUS_SPIN_LOCKS_N; i++) {
        rc = number(use, name, names[i], 1000000, &p->spin[i], e);
        p->spins += p->spin[i];
    }
    return rc;
}

static int sections(struct vcpus_program *p, struct machine_use *use, const char *name,
                    uint64_t bytes, struct err *e)
{
    sim_cost out_byte = 0, in_byte = 0;
    int rc = number(use, name, "files", 64, &p->files, e);
    if (!rc)
        rc = ps(use, name, "inside", &p->inside, e);
    if (!rc)
        rc = spin_locks(p, use, name, e);
    if (!rc && p->spins)
        rc = ps(use, name, "spin_inside", &p->spin_inside, e);
    p->sections += p->spins;
    if (!rc && bytes)
        rc = ps(use, name, "outside_byte", &out_byte, e);
    if (!rc && bytes)
        rc = ps(use, name, "inside_byte", &in_byte, e);
    p->outside += out_byte * bytes;
    p->inside += in_byte * bytes;
    if (!rc && !p->files)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": guest.%s.files: got 0, want 1..64",
                     use->machine->name, name);
    return rc;
}

int vcpus_program(struct vcpus_program *p, struct machine_use *use, const char *name,
                  uint64_t bytes, struct lock_config *lock, struct err *e)
{
    sim_cost after = 0, patience = 0, yield = 0;
    *p = (struct vcpus_program){.files = 1};
    int rc = ps(use, name, "outside", &p->outside, e);
    if (!rc)
        rc = number(use, name, "sections", 1000000, &p->sections, e);
    if (!rc && p->sections)
        rc = sections(p, use, name, bytes, e);
    if (!rc)
        rc = ps(use, "lock", "handover", &lock->handover, e);
    if (!rc)
        rc = ps(use, "lock", "block", &lock->block, e);
    if (!rc)
        rc = ps(use, "lock", "wake", &lock->wake, e);
    if (!rc)
        rc = ps(use, "lock", "handoff_after", &after, e);
    if (!rc)
        rc = ps(use, "lock", "patience", &patience, e);
    if (!rc)
        rc = ps(use, "lock", "yield_after", &yield, e);
    lock->handoff_after = after / 1000;
    lock->ple_window = yield / 1000;
    lock->patience = patience / 1000;
    if (!rc && p->outside < 1000)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": guest.%s.outside: want at least 1 ns",
                     use->machine->name, name);
    return rc;
}
