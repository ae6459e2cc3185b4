/* buf.h - a growing byte buffer and portable (little-endian) packing.
 *
 * Writers never fail on their own: out of memory is sticky in `failed`.
 * Readers never read past the end: a short buffer is sticky in `failed` and
 * reads as zero.  Zero-initialise; buf_free releases.                       */
#ifndef SIM_BUF_H
#define SIM_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    unsigned char *data;
    size_t len, cap, at; /* at: read position */
    bool failed;
};

void buf_free(struct buf *b);
void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_u64(struct buf *b, uint64_t v);
void buf_f64(struct buf *b, double v);
void buf_str(struct buf *b, const char *s); /* length, bytes */

const void *buf_take(struct buf *b, size_t n); /* NULL when short */
uint64_t buf_take_u64(struct buf *b);
double buf_take_f64(struct buf *b);
char *buf_take_str(struct buf *b); /* malloc'd; NULL when short */

#endif
