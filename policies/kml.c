/* kml.c - readahead by a network that sees how a stream is read.
 *
 * Once a window and stream a perceptron (weights/kml.safetensors, 5-15-5-4 as
 * KML's: Akgun et al., HotStorage'21) says which of four amounts of readahead
 * would have suited the window that ended; until the next one that is the
 * answer to every miss.  kml_features.h says what it sees.  Good where streams
 * keep their ways for some windows; it learns of a change only when the window
 * is over, and of nothing before the first one is.
 *
 * Parameters
 *   model  which weights                           ("kml")
 *   first  pages, before a stream's first window   (32)  */
#include <stdlib.h>

#include "kml_features.h"
#include "open_net.h"

struct kml {
    const struct policy_host *h;
    int model;
    uint32_t first;
    struct kml_stream stream[KML_STREAMS];
    uint32_t answer[KML_STREAMS];
};

static int create(void **self, const struct policy_host *h)
{
    struct kml *s = net_state(h, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    const double first = h->param(h->host, "first", 32);
    if (!(first >= 0 && first <= POLICY_READAHEAD_MAX))
        return net_refuse(h, s, "want first 0..1024");
    s->first = (uint32_t)first;
    s->model = open_net(h, "kml", KML_N, KML_CLASSES);
    return net_created(self, s, h, s->model);
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    struct kml *s = self;
    const uint32_t at = o->stream % KML_STREAMS;
    const int mine = s->stream[at].known && s->stream[at].id == o->stream;
    if (kml_new_window(s->stream, o)) {
        float x[KML_N], y[KML_CLASSES];
        kml_features(o->feature, x);
        if (s->h->infer(s->h->host, s->model, 1, x, y))
            return s->first; /* the host fails the trial */
        s->answer[at] = kml_readahead[kml_class(y)];
        return s->answer[at];
    }
    return mine ? s->answer[at] : s->first;
}

POLICY(.name = "kml", .summary = "readahead by a learned class of how a stream is read (KML)",
       .create = create, .destroy = destroy, .mem_readahead = readahead);
