/* ssd.c - commands, links and the write buffer of a drive. */
#include "models/blk/ssd.h"

#include <assert.h>
#include <stdlib.h>

#include "models/blk/ssd_state.h"

static void begin(struct ssd *d, struct ssd_io *io);

/* ---- the end of a command ----------------------------------------------------- */

static void count(struct ssd *d, const struct ssd_io *io)
{
    d->n.reads += !io->write;
    d->n.writes += io->write;
    *(io->write ? &d->n.write_bytes : &d->n.read_bytes) += io->bytes;
}

static void end(struct ssd *d, struct ssd_io *io)
{
    io->ended = sim_now(d->sim);
    count(d, io);
    d->n.inside--;
    struct ssd_io *next = d->waiting;
    if (next) {
        if (!(d->waiting = next->next))
            d->waiting_last = &d->waiting;
        d->n.waiting--;
        begin(d, next);
    }
    io->done(io->ctx, io->arg);
}

static void read_ended(void *ctx, uint64_t arg)
{
    (void)arg;
    struct ssd_io *io = ctx;
    end(io->in, io);
}

/* ---- reads -------------------------------------------------------------------- */

static uint64_t die_of(const struct ssd *d, uint64_t offset)
{
    return offset / d->p.stripe % d->p.dies;
}

static uint64_t piece_at(const struct ssd *d, uint64_t offset, uint64_t left)
{
    const uint64_t room = d->p.stripe - offset % d->p.stripe;
    return left < room ? left : room;
}

/* The piece that reaches the host last tells what the I/O waited for. */
void ssd_piece_read(struct ssd *d, struct ssd_op *op)
{
    struct ssd_io *io = op->io;
    const sim_time now = sim_now(d->sim);
    const sim_time from = d->read_free > now ? d->read_free : now;
    d->read_free = from + ssd_ns(d, op->bytes * d->p.read_byte);
    for (int i = SSD_read; i < SSD_CAUSES; i++)
        io->part[i] = op->seen[i];
    const uint64_t before = io->submitted + io->part[SSD_queue] + io->part[SSD_command];
    const uint64_t waited =
        op->seen[SSD_read] + op->seen[SSD_program] + op->seen[SSD_gc] + op->seen[SSD_flush];
    io->part[SSD_flash] = now - before - waited;
    io->part[SSD_link] = d->read_free - now;
    if (--io->pieces)
        return;
    sim_at(d->sim, d->read_free, 0, read_ended, io, 0);
}

static void start_read(struct ssd *d, struct ssd_io *io)
{
    uint64_t at = io->offset, left = io->bytes;
    io->pieces = 1; /* none may be the last before all are under way */
    while (left) {
        const uint64_t n = piece_at(d, at, left);
        io->pieces++;
        if (!ssd_die_add(d, die_of(d, at), io, n))
            return;
        at += n;
        left -= n;
    }
    io->pieces--;
}

/* ---- writes ------------------------------------------------------------------- */

static void flush_when_due(struct ssd *d, uint64_t bytes)
{
    d->flushed += bytes;
    if (!d->p.flush_bytes || d->flushed < d->p.flush_bytes)
        return;
    d->flushed -= d->p.flush_bytes;
    d->flushes++;
    for (uint64_t i = 0; i < d->p.dies; i++)
        ssd_die_kick(&d->die[i]);
}

/* A piece has crossed the link: whole stripes go to the dies in turn. */
static void piece_written(void *ctx, uint64_t bytes)
{
    struct ssd_io *io = ctx;
    struct ssd *d = io->in;
    d->open += bytes;
    while (d->open >= d->p.stripe) {
        d->open -= d->p.stripe;
        if (!ssd_die_add(d, d->next_die, NULL, d->p.stripe))
            return;
        d->next_die = (d->next_die + 1) % d->p.dies;
    }
    flush_when_due(d, bytes);
    if (--io->pieces || io->left)
        return;
    io->part[SSD_link] =
        sim_now(d->sim) - io->submitted - io->part[SSD_queue] - io->part[SSD_command];
    end(d, io);
}

