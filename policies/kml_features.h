/* kml_features.h - what KML's network is told of a stream, as it is trained and
 * as it is asked.
 *
 * The five features of Akgun et al. (HotStorage'21) over the last window, each
 * on a scale of octaves and near [0, 1]: accesses, mean page, deviation of the
 * page, mean |step|, the readahead now.  KML subtracts means and divides by
 * deviations of its own traces instead, which fit no other rate or file; and
 * only + - * / on floats, so the bits are the same everywhere.
 *
 * The classes are amounts of readahead.                                     */
#ifndef POLICIES_KML_FEATURES_H
#define POLICIES_KML_FEATURES_H

#include "policy.h"

#define KML_VERSION 1 /* goes up when a feature changes: weights name it */
#define KML_N       5
#define KML_CLASSES 4
#define KML_STREAMS 1024

/* Pages.  Nothing; two sizes about Linux's 32; and far more than Linux dares. */
static const uint32_t kml_readahead[KML_CLASSES] = {0, 8, 32, 256};

/* log2(1 + v) with straight lines between powers of two, v in 256ths. */
static inline float kml_octaves(float v)
{
    const float most = 1e15f;
    const uint64_t u = (uint64_t)((v < most ? v : most) * 256.0f) + 256;
    const int octave = 63 - __builtin_clzll(u);
    const uint64_t low = UINT64_C(1) << octave;
    return (float)octave - 8.0f + (float)(u - low) / (float)low;
}

static inline void kml_features(const float feature[5], float x[KML_N])
{
    x[0] = kml_octaves(feature[0]) / 24.0f;
    x[1] = kml_octaves(feature[1]) / 32.0f;
    x[2] = kml_octaves(feature[2]) / 32.0f;
    x[3] = kml_octaves(feature[3]) / 32.0f;
    x[4] = kml_octaves(feature[4]) / 16.0f;
}

/* Windows of each stream, told apart by what is seen of them: a new one is there when accesses or
 * moments differ from those of the last question. */
struct kml_stream {
    uint32_t id, known; /* known: 0, or how many windows were seen */
    float seen[4];
};

static inline int kml_new_window(struct kml_stream *table, const struct policy_readahead_obs *o)
{
    struct kml_stream *s = &table[o->stream % KML_STREAMS];
    int same = s->known && s->id == o->stream;
    for (int i = 0; i < 4; i++)
        same = same && s->seen[i] == o->feature[i];
    if (same || o->feature[0] == 0)
        return 0;
    s->known = s->id == o->stream ? s->known + 1 : 1;
    s->id = o->stream;
    for (int i = 0; i < 4; i++)
        s->seen[i] = o->feature[i];
    return 1;
}

static inline int kml_class(const float y[KML_CLASSES])
{
    int best = 0;
    for (int i = 1; i < KML_CLASSES; i++)
        best = y[i] > y[best] ? i : best;
    return best;
}

#endif
