/* kleio.c - a recurrent network foresees how warm each page will be; the
 * warmest go to the fastest tier.
 *
 * As Kleio does (Doudali et al., HPDC'19): pages whose accesses history
 * predicts badly, and which matter, are given to the network; the others stay
 * with history (place_history.c).  They are chosen by total accesses x
 * misplacements, a misplacement being a period in which history had the page
 * on another tier than its accesses deserved.  "pages": how many, 0 for all;
 * "model": weights with the features of place_features.h; "decay": of history.
 * Otherwise than Kleio, one network serves all pages, trained on other
 * programs; so it is believed about a page only while it has lately been wrong
 * about its tier, and about all tiers, no more often than history. */
#include "policy.h"

#include <string.h>

#include "place_features.h"
#include "place_rank.h"

struct page {
    uint64_t page;
    uint8_t bin[PLACE_STEPS];
    uint32_t tier, foreseen; /* where history had it; where the network would have */
    uint32_t misses;         /* periods in which history was wrong */
    int32_t doubt;           /* periods that the network was wrong and history right, less those
                                the other way round; of late */
    double heat, accesses, score;
};

enum { DOUBT_MOST = 4 };

struct kleio {
    const struct policy_host *host;
    struct place_rank rank;
    struct page *page;   /* [frames] */
    double *heat;        /* [frames] */
    uint32_t *tier;      /* [frames]: deserved, or history's */
    uint32_t *chosen;    /* [frames]: regions that the network is asked about */
    float *in, *out;     /* [frames] rows */
    double *foreseen;    /* [frames]: heat, as the network has it */
    double decay, doubt; /* of the network, about all pages; halved every period */
    uint32_t frames, tiers, known, pages;
    int model;
};

static int fail(const struct policy_host *h, const char *why)
{
    h->log(h->host, why);
    return -1;
}

static int create(void **self, const struct policy_host *h)
{
    uint32_t n_in, n_out;
    const double decay = h->param(h->host, "decay", 0.5), pages = h->param(h->host, "pages", 0);
    const int model =
        h->model_open(h->host, h->param_text(h->host, "model", "kleio"), &n_in, &n_out);
    if (!(decay >= 0 && decay < 1))
        return fail(h, "want decay 0 to below 1");
    if (!(pages >= 0 && pages <= 1e9))
        return fail(h, "want pages 0 (all) to 1e9");
    if (model < 0)
        return -1;
    if (n_in != PLACE_STEPS || n_out != PLACE_BINS)
        return fail(h, "the network has other inputs or outputs than 6 periods and 32 bins");
    struct kleio *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    *s = (struct kleio){.host = h, .decay = decay, .pages = (uint32_t)pages, .model = model};
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct kleio *s = self;
    place_rank_free(&s->rank);
    free(s->page);
    free(s->heat);
    free(s->tier);
    free(s->chosen);
    free(s->in);
    free(s->foreseen);
    free(s->out);
    free(s);
}

static int begin(void *self, const struct policy_mem *m)
{
    struct kleio *s = self;
    const size_t n = m->frames;
    s->frames = m->frames, s->tiers = m->tiers;
    s->page = calloc(n, sizeof *s->page);
    s->heat = calloc(n, sizeof *s->heat);
    s->tier = calloc(n, sizeof *s->tier);
    s->chosen = calloc(n, sizeof *s->chosen);
    s->in = calloc(n * PLACE_STEPS, sizeof *s->in);
    s->out = calloc(n * PLACE_BINS, sizeof *s->out);
    s->foreseen = calloc(n, sizeof *s->foreseen);
    return s->foreseen && s->page && s->heat && s->tier && s->chosen && s->in && s->out
               ? place_rank_init(&s->rank, m->frames)
               : -1;
}

