/* rounds_fifo_gavel.c - the baseline FIFO of Gavel's evaluation (scheduler/policies/fifo.py, mode
 * "base"), as its code behaves, which is not as its comments say.
 *
 * GPUs that a job leaves go to the head of the queue.  What is free beside takes jobs in order; a
 * type of GPU is drawn for each and then not used: the last type of the list of free ones (the
 * first of the experiment's) has it.  Where that fills a type, the one that was drawn is struck
 * from the list, so that the full one may stay on it and take more jobs than it has GPUs until the
 * list is made anew.  Jobs of a type that has too many take turns: here, by parts that fit.  A job
 * keeps its type until it ends.
 *
 * Parameters
 *   seed  of Python's random stream  (0)                                                        */
#include "rounds_book.h"

struct fifo {
    struct pyrandom draw;
    struct book book;
    struct book_note *old;
    uint32_t old_room;
};

struct hand { /* of one question */
    const struct policy_round_obs *o;
    struct fifo *s;
    int64_t free_gpus[ROUNDS_TYPES];
    uint32_t head; /* of the queue */
};

static int create(void **self, const struct policy_host *h)
{
    struct fifo *s = calloc(1, sizeof *s);
    if (!s || !book_seed(h, &s->draw)) {
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct fifo *s = self;
    free(s->book.note);
    free(s->old);
    free(s);
}

static bool queued(struct hand *h)
{
    while (h->head < h->o->n && h->s->book.note[h->head].on != POLICY_NONE)
        h->head++;
    return h->head < h->o->n;
}

static bool runs_on(const struct hand *h, uint32_t job, uint32_t t)
{
    return h->o->rate[t * h->o->kinds + h->o->job[job].kind] > 0;
}

static void give(struct hand *h, uint32_t job, uint32_t t)
{
    h->s->book.note[job].on = t;
    h->free_gpus[t] -= h->o->job[job].gpus;
}

/* In order of age: who is still there keeps its GPUs, who has gone leaves them to the head. */
static void inherit(struct hand *h, uint32_t old)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < old; k++) {
        const struct book_note *n = &h->s->old[k];
        while (at < h->o->n && h->o->job[at].id < n->id)
            at++;
        if (n->on == POLICY_NONE)
            continue;
        if (at < h->o->n && h->o->job[at].id == n->id)
            h->free_gpus[n->on] -= h->o->job[at].gpus;
        else if (queued(h) && h->o->job[h->head].gpus <= h->free_gpus[n->on] &&
                 runs_on(h, h->head, n->on))
            give(h, h->head, n->on);
    }
}

static void place_rest(struct hand *h)
{
    uint32_t list[ROUNDS_TYPES], room[ROUNDS_TYPES], n = 0;
    for (uint32_t t = h->o->types; t-- > 0;)
        if (h->free_gpus[t] > 0)
            list[n++] = t;
    for (; n && queued(h); h->head++) {
        const uint32_t job = h->head, last = list[n - 1];
        uint32_t fit = 0;
        for (uint32_t i = 0; i < n; i++)
            if (h->free_gpus[list[i]] >= h->o->job[job].gpus)
                room[fit++] = i;
        if (!fit)
            return;
        const uint32_t drawn = room[pyrandom_below(&h->s->draw, fit)];
        if (!runs_on(h, job, last))
            continue;
        give(h, job, last);
        if (h->free_gpus[last] == 0) {
            for (uint32_t i = drawn; i + 1 < n; i++)
                list[i] = list[i + 1];
            n--;
        }
    }
}

static bool remember(struct fifo *s)
{
    if (s->book.n > s->old_room) {
        free(s->old);
        s->old_room = 2 * s->book.n;
        s->old = malloc(s->old_room * sizeof *s->old);
        if (!s->old)
            s->old_room = 0;
    }
    for (uint32_t i = 0; i < s->book.n && s->old; i++)
        s->old[i] = s->book.note[i];
    return s->old || !s->book.n;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct fifo *s = self;
    struct hand h = {.o = o, .s = s};
    double used[ROUNDS_TYPES] = {0};
    uint32_t n = 0;
    const uint32_t old = s->book.n;
    if (o->types > ROUNDS_TYPES || !remember(s) || !book_turn(&s->book, o))
        return 0;
    for (uint32_t t = 0; t < o->types; t++)
        h.free_gpus[t] = o->gpus[t];
    inherit(&h, old);
    place_rest(&h);
    for (uint32_t i = 0; i < o->n; i++)
        if (s->book.note[i].on != POLICY_NONE)
            used[s->book.note[i].on] += o->job[i].gpus;
    for (uint32_t i = 0; i < o->n && n < o->most; i++) {
        const uint32_t t = s->book.note[i].on;
        if (t != POLICY_NONE)
            part[n++] = (struct policy_part){i, POLICY_NONE, t,
                                             used[t] > o->gpus[t] ? o->gpus[t] / used[t] : 1};
    }
    return n;
}

POLICY(.name = "rounds-fifo-gavel",
       .summary = "the FIFO of Gavel's evaluation, as its code behaves", .create = create,
       .destroy = destroy, .cluster_share = share);
