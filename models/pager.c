#include "models/pager.h"

#include <stddef.h>

/* ---- what it costs, from the profile ----------------------------------------- */

static int rate(struct machine_use *u, const char *name, double *ps_per_byte, struct err *e)
{
    double v = 1;
    int rc = machine_value(u, name, QUANTITY_RATE, &v, e);
    if (!rc && v <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: want more than 0", u->machine->name, name);
    *ps_per_byte = 1e12 / v;
    return rc;
}

static int open_paths(struct pager *p, const struct stack *s, struct machine_use *u, struct err *e)
{
    static const struct {
        enum pager_way way;
        enum stack_path_id path;
        size_t at;
    } paths[] = {
        {PAGER_COPIES, STACK_copy, offsetof(struct pager, copy)},
        {PAGER_STAGED, STACK_copy, offsetof(struct pager, copy)},
        {PAGER_STAGED, STACK_launch, offsetof(struct pager, launch)},
        {PAGER_STAGED, STACK_complete, offsetof(struct pager, complete)},
        {PAGER_ASKED, STACK_move, offsetof(struct pager, move)},
        {PAGER_ASKED, STACK_move_page, offsetof(struct pager, move_page)},
        {PAGER_FAULTS, STACK_move, offsetof(struct pager, move)}, /* out: nobody faults for it */
        {PAGER_FAULTS, STACK_move_page, offsetof(struct pager, move_page)},
        {PAGER_FAULTS, STACK_gpu_fault, offsetof(struct pager, fault)},
    };
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof paths / sizeof *paths; i++)
        if (paths[i].way == p->c.way)
            rc = stack_cost(s, paths[i].path, u, (struct stack_cost *)((char *)p + paths[i].at), e);
    return rc;
}

static int open_faults(struct pager *p, struct machine_use *u, struct err *e)
{
    double n = 1;
    int rc = p->c.way == PAGER_FAULTS ? machine_value(u, "uvm.batch", QUANTITY_COUNT, &n, e) : 0;
    if (!rc && n < 1)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": uvm.batch: want at least 1", u->machine->name);
    p->faults = rc ? 1 : (uint64_t)n;
    return rc;
}

int pager_open(struct pager *p, const struct pager_config *c, const struct stack *s,
               struct machine_use *u, struct err *e)
{
    double hbm = 1;
    *p = (struct pager){.c = *c};
    int rc = open_paths(p, s, u, e);
    if (!rc)
        rc = open_faults(p, u, e);
    if (!rc)
        rc = machine_table(u, "link.copy", &p->piece, e);
    if (!rc)
        rc = rate(u, "link.copy_both", &p->both_ps, e);
    if (!rc && c->way == PAGER_STAGED)
        rc = rate(u, "host.copy", &p->core_ps, e);
    if (!rc && c->way == PAGER_STAGED)
        rc = rate(u, "gpu.bandwidth", &hbm, e);
    p->gather_ps = c->way == PAGER_STAGED ? 2 * hbm : 0; /* read and written */
    if (!rc && stack_pays(s, STACK_copy, "cost.remote_dispatch"))
        rc = rate(u, "remote.tcp.bandwidth", &p->channel_ps, e);
    return rc;
}

/* ---- moves ------------------------------------------------------------------------ */

static sim_cost bytes_ps(double ps_per_byte, uint64_t bytes)
{
    return (sim_cost)(ps_per_byte * (double)bytes + 0.5);
}

/* n commands of so many bytes on the copy engine, and before it over the channel, if there is one.
 */
static void over_link(const struct pager *p, enum pager_dir dir, uint64_t n, uint64_t bytes,
                      struct pager_work *w)
{
    w->commands += n;
    w->bytes[dir] += n * bytes;
    w->link[dir] += n * machine_table_at(p->piece, bytes) + bytes_ps(p->channel_ps, n * bytes);
}

static void walk(const struct stack_cost *path, uint64_t times, struct pager_work *w)
{
    w->cpu += times * (path->cpu_before + path->wire_before);
    w->os += times * path->os;
    w->crossings += times * path->crossings;
}

