/* paging.c - see paging.h. */
#include "models/serve/paging.h"

#include <stdio.h>

#define DRIVE_IO (UINT64_C(1) << 20) /* bytes of one request to the drive */

/* ---- begin --------------------------------------------------------------------- */

static bool by_os(const struct paging *p)
{
    return p->c.pager.way == PAGER_ASKED || p->c.pager.way == PAGER_FAULTS;
}

static int open_pieces(struct paging *p, const struct paging_of *of, struct machine_use *u,
                       struct err *e)
{
    char name[128];
    double layers = 1;
    snprintf(name, sizeof name, "llm.%s.layers", of->model);
    int rc = machine_value(u, name, QUANTITY_COUNT, &layers, e);
    const uint64_t block = KV_BLOCK * of->token_bytes;
    p->layers = layers >= 1 ? (uint64_t)layers : 1;
    p->pieces = p->c.by_layer ? 2 * p->layers : 1;
    p->piece_bytes = (block + p->pieces - 1) / p->pieces;
    return rc;
}

static int drive_rate(struct paging *p, const char *what, double *ps, struct machine_use *u,
                      struct err *e)
{
    char name[128];
    double v = 1;
    snprintf(name, sizeof name, "ssd.%s.%s", p->c.drive, what);
    int rc = machine_value(u, name, QUANTITY_RATE, &v, e);
    if (!rc && v <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: want more than 0", u->machine->name, name);
    *ps = 1e12 / v;
    return rc;
}

static int open_drive(struct paging *p, const struct stack *s, struct machine_use *u, struct err *e)
{
    int rc = drive_rate(p, "read_link", &p->read_ps, u, e);
    if (!rc)
        rc = drive_rate(p, "write_link", &p->write_ps, u, e);
    if (!rc)
        rc = stack_cost(s, by_os(p) ? STACK_os_read : STACK_block_read, u, &p->io, e);
    if (!rc && !by_os(p))
        rc = stack_cost(s, STACK_block_done, u, &p->io_done, e);
    return rc;
}

int paging_begin(struct paging *p, const struct paging_config *c, const struct paging_of *of,
                 struct machine_use *u, struct err *e)
{
    *p = (struct paging){.c = *c};
    if (!c->on)
        return 0;
    int rc = pager_open(&p->pager, &c->pager, of->stack, u, e);
    if (!rc)
        rc = open_pieces(p, of, u, e);
    if (!rc && c->ssd_gib > 0)
        rc = open_drive(p, of->stack, u, e);
    return rc;
}

static uint32_t room(double gib, uint64_t block_bytes)
{
    const double n = gib * 0x1p30 / (double)block_bytes;
    return n < 1 << 28 ? (uint32_t)n : 1 << 28;
}

bool paging_open_store(struct paging *p, const struct paging_of *of)
{
    const uint64_t bytes = of->block_tokens * of->token_bytes;
    p->per_block = of->block_tokens / KV_BLOCK;
    if (!p->c.on || !bytes || !room(p->c.host_gib, bytes))
        return true;
    return kv_store_begin(&p->store, room(p->c.host_gib, bytes), room(p->c.ssd_gib, bytes), bytes);
}

void paging_end(struct paging *p)
{
    kv_store_end(&p->store);
}

/* ---- moves ------------------------------------------------------------------------ */

void paging_move(struct paging *p, enum pager_dir dir, uint64_t kv_blocks)
{
    p->moving[dir] += kv_blocks;
}

/* Host memory gave blocks to the drive, which is busy with them; nobody waits for that. */
static void drive_writes(struct paging *p, uint64_t blocks, sim_time now)
{
    const double ps = (double)(blocks * p->per_block * p->pieces * p->piece_bytes) * p->write_ps;
    const sim_time from = p->drive_free > now ? p->drive_free : now;
    if (blocks)
        p->drive_free = from + (sim_time)(ps / 1000 + 0.5);
}

void paging_gone(struct paging *p, uint64_t hash, sim_time now)
{
    const uint64_t spilled = p->store.spilled;
    if (!p->store.tier[0])
        return;
    if (kv_store_put(&p->store, hash, now) != KV_HOST)
        paging_move(p, PAGER_OUT, p->per_block);
    drive_writes(p, p->store.spilled - spilled, now);
}

bool paging_fetch(struct paging *p, uint64_t hash, sim_time now)
{
    const uint64_t spilled = p->store.spilled;
    const enum kv_place at = p->store.tier[0] ? kv_store_use(&p->store, hash, now) : KV_NOWHERE;
    if (at == KV_NOWHERE)
        return false;
    p->reads += at == KV_DRIVE;
    paging_move(p, PAGER_IN, p->per_block);
    drive_writes(p, p->store.spilled - spilled, now);
    return true;
}

/* ---- what they take ----------------------------------------------------------------- */

/* Blocks from the drive: requests of 1 MiB, by whoever reads; how long until all are there. */
static sim_cost drive_reads(struct paging *p, sim_time now, struct pager_work *w)
{
    const uint64_t bytes = p->reads * p->per_block * p->pieces * p->piece_bytes;
    const uint64_t n = (bytes + DRIVE_IO - 1) / DRIVE_IO;
    const sim_time from = p->drive_free > now ? p->drive_free : now;
    p->reads = 0;
    if (!n)
        return 0;
    w->os += n * (p->io.os + p->io_done.os);
    w->crossings += n * (p->io.crossings + p->io_done.crossings);
    w->asked += by_os(p) ? 0 : n;
    if (!by_os(p))
        w->cpu += n * (p->io.cpu_before + p->io_done.cpu_before);
    p->drive_free = from + (sim_time)((double)bytes * p->read_ps / 1000 + 0.5);
    return (p->drive_free - now) * 1000;
}

bool paging_pay(struct paging *p, sim_time now, sim_cost *cpu, sim_cost *gpu)
{
    struct pager_work w = {0};
    *cpu = 0;
    for (int d = 0; d < 2; d++)
        pager_move(&p->pager, (enum pager_dir)d, p->moving[d] * p->pieces, p->piece_bytes, &w);
    p->moving[PAGER_IN] = p->moving[PAGER_OUT] = 0;
    const sim_cost drive = drive_reads(p, now, &w);
    if (!w.crossings)
        return false;
    sim_cost wait = pager_wait(&p->pager, &w);
    if (drive > w.cpu + wait) /* blocks go on over the link as they come */
        wait = drive - w.cpu;
    const sim_cost done = p->c.overlap ? pager_beside(wait, *gpu, p->layers) : *gpu + wait;
    *cpu = w.cpu;
    p->waited += done - *gpu;
    *gpu = done;
    pager_sum(&p->all, &w);
    return true;
}

void paging_report(const struct paging *p, double asked_tokens, struct measures *out)
{
    const struct pager_work *w = &p->all;
    const double s = 1e-12;
    if (!p->c.on)
        return;
    measures_number(out, "paging.in", "B", BETTER_NONE, (double)w->bytes[PAGER_IN]);
    measures_number(out, "paging.out", "B", BETTER_NONE, (double)w->bytes[PAGER_OUT]);
    measures_number(out, "paging.copied", "B", BETTER_LESS, (double)w->copied);
    measures_number(out, "paging.asked", "1", BETTER_LESS, (double)w->asked);
    measures_number(out, "paging.commands", "1", BETTER_LESS, (double)w->commands);
    measures_number(out, "paging.crossings", "1", BETTER_LESS, (double)w->crossings);
    measures_number(out, "paging.cpu", "s", BETTER_LESS, (double)w->cpu * s);
    measures_number(out, "paging.wait", "s", BETTER_LESS, (double)p->waited * s);
    if (!p->store.tier[0])
        return;
    measures_number(out, "store_hit_ratio", "1", BETTER_MORE,
                    asked_tokens > 0 ? (double)p->found / asked_tokens : 0);
    measures_number(out, "store_spilled", "1", BETTER_NONE, (double)p->store.spilled);
    measures_number(out, "store_read", "1", BETTER_NONE, (double)p->store.read);
    measures_number(out, "store_lost", "1", BETTER_LESS, (double)p->store.lost);
}
