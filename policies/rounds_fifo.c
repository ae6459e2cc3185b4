/* rounds_fifo.c - first come, first served over several types of GPUs (Gavel, OSDI'20,
 * section 4.2).
 *
 * A job has all of its time on one type, or none.
 *
 * Parameters
 *   choice  "first"  (default) the first type, in the experiment's order, with GPUs free; kept
 * until the job ends "random" any type with GPUs free; kept until it ends "best"   the type it runs
 * fastest on, chosen anew each time, those before it first: Gavel's own FIFO */
#include <stdlib.h>
#include <string.h>

#include "rounds_book.h"

enum choice { FIRST, RANDOM, BEST };
struct fifo {
    const struct policy_host *h;
    enum choice choice;
    struct book book; /* type of each job that has one */
};

static int create(void **self, const struct policy_host *h)
{
    static const char *const names[] = {"first", "random", "best"};
    const char *want = h->param_text(h->host, "choice", "first");
    enum choice c = FIRST;
    while (c <= BEST && strcmp(want, names[c]) != 0)
        c++;
    struct fifo *s = c <= BEST ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        h->log(h->host, "want choice first, random or best");
        return -1;
    }
    s->h = h;
    s->choice = c;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct fifo *s = self;
    free(s->book.note);
    free(s);
}

static uint32_t choose(struct fifo *s, const struct policy_round_obs *o,
                       const struct policy_round_job *j, const uint32_t *free_gpus)
{
    uint32_t able = 0, best = POLICY_NONE;
    for (uint32_t t = 0; t < o->types; t++) {
        const double rate = o->rate[t * o->kinds + j->kind];
        if (free_gpus[t] < j->gpus || rate <= 0)
            continue;
        able++;
        if (best == POLICY_NONE || (s->choice == BEST && rate > o->rate[best * o->kinds + j->kind]))
            best = t;
        if (s->choice == RANDOM && s->h->random(s->h->host) % able == 0)
            best = t;
    }
    return best;
}

/* Who has GPUs keeps them. */
static bool keep(struct fifo *s, const struct policy_round_obs *o, uint32_t *free_gpus)
{
    const bool good = book_turn(&s->book, o);
    for (uint32_t i = 0; good && i < o->n; i++)
        if (s->book.note[i].on != POLICY_NONE)
            free_gpus[s->book.note[i].on] -= o->job[i].gpus;
    return good;
}

static bool start_over(struct fifo *s, const struct policy_round_obs *o)
{
    const bool good = book_turn(&s->book, o);
    for (uint32_t i = 0; good && i < o->n; i++)
        s->book.note[i].on = POLICY_NONE;
    return good;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct fifo *s = self;
    uint32_t n = 0, free_gpus[ROUNDS_TYPES];
    bool queue = false; /* one waits: nobody passes it */
    if (o->types > ROUNDS_TYPES)
        return 0;
    for (uint32_t t = 0; t < o->types; t++)
        free_gpus[t] = o->gpus[t];
    if (!(s->choice == BEST ? start_over(s, o) : keep(s, o, free_gpus)))
        return 0;
    for (uint32_t i = 0; i < o->n && n < o->most; i++) {
        uint32_t *on = &s->book.note[i].on;
        if (*on == POLICY_NONE && !queue) {
            *on = choose(s, o, &o->job[i], free_gpus);
            if (*on != POLICY_NONE)
                free_gpus[*on] -= o->job[i].gpus;
        }
        queue |= *on == POLICY_NONE;
        if (*on != POLICY_NONE)
            part[n++] = (struct policy_part){i, POLICY_NONE, *on, 1};
    }
    return n;
}

POLICY(.name = "rounds-fifo", .summary = "first come, first served on GPUs of several types",
       .create = create, .destroy = destroy, .cluster_share = share);