static int judge(struct page *p, uint32_t deserved)
{
    const int history = p->tier != deserved, network = p->foreseen != deserved;
    p->misses += (uint32_t)history;
    p->doubt += network - history;
    p->doubt = p->doubt > DOUBT_MOST ? DOUBT_MOST : p->doubt < -DOUBT_MOST ? -DOUBT_MOST : p->doubt;
    return network - history;
}

/* The period that ended: what it says of history, then of each page. */
static void learn(struct kleio *s, const struct policy_place_obs *o)
{
    s->doubt /= 2;
    for (uint32_t i = 0; i < o->n; i++)
        s->heat[i] = o->region[i].accesses;
    place_rank(&s->rank, o, s->heat, s->tiers, s->tier);
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_region *r = &o->region[i];
        struct page *p = &s->page[i];
        if (i >= s->known || p->page != r->page)
            *p = (struct page){
                .page = r->page, .heat = r->accesses, .tier = s->tier[i], .foreseen = s->tier[i]};
        s->doubt += judge(p, s->tier[i]);
        p->accesses += r->accesses;
        p->score = p->accesses * p->misses;
        p->heat = s->decay * p->heat + (1 - s->decay) * r->accesses;
        memmove(p->bin, p->bin + 1, PLACE_STEPS - 1);
        p->bin[PLACE_STEPS - 1] = (uint8_t)place_bin(r->accesses);
    }
    s->known = o->n;
    for (uint32_t i = 0; i < o->n; i++)
        s->heat[i] = s->foreseen[i] = s->page[i].heat;
    place_rank(&s->rank, o, s->heat, s->tiers, s->tier);
    for (uint32_t i = 0; i < o->n; i++)
        s->page[i].tier = s->page[i].foreseen = s->tier[i];
}

static int warm(const struct page *p)
{
    for (int i = 0; i < PLACE_STEPS; i++)
        if (p->bin[i])
            return 1;
    return 0;
}

/* Regions in order of score; equals as they are numbered. */
static int by_score(const void *a, const void *b)
{
    const struct place_entry *x = a, *y = b;
    if (x->heat != y->heat)
        return x->heat > y->heat ? -1 : 1;
    return x->region < y->region ? -1 : x->region > y->region;
}

/* What was not accessed for as long as a history is does not come back by itself. */
static uint32_t choose(struct kleio *s, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        if (warm(&s->page[i]) && (!s->pages || s->page[i].score > 0))
            s->rank.entry[count++] = (struct place_entry){.heat = s->page[i].score, .region = i};
    if (s->pages && count > s->pages) {
        qsort(s->rank.entry, count, sizeof *s->rank.entry, by_score);
        count = s->pages;
    }
    for (uint32_t k = 0; k < count; k++)
        s->chosen[k] = s->rank.entry[k].region;
    return count;
}

static int ask(struct kleio *s, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < PLACE_STEPS; i++)
            s->in[k * PLACE_STEPS + i] = s->page[s->chosen[k]].bin[i];
    return s->host->infer(s->host->host, s->model, count, s->in, s->out);
}

/* The network's heat, for the next judgement of all that it was asked about, and for now of those
 * that it is believed about. */
static void foresee(struct kleio *s, const struct policy_place_obs *o, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        s->foreseen[s->chosen[k]] = place_expected(s->out + (size_t)k * PLACE_BINS);
    place_rank(&s->rank, o, s->foreseen, s->tiers, s->tier);
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t i = s->chosen[k];
        s->page[i].foreseen = s->tier[i];
        if (s->doubt <= 0 && s->page[i].doubt <= 0)
            s->heat[i] = s->foreseen[i];
    }
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    struct kleio *s = self;
    if (o->n > s->frames)
        return;
    learn(s, o); /* leaves history's heat */
    const uint32_t count = o->period + 1 < PLACE_STEPS ? 0 : choose(s, o->n);
    if (count && !ask(s, count))
        foresee(s, o, count);
    place_rank(&s->rank, o, s->heat, s->tiers, tier);
}

POLICY(.name = "kleio", .summary = "tiers: what an LSTM expects to be hot, to the fastest memory",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_place = place);
