/* rounds_gandiva.c - Gandiva (Xiao et al., OSDI'18) as Gavel's evaluation has it: equal parts of
 * every type; when there are more jobs than GPUs, two at random share GPUs, and stay together until
 * one ends, unless the two run slower together than one after the other. */
#include "rounds_book.h"

struct gandiva {
    struct pyrandom draw;
    struct book book;
    uint32_t *loose; /* [room]: places of those not yet decided */
    uint32_t room;
};

static int create(void **self, const struct policy_host *h)
{
    struct gandiva *s = calloc(1, sizeof *s);
    if (!s || !book_seed(h, &s->draw)) {
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct gandiva *s = self;
    free(s->book.note);
    free(s->loose);
    free(s);
}

static uint32_t place_of(const struct gandiva *s, uint64_t id)
{
    uint32_t lo = 0, hi = s->book.n;
    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (s->book.note[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->book.n && s->book.note[lo].id == id ? lo : POLICY_NONE;
}

static double beside(const struct policy_round_obs *o, uint32_t t, uint32_t a, uint32_t b)
{
    return o->beside[((size_t)t * o->kinds + o->job[a].kind) * o->kinds + o->job[b].kind];
}

/* Steps together over steps alone, of both, added up over the types; 0 where any type can't have
 * them together. */
static double gain(const struct policy_round_obs *o, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t t = 0; t < o->types; t++) {
        if (beside(o, t, a, b) <= 0 || beside(o, t, b, a) <= 0)
            return 0;
        sum += beside(o, t, a, b) / o->rate[t * o->kinds + o->job[a].kind] +
               beside(o, t, b, a) / o->rate[t * o->kinds + o->job[b].kind];
    }
    return sum;
}

/* Pairs that lost one, or are no good, come apart; and who was alone may find somebody. */
static void come_apart(struct gandiva *s, const struct policy_round_obs *o)
{
    for (uint32_t i = 0; i < s->book.n; i++) {
        struct book_note *n = &s->book.note[i];
        const uint32_t k = n->with < BOOK_ALONE ? place_of(s, n->with) : POLICY_NONE;
        if (k == POLICY_NONE || gain(o, i, k) < 1)
            n->with = BOOK_NEW;
    }
}

static void pair_up(struct gandiva *s, const struct policy_round_obs *o)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->book.n; i++)
        if (s->book.note[i].with == BOOK_NEW)
            s->loose[n++] = i;
    for (uint32_t tries = n; n > 1 && tries; tries--) {
        uint32_t two[2];
        pyrandom_two(&s->draw, n, two);
        const uint32_t a = s->loose[two[0]], b = s->loose[two[1]];
        if (o->job[a].gpus != o->job[b].gpus)
            continue;
        s->book.note[a].with = o->job[b].id;
        s->book.note[b].with = o->job[a].id;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < n; i++)
            if (i != two[0] && i != two[1])
                s->loose[kept++] = s->loose[i];
        n = kept;
    }
    while (n)
        s->book.note[s->loose[--n]].with = BOOK_ALONE;
}

static bool reserve(struct gandiva *s, uint32_t n)
{
    if (n <= s->room)
        return true;
    uint32_t *more = realloc(s->loose, 2 * (size_t)n * sizeof *more);
    if (!more)
        return false;
    s->loose = more;
    s->room = 2 * n;
    return true;
}

/* One of `of` users of the cluster, each with the same. */
static uint32_t give(const struct policy_round_obs *o, uint32_t a, uint32_t b, uint32_t of,
                     struct policy_part *part, uint32_t room)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t t = 0; t < o->types; t++)
        sum += (double)o->gpus[t] / of / o->job[a].gpus;
    for (uint32_t t = 0; t < o->types && n < room; t++) {
        const double p = (double)o->gpus[t] / of / o->job[a].gpus / (sum > 1 ? sum : 1);
        if (b == POLICY_NONE || (beside(o, t, a, b) > 0 && beside(o, t, b, a) > 0))
            part[n++] = (struct policy_part){a, b, t, p};
    }
    return n;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct gandiva *s = self;
    uint64_t wanted = 0, there = 0;
    uint32_t n = 0, users = o->n;
    if (!book_turn(&s->book, o) || !reserve(s, o->n))
        return 0;
    for (uint32_t i = 0; i < o->n; i++)
        wanted += o->job[i].gpus;
    for (uint32_t t = 0; t < o->types; t++)
        there += o->gpus[t];
    const bool packs = wanted > there && o->beside;
    if (o->beside)
        come_apart(s, o);
    if (packs) {
        pair_up(s, o);
        for (uint32_t i = 0; i < o->n; i++)
            users -= s->book.note[i].with < s->book.note[i].id;
    }
    for (uint32_t i = 0; i < o->n; i++) {
        const uint64_t with = packs ? s->book.note[i].with : BOOK_ALONE;
        const uint32_t b = with < BOOK_ALONE ? place_of(s, with) : POLICY_NONE;
        if (b == POLICY_NONE || b > i)
            n += give(o, i, b, users, part + n, o->most - n);
    }
    return n;
}

POLICY(.name = "rounds-gandiva",
       .summary = "equal parts; random pairs share GPUs when all are taken", .create = create,
       .destroy = destroy, .cluster_share = share);
