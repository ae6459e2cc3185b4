#include "sim/buf.h"

#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

static bool reserve(struct buf *b, size_t n)
{
    if (b->failed || n > SIZE_MAX / 4 - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + n <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + n)
        cap *= 2;
    unsigned char *grown = realloc(b->data, cap);
    if (!grown) {
        b->failed = true;
        return false;
    }
    b->data = grown;
    b->cap = cap;
    return true;
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
    if (!n || !reserve(b, n))
        return;
    memcpy(b->data + b->len, p, n);
    b->len += n;
}

void buf_u64(struct buf *b, uint64_t v)
{
    unsigned char le[8];
    for (int i = 0; i < 8; i++)
        le[i] = (unsigned char)(v >> (8 * i));
    buf_bytes(b, le, sizeof le);
}

void buf_f64(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    buf_u64(b, bits);
}

void buf_str(struct buf *b, const char *s)
{
    size_t n = strlen(s);
    buf_u64(b, n);
    buf_bytes(b, s, n);
}

const void *buf_take(struct buf *b, size_t n)
{
    if (b->failed || n > b->len - b->at) {
        b->failed = true;
        return NULL;
    }
    const void *p = b->data ? b->data + b->at : (const void *)"";
    b->at += n;
    return p;
}

uint64_t buf_take_u64(struct buf *b)
{
    const unsigned char *p = buf_take(b, 8);
    uint64_t v = 0;
    for (int i = 0; p && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

double buf_take_f64(struct buf *b)
{
    uint64_t bits = buf_take_u64(b);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

char *buf_take_str(struct buf *b)
{
    uint64_t n = buf_take_u64(b);
    const char *p = buf_take(b, n);
    char *s = p ? malloc(n + 1) : NULL;
    if (!s) {
        b->failed = true;
        return NULL;
    }
    memcpy(s, p, n);
    s[n] = 0;
    return s;
}