/* Lets writes into the buffer, the first one first, as far as there is room. */
static void fill(struct ssd *d)
{
    struct ssd_io *io;
    while ((io = d->filling)) {
        const uint64_t n = io->left < d->p.stripe ? io->left : d->p.stripe;
        if (d->p.buffer - d->buffered < n)
            return;
        const sim_time now = sim_now(d->sim);
        const sim_time from = d->write_free > now ? d->write_free : now;
        d->write_free = from + ssd_ns(d, n * d->p.write_byte);
        d->buffered += n;
        io->pieces++;
        if (!(io->left -= n) && !(d->filling = io->next))
            d->filling_last = &d->filling;
        sim_at(d->sim, d->write_free, 0, piece_written, io, n);
    }
}

void ssd_programmed(struct ssd *d)
{
    assert(d->buffered >= d->p.stripe);
    d->buffered -= d->p.stripe;
    d->n.programs++;
    fill(d);
}

/* ---- the beginning ------------------------------------------------------------ */

static void enter(void *ctx, uint64_t arg)
{
    (void)arg;
    struct ssd_io *io = ctx;
    struct ssd *d = io->in;
    if (!io->write) {
        start_read(d, io);
        return;
    }
    io->left = io->bytes;
    io->next = NULL;
    *d->filling_last = io;
    d->filling_last = &io->next;
    fill(d);
}

/* A place among the commands. */
static void begin(struct ssd *d, struct ssd_io *io)
{
    d->n.inside++;
    io->part[SSD_queue] = sim_now(d->sim) - io->submitted;
    io->part[SSD_command] = ssd_ns(d, d->p.command);
    sim_after(d->sim, io->part[SSD_command], 0, enter, io, 0);
}

void ssd_submit(struct ssd *d, struct ssd_io *io)
{
    assert(io->bytes > 0);
    io->submitted = sim_now(d->sim);
    io->pieces = 0;
    io->next = NULL;
    io->in = d;
    for (int i = 0; i < SSD_PARTS_N; i++)
        io->part[i] = 0;
    if (d->n.inside < d->p.depth) {
        begin(d, io);
        return;
    }
    d->n.waiting++;
    *d->waiting_last = io;
    d->waiting_last = &io->next;
}

sim_time ssd_foresee(const struct ssd *d, uint64_t offset, uint64_t bytes)
{
    const sim_time now = sim_now(d->sim), command = d->p.command / 1000;
    sim_time link = d->read_free > now ? d->read_free - now : 0;
    for (uint64_t n; bytes; offset += n, bytes -= n) {
        n = piece_at(d, offset, bytes);
        const struct ssd_die *q = &d->die[die_of(d, offset)];
        uint64_t wait = ssd_die_backlog(q);
        wait = wait > command ? wait : command; /* it works while the command is on its way */
        const sim_time off = wait + ssd_die_cost(d, false, n) / 1000;
        link = (off > link ? off : link) + n * d->p.read_byte / 1000;
    }
    return link;
}

void ssd_stats(const struct ssd *d, struct ssd_stats *out)
{
    *out = d->n;
    out->buffered = d->buffered;
}

/* ---- life --------------------------------------------------------------------- */

struct ssd *ssd_new(struct sim *s, const struct ssd_params *p)
{
    struct ssd *d = calloc(1, sizeof *d);
    if (!d || !(d->die = calloc(p->dies, sizeof *d->die))) {
        free(d);
        return NULL;
    }
    d->sim = s;
    d->p = *p;
    d->waiting_last = &d->waiting;
    d->filling_last = &d->filling;
    for (uint64_t i = 0; i < p->dies; i++) {
        struct ssd_die *q = &d->die[i];
        *q = (struct ssd_die){.d = d, .free = p->free, .moves = p->valid};
        q->reads.last = &q->reads.first;
        q->programs.last = &q->programs.first;
    }
    return d;
}

static void free_ops(struct ssd_op *op)
{
    for (struct ssd_op *next; op; op = next) {
        next = op->next;
        free(op);
    }
}

void ssd_free(struct ssd *d)
{
    if (!d)
        return;
    for (uint64_t i = 0; i < d->p.dies; i++) {
        free_ops(d->die[i].reads.first);
        free_ops(d->die[i].programs.first);
        free(d->die[i].at);
    }
    free_ops(d->spare);
    free(d->die);
    free(d);
}