static void by_copies(const struct pager *p, enum pager_dir dir, uint64_t n, uint64_t bytes,
                      struct pager_work *w)
{
    walk(&p->copy, n, w);
    w->asked += n;
    over_link(p, dir, n, bytes, w);
}

static void by_staging(const struct pager *p, enum pager_dir dir, uint64_t n, uint64_t bytes,
                       struct pager_work *w)
{
    const uint64_t all = n * bytes, full = all / p->c.staging, rest = all % p->c.staging;
    const uint64_t fills = full + (rest > 0);
    walk(&p->launch, fills, w);
    walk(&p->copy, fills, w);
    walk(&p->complete, fills, w);
    w->asked += 2 * fills;
    w->cpu += bytes_ps(p->core_ps, all);
    w->copied += all;
    over_link(p, dir, full, p->c.staging, w);
    over_link(p, dir, rest > 0, rest, w);
    w->link[dir] += bytes_ps(p->gather_ps, all);
}

/* Each piece begins on a page of its own. */
static uint64_t pages_of(const struct pager *p, uint64_t n, uint64_t bytes)
{
    return n * ((bytes + p->c.page - 1) / p->c.page);
}

static void by_asking(const struct pager *p, enum pager_dir dir, uint64_t pages,
                      struct pager_work *w)
{
    walk(&p->move, 1, w);
    walk(&p->move_page, pages, w);
    w->asked++;
    over_link(p, dir, pages, p->c.page, w);
}

/* The GPU waits for whoever serves a batch, which writes the copies of its pages on the way. */
static void by_faults(const struct pager *p, enum pager_dir dir, uint64_t pages,
                      struct pager_work *w)
{
    const uint64_t batches = (pages + p->faults - 1) / p->faults;
    struct pager_work served = {0};
    walk(&p->fault, batches, &served);
    walk(&p->move_page, pages, &served);
    w->stall += served.cpu;
    w->os += served.os;
    w->crossings += served.crossings;
    w->asked += batches;
    over_link(p, dir, pages, p->c.page, w);
}

void pager_move(const struct pager *p, enum pager_dir dir, uint64_t n, uint64_t bytes,
                struct pager_work *w)
{
    if (!n || !bytes)
        return;
    if (p->c.way == PAGER_COPIES)
        by_copies(p, dir, n, bytes, w);
    else if (p->c.way == PAGER_STAGED)
        by_staging(p, dir, n, bytes, w);
    else if (p->c.way == PAGER_FAULTS && dir == PAGER_IN)
        by_faults(p, dir, pages_of(p, n, bytes), w);
    else
        by_asking(p, dir, pages_of(p, n, bytes), w);
}

/* ---- how long ----------------------------------------------------------------------- */

sim_cost pager_wait(const struct pager *p, const struct pager_work *w)
{
    sim_cost link = w->link[PAGER_IN] > w->link[PAGER_OUT] ? w->link[PAGER_IN] : w->link[PAGER_OUT];
    const sim_cost shared = bytes_ps(p->both_ps, w->bytes[PAGER_IN] + w->bytes[PAGER_OUT]);
    if (w->bytes[PAGER_IN] && w->bytes[PAGER_OUT] && shared > link)
        link = shared;
    return w->stall + (link > w->cpu ? link - w->cpu : 0);
}

/* A pipeline of equal stages: the first part has to come, the last to be computed. */
sim_cost pager_beside(sim_cost wait, sim_cost compute, uint64_t layers)
{
    const sim_cost longer = wait > compute ? wait : compute;
    const sim_cost shorter = wait > compute ? compute : wait;
    return longer + shorter / (layers ? layers : 1);
}

void pager_sum(struct pager_work *to, const struct pager_work *w)
{
    to->cpu += w->cpu;
    to->stall += w->stall;
    for (int d = 0; d < 2; d++) {
        to->link[d] += w->link[d];
        to->bytes[d] += w->bytes[d];
    }
    to->copied += w->copied;
    to->commands += w->commands;
    to->asked += w->asked;
    to->crossings += w->crossings;
    to->os += w->os;
}
