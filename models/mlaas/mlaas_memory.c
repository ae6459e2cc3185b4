/* mlaas_memory.c - where weights lie: loaded by the host, copied to the GPU, given back.
 *
 * A network that a policy holds when time begins lies in the host's memory
 * already.  One that is taken hold of later is loaded by a core first
 * (infer.load); its batches wait for that.  The first batch that goes to the
 * GPU has the weights copied there (a submission, then the bytes over
 * link.pcie) and waits with all that come meanwhile.  What nobody holds any
 * more goes when its last batch is done.                                     */
#include <assert.h>

#include "models/mlaas/mlaas_state.h"

#define MIB 0x1p20

/* ---- bytes ------------------------------------------------------------------------------- */

static bool fits(uint64_t used, uint64_t more, double mib)
{
    return mib <= 0 || (double)(used + more) <= mib * MIB;
}

static void peak(uint64_t *most, uint64_t now)
{
    *most = now > *most ? now : *most;
}

static void leave_gpu(struct mlaas *m, struct mlaas_net *n)
{
    assert(!n->gpu_batches);
    if (n->gpu == MLAAS_THERE)
        m->gpu_bytes -= n->bytes;
    n->gpu = MLAAS_ABSENT;
}

/* Of those with nothing under way there, the one used longest ago. */
static struct mlaas_net *idlest(const struct mlaas *m)
{
    struct mlaas_net *found = NULL;
    for (struct mlaas_net *n = m->net; n; n = n->next)
        if (n->gpu == MLAAS_THERE && !n->gpu_batches && (!found || n->gpu_use < found->gpu_use))
            found = n;
    return found;
}

static bool make_room(struct mlaas *m, uint64_t bytes)
{
    while (!fits(m->gpu_bytes, bytes, m->c.gpu_mib)) {
        struct mlaas_net *n = m->c.memory_full == MLAAS_MEMORY_EVICT ? idlest(m) : NULL;
        if (!n || !fits(0, bytes, m->c.gpu_mib))
            return false;
        leave_gpu(m, n);
        m->stats.evictions++;
    }
    return true;
}

/* ---- things that take time --------------------------------------------------------------- */

static bool rate_of(struct mlaas *m, const char *name, double *rate)
{
    int rc = machine_value(m->env.use, name, QUANTITY_RATE, rate, &m->why);
    if (!rc && *rate <= 0)
        rc = err_set(&m->why, ERR_ERANGE, "machine \"%s\": \"%s\" is 0, want more",
                     m->env.use->machine->name, name);
    if (rc)
        mlaas_fail(m, rc);
    return !rc;
}

static void wait(struct mlaas_batch *b)
{
    *b->net->last_waiting = b;
    b->net->last_waiting = &b->next;
    b->next = NULL;
}

static struct mlaas_batch *all_waiting(struct mlaas_net *n)
{
    struct mlaas_batch *b = n->waiting;
    n->waiting = NULL;
    n->last_waiting = &n->waiting;
    return b;
}

/* Weights are here: those who wait go on, each with `go`. */
static void arrived(struct mlaas_net *n, void (*go)(struct mlaas_batch *b))
{
    for (struct mlaas_batch *b = all_waiting(n), *next; b; b = next) {
        next = b->next;
        go(b);
    }
}

static void loaded(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_net *n = ctx;
    n->m->inside--;
    n->loading = false;
    arrived(n, mlaas_trip_place);
    mlaas_memory_idle(n);
}

static void load(struct mlaas *m, struct mlaas_net *n)
{
    double rate;
    if (!rate_of(m, "infer.load", &rate))
        return;
    const sim_cost ps = (sim_cost)((double)n->bytes * 1e12 / rate);
    n->loading = true;
    m->inside++;
    m->stats.loads++;
    m->stats.cpu_ps += ps;
    if (!cores_submit(m->env.cpu, carry_ns(&m->carry, ps), loaded, n, 0))
        mlaas_no_memory(m);
}

static void copied(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_net *n = ctx;
    n->m->inside--;
    n->gpu = MLAAS_THERE;
    arrived(n, mlaas_trip_gpu);
}

static void copy_submitted(void *ctx, uint64_t wire_ns)
{
    struct mlaas_net *n = ctx;
    sim_after(n->m->env.sim, wire_ns, 0, copied, n, 0);
}

static bool copy(struct mlaas *m, struct mlaas_net *n)
{
    double rate;
    if (!rate_of(m, "link.pcie", &rate))
        return false;
    const sim_cost submit = m->ways.gpu.cpu_before;
    const sim_time wire = carry_ns(&m->carry, (sim_cost)((double)n->bytes * 1e12 / rate));
    n->gpu = MLAAS_COMING;
    m->gpu_bytes += n->bytes;
    peak(&m->stats.gpu_bytes, m->gpu_bytes);
    m->inside++;
    m->stats.copies++;
    m->stats.cpu_ps += submit;
    if (!cores_submit(m->env.cpu, carry_ns(&m->carry, submit), copy_submitted, n, wire))
        mlaas_no_memory(m);
    return true;
}

/* ---- what the service asks --------------------------------------------------------------- */

bool mlaas_memory_hold(struct mlaas *m, struct mlaas_net *n, bool at_start)
{
    if (!n->holders && !n->in_host) {
        if (!fits(m->host_bytes, n->bytes, m->c.host_mib))
            return false;
        m->host_bytes += n->bytes;
        peak(&m->stats.host_bytes, m->host_bytes);
        n->in_host = true;
        if (!at_start && n->bytes && !n->batches)
            load(m, n);
    }
    n->holders++;
    return true;
}

void mlaas_memory_idle(struct mlaas_net *n)
{
    struct mlaas *m = n->m;
    if (n->holders || n->batches || n->loading || !n->in_host)
        return;
    if (n->gpu == MLAAS_THERE)
        leave_gpu(m, n);
    m->host_bytes -= n->bytes;
    n->in_host = false;
    m->stats.unloads++;
}

bool mlaas_memory_loaded(struct mlaas_batch *b)
{
    if (b->net->loading)
        wait(b);
    return !b->net->loading;
}

enum mlaas_where mlaas_memory_on_gpu(struct mlaas_batch *b)
{
    struct mlaas_net *n = b->net;
    struct mlaas *m = b->m;
    if (!n->bytes)
        n->gpu = MLAAS_THERE;
    if (n->gpu == MLAAS_ABSENT && (!make_room(m, n->bytes) || !copy(m, n)))
        return MLAAS_ABSENT;
    b->on_gpu = true;
    n->gpu_batches++;
    n->gpu_use = ++m->gpu_uses;
    if (n->gpu == MLAAS_COMING)
        wait(b);
    return n->gpu;
}

void mlaas_bytes(const struct mlaas *m, uint64_t *host, uint64_t *gpu)
{
    *host = m->host_bytes;
    *gpu = m->gpu_bytes;
}
