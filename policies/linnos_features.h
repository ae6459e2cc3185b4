/* linnos_features.h - what LinnOS's network is told before a read, as it is trained and as it is
 * asked.
 *
 * Decimal digits, the most significant first (Hao et al., LinnOS, OSDI'20; the
 * order and the limits as utcs-scea/LAKE dfeef0f, linnos/training/traceParser.py
 * "direct 3 4"): 3 digits of the 4 KiB pages pending when each of the last four
 * finished reads was sent, the oldest first, and of those pending now with the
 * read itself; then 4 digits of the latency in us of those four reads.  Larger
 * values stay at 999 and 9999.                                              */
#ifndef POLICIES_LINNOS_FEATURES_H
#define POLICIES_LINNOS_FEATURES_H

#include "policy.h"

#define LINNOS_VERSION 1
#define LINNOS_N       31
#define LINNOS_PENDING 3 /* digits */
#define LINNOS_LATENCY 4
#define LINNOS_PAGE    4096
#define LINNOS_MOST_US 9999 /* what the digits hold */
#define LINNOS_MOST    999

static inline float *linnos_digits(float *x, uint64_t v, int digits)
{
    uint64_t most = 1;
    for (int i = 0; i < digits; i++)
        most *= 10;
    v = v < most ? v : most - 1;
    for (most /= 10; most; most /= 10)
        *x++ = (float)(v / most % 10);
    return x;
}

static inline void linnos_features(const struct policy_device *d, uint64_t bytes, float x[LINNOS_N])
{
    for (int i = POLICY_IO_HISTORY; i-- > 0;)
        x = linnos_digits(x, d->then_pending_pages[i], LINNOS_PENDING);
    x = linnos_digits(x, d->pending_pages + (bytes + LINNOS_PAGE - 1) / LINNOS_PAGE,
                      LINNOS_PENDING);
    for (int i = POLICY_IO_HISTORY; i-- > 0;)
        x = linnos_digits(x, d->latency_us[i], LINNOS_LATENCY);
}

/* The same as a point, for nearest neighbours: its numbers put together again from their digits.
 *
 * Distances between digits mean little (199 and 200 would be far apart), and between latencies it
 * is the ratio that counts.  So each of the nine numbers, the five of pending pages before the four
 * of latency, is taken in eighths of an octave, straight between powers of two: integers 0..105. */
#define KNN_FEATURES_VERSION 1
#define KNN_FEATURES_N       9

static inline float knn_octaves(uint32_t v)
{
    uint32_t octave = 0;
    v++;
    while (v >> octave > 1)
        octave++;
    return (float)(8 * octave + (8 * v >> octave) % 8);
}

static inline void knn_features(const float digit[LINNOS_N], float x[KNN_FEATURES_N])
{
    const int pendings = POLICY_IO_HISTORY + 1;
    for (int i = 0; i < KNN_FEATURES_N; i++) {
        uint32_t v = 0;
        for (int n = i < pendings ? LINNOS_PENDING : LINNOS_LATENCY; n > 0; n--)
            v = 10 * v + (uint32_t)*digit++;
        x[i] = knn_octaves(v);
    }
}

#endif
