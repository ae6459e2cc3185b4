/* kml_online.c - kml, which goes on learning from what its own answers cost.
 *
 * Answers as kml.c does: once a window and stream a network says which of four
 * amounts of readahead suits.  In some windows it tries all four on the stream,
 * smallest first, each for some misses, and measures what the device worked per
 * access: the cheapest (of amounts within 1 % the largest) is the label of that
 * window, which is all that a running kernel can know of the truth.  Samples go
 * into a ring of the feature store; whenever `every` new ones are in it, all of
 * it is trained on beside the machine (policy_host.model_train: gradient descent
 * with momentum, as KML's kernel thread does, sbu-fsl/kernel-ml), and when that
 * work is done the network answers as trained.
 *
 * Good where the device, or the way of reading, is not the one that the weights
 * were trained for; elsewhere it pays for the trials and learns nothing.  Two
 * streams in one place of the table take turns and learn little.
 *
 * Parameters
 *   model     which weights to begin with                    ("kml")
 *   first     pages, before a stream's first window          (32)
 *   trials    share of windows in which all amounts are tried (0.1)
 *   misses    of a trial, with each amount                   (16)
 *   ring      samples that are kept                          (128)
 *   every     new samples before it trains again             (8)
 *   steps     of a training, each over the ring              (50)
 *   rate, momentum  of the descent; KML's are                (0.01, 0.99)  */
#include <stdlib.h>

#include "kml_features.h"
#include "open_net.h"

enum { RING_MOST = 1024, COLUMNS = KML_N + 1 };
#define WORSE 1.5f /* an amount that costs so many times the best is not tried any longer */

struct trial { /* of one stream */
    uint32_t on, amount, misses;
    uint64_t accesses, io_ns;       /* when this amount's turn began */
    float cost[KML_CLASSES], least; /* ns of the device per access */
    float x[KML_N];                 /* what the network was told when it began */
};

struct online {
    const struct policy_host *h;
    int model, samples;
    uint32_t first, misses, ring, every, steps;
    double trials;
    float rate, momentum;
    uint32_t fresh; /* samples since the last training */
    uint32_t learning;
    struct kml_stream stream[KML_STREAMS];
    uint32_t answer[KML_STREAMS];
    struct trial trial[KML_STREAMS];
    float row[RING_MOST * COLUMNS], in[RING_MOST * KML_N];
    uint32_t label[RING_MOST];
};

/* ---- beginning ------------------------------------------------------------------------ */

/* The first of its parameters that is out of range; NULL: none. */
static const char *settle(struct online *s)
{
    const struct {
        const char *name, *wrong;
        uint32_t *to;
        double otherwise, least, most;
    } whole[] = {
        {"first", "want first 0..1024", &s->first, 32, 0, POLICY_READAHEAD_MAX},
        {"misses", "want misses 1..4096", &s->misses, 16, 1, 4096},
        {"ring", "want ring 1..1024", &s->ring, 128, 1, RING_MOST},
        {"every", "want every 1..1024", &s->every, 8, 1, RING_MOST},
        {"steps", "want steps 1..65536", &s->steps, 50, 1, POLICY_TRAIN_STEPS},
    };
    const char *wrong = NULL;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        const double v = s->h->param(s->h->host, whole[i].name, whole[i].otherwise);
        const int good = v >= whole[i].least && v <= whole[i].most;
        *whole[i].to = good ? (uint32_t)v : 0;
        wrong = wrong || good ? wrong : whole[i].wrong;
    }
    s->trials = s->h->param(s->h->host, "trials", 0.1);
    const double rate = s->h->param(s->h->host, "rate", 0.01),
                 momentum = s->h->param(s->h->host, "momentum", 0.99);
    s->rate = (float)rate, s->momentum = (float)momentum;
    if (!(s->trials >= 0 && s->trials <= 1))
        wrong = wrong ? wrong : "want trials 0..1";
    if (!(rate > 0 && rate <= 1 && momentum >= 0 && momentum < 1))
        wrong = wrong ? wrong : "want rate above 0 and at most 1, momentum 0 and more, below 1";
    return wrong;
}

