/* rounds_book.h - what a policy of cluster.share keeps about the jobs that are there. */
#ifndef ROUNDS_BOOK_H
#define ROUNDS_BOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy.h"
#include "python_random.h"

#define ROUNDS_TYPES 16 /* of GPUs that these policies know how to deal with */

struct book_note {
    uint64_t id;
    uint32_t on;   /* a type of GPU; POLICY_NONE */
    uint64_t with; /* id of another job; BOOK_ALONE; BOOK_NEW: not yet decided */
};
#define BOOK_NEW   UINT64_MAX
#define BOOK_ALONE (UINT64_MAX - 1)

struct book {
    struct book_note *note; /* [n]: those of o->job, in their order */
    uint32_t n, room;
};

/* The parameter "seed" of Python's random stream (0); false: it is not 0..4e9, and the log says so.
 */
static inline bool book_seed(const struct policy_host *h, struct pyrandom *draw)
{
    const double seed = h->param(h->host, "seed", 0);
    const bool good = seed >= 0 && seed <= 4e9;
    if (good)
        pyrandom_seed(draw, (uint64_t)seed);
    else
        h->log(h->host, "want seed 0..4e9");
    return good;
}

/* Forgets those that have gone, opens a note for those that have come. */
static inline bool book_turn(struct book *b, const struct policy_round_obs *o)
{
    uint32_t kept = 0, at = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        while (at < o->n && o->job[at].id < b->note[i].id)
            at++;
        if (at < o->n && o->job[at].id == b->note[i].id)
            b->note[kept++] = b->note[i];
    }
    if (o->n > b->room) {
        struct book_note *more = realloc(b->note, 2 * (size_t)o->n * sizeof *more);
        if (!more)
            return false;
        b->note = more;
        b->room = 2 * o->n;
    }
    /* Ids ascend: those that came are behind those that stayed. */
    for (b->n = kept; b->n < o->n; b->n++)
        b->note[b->n] = (struct book_note){o->job[b->n].id, POLICY_NONE, BOOK_NEW};
    return true;
}

#endif