static int create(void **self, const struct policy_host *h)
{
    static const struct policy_field fields[COLUMNS] = {{"accesses", 1},      {"mean_page", 1},
                                                        {"deviation", 1},     {"step", 1},
                                                        {"readahead_now", 1}, {"best", 1}};
    struct online *s = net_state(h, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    const char *wrong = settle(s);
    if (wrong)
        return net_refuse(h, s, wrong);
    s->model = open_net(h, "kml", KML_N, KML_CLASSES);
    if (s->model < 0)
        return net_refuse(h, s, NULL);
    s->samples = h->features(h->host, "kml.samples", fields, COLUMNS, s->ring);
    if (s->samples < 0)
        return net_refuse(h, s, "no room for samples");
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

/* ---- learning -------------------------------------------------------------------------- */

static void keep_sample(struct online *s, const float x[KML_N], uint32_t best, uint64_t now_ns)
{
    const struct policy_host *h = s->h;
    h->feature_begin(h->host, s->samples);
    for (uint32_t i = 0; i < KML_N; i++)
        h->feature_put(h->host, s->samples, i, x[i]);
    h->feature_put(h->host, s->samples, KML_N, (float)best);
    h->feature_commit(h->host, s->samples, now_ns);
    s->fresh++;
}

static void train(struct online *s)
{
    const struct policy_host *h = s->h;
    const int n = h->feature_get(h->host, s->samples, 0, s->ring, s->row, NULL);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < KML_N; k++)
            s->in[i * KML_N + k] = s->row[i * COLUMNS + k];
        s->label[i] = (uint32_t)s->row[i * COLUMNS + KML_N];
    }
    const struct policy_train piece = {.rows = (uint32_t)n,
                                       .steps = s->steps,
                                       .in = s->in,
                                       .label = s->label,
                                       .rate = s->rate,
                                       .momentum = s->momentum};
    if (n < 1 || h->model_train(h->host, s->model, &piece))
        return; /* the last one is still in work: later, with more samples */
    s->fresh = 0;
    s->learning = 1;
}

/* ---- trials ---------------------------------------------------------------------------- */

static uint32_t cheapest(const struct trial *t)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < t->amount; i++)
        best = t->cost[i] <= t->least * 1.01f ? i : best;
    return best;
}

static void begin_turn(struct trial *t, const struct policy_readahead_obs *o)
{
    t->misses = 0;
    t->accesses = o->accesses;
    t->io_ns = o->io_ns;
}

/* What the turn cost so far, per access. */
static float cost_of(const struct trial *t, const struct policy_readahead_obs *o)
{
    return (float)(o->io_ns - t->io_ns) / (float)(o->accesses - t->accesses);
}

/* At a miss: the present amount has had its turn after enough misses, or enough accesses, or when
 * it is plainly worse than one before. */
static int turn_over(const struct online *s, const struct trial *t,
                     const struct policy_readahead_obs *o)
{
    const float quarter = o->feature[0] / KML_CLASSES;
    if (t->misses < 2)
        return 0;
    return t->misses >= s->misses || (float)(o->accesses - t->accesses) >= quarter ||
           (t->amount && cost_of(t, o) > WORSE * t->least);
}

static void end_trial(struct online *s, uint32_t at, const struct policy_readahead_obs *o)
{
    s->trial[at].on = 0;
    keep_sample(s, s->trial[at].x, cheapest(&s->trial[at]), o->now_ns);
}

/* What a trial answers at this miss; it is off when the last turn was over.  Larger amounts than
 * one that is plainly worse are not tried: what one reads for nothing they do too. */
static uint32_t try_on(struct online *s, uint32_t at, const struct policy_readahead_obs *o)
{
    struct trial *t = &s->trial[at];
    if (turn_over(s, t, o)) {
        const float cost = t->cost[t->amount] = cost_of(t, o);
        const int worse = t->amount && cost > WORSE * t->least;
        t->least = t->amount && t->least < cost ? t->least : cost;
        begin_turn(t, o);
        if (++t->amount == KML_CLASSES || worse) {
            end_trial(s, at, o);
            return s->answer[at];
        }
    }
    t->misses++;
    return kml_readahead[t->amount];
}

/* ---- answering ------------------------------------------------------------------------- */

static int new_window(struct online *s, uint32_t at, const struct policy_readahead_obs *o)
{
    float x[KML_N], y[KML_CLASSES];
    struct trial *t = &s->trial[at];
    if (s->learning && !s->h->model_renew(s->h->host, s->model))
        s->learning = 0;
    if (s->fresh >= s->every)
        train(s);
    kml_features(o->feature, x);
    if (s->h->infer(s->h->host, s->model, 1, x, y))
        return -1;
    s->answer[at] = kml_readahead[kml_class(y)];
    const double drawn = (double)(s->h->random(s->h->host) >> 11) * 0x1p-53;
    if (!t->on && drawn < s->trials) {
        *t = (struct trial){.on = 1};
        for (int i = 0; i < KML_N; i++)
            t->x[i] = x[i];
        begin_turn(t, o);
    }
    return 0;
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    struct online *s = self;
    const uint32_t at = o->stream % KML_STREAMS;
    if (s->stream[at].id != o->stream)
        s->trial[at].on = 0;
    if (kml_new_window(s->stream, o) && new_window(s, at, o))
        return s->first; /* the host fails the trial */
    if (!s->stream[at].known || s->stream[at].id != o->stream)
        return s->first;
    return s->trial[at].on ? try_on(s, at, o) : s->answer[at];
}

POLICY(.name = "kml-online",
       .summary = "readahead by a learned class, trained on as the machine runs (KML)",
       .create = create, .destroy = destroy, .mem_readahead = readahead);
