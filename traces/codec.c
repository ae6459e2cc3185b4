/* codec.c - gzip (zlib), xz (liblzma) and zstd, behind one table each. */
#include "traces/codec.h"

#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define XZ_MEMORY (UINT64_C(512) << 20) /* a decoder may not ask for more */

struct gzip {
    z_stream z;
    bool between; /* a member ended and the next has not begun */
};

static void *gzip_open(void)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (g && inflateInit2(&g->z, 15 + 16) != Z_OK) {
        free(g);
        return NULL;
    }
    return g;
}

static const char *gzip_step(void *state, struct codec_io *io)
{
    struct gzip *g = state;
    if (g->between && io->in_left) {
        inflateReset(&g->z);
        g->between = false;
    }
    g->z.next_in = (unsigned char *)(size_t)io->in; /* zlib's interface is not const */
    g->z.avail_in = (uInt)io->in_left;
    g->z.next_out = io->out;
    g->z.avail_out = (uInt)io->out_left;
    int rc = inflate(&g->z, Z_NO_FLUSH);
    io->in = g->z.next_in;
    io->in_left = g->z.avail_in;
    io->out = g->z.next_out;
    io->out_left = g->z.avail_out;
    g->between = rc == Z_STREAM_END;
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return NULL;
    return g->z.msg ? g->z.msg : "the data does not decode";
}

static bool gzip_may_end(const void *state)
{
    return ((const struct gzip *)state)->between;
}

static void gzip_close(void *state)
{
    struct gzip *g = state;
    inflateEnd(&g->z);
    free(g);
}

const struct codec codec_gzip = {"gzip",    {0x1f, 0x8b}, 2,         gzip_open,
                                 gzip_step, gzip_may_end, gzip_close};

struct xz {
    lzma_stream s;
    bool ended;
};

static void *xz_open(void)
{
    struct xz *x = calloc(1, sizeof *x);
    if (x && lzma_stream_decoder(&x->s, XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK) {
        free(x);
        return NULL;
    }
    return x;
}

static const char *xz_step(void *state, struct codec_io *io)
{
    struct xz *x = state;
    x->s.next_in = io->in;
    x->s.avail_in = io->in_left;
    x->s.next_out = io->out;
    x->s.avail_out = io->out_left;
    lzma_ret rc = lzma_code(&x->s, io->last ? LZMA_FINISH : LZMA_RUN);
    io->in = x->s.next_in;
    io->in_left = x->s.avail_in;
    io->out = x->s.next_out;
    io->out_left = x->s.avail_out;
    x->ended = rc == LZMA_STREAM_END;
    switch (rc) {
    case LZMA_OK:
    case LZMA_STREAM_END:
    case LZMA_BUF_ERROR: /* no progress: the caller sees to it */
        return NULL;
    case LZMA_MEMLIMIT_ERROR:
        return "it wants more than 512 MiB to decode";
    case LZMA_OPTIONS_ERROR:
        return "it uses an unknown compression option";
    default:
        return "the data does not decode";
    }
}

static bool xz_may_end(const void *state)
{
    return ((const struct xz *)state)->ended;
}

static void xz_close(void *state)
{
    struct xz *x = state;
    lzma_end(&x->s);
    free(x);
}

const struct codec codec_xz = {
    "xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, xz_open, xz_step, xz_may_end, xz_close};

struct zstd {
    ZSTD_DStream *d;
    size_t hint; /* 0: a frame has just ended */
};

static void *zstd_open(void)
{
    struct zstd *z = calloc(1, sizeof *z);
    if (z && !(z->d = ZSTD_createDStream())) {
        free(z);
        return NULL;
    }
    if (z)
        z->hint = 1;
    return z;
}

static const char *zstd_step(void *state, struct codec_io *io)
{
    struct zstd *z = state;
    if (!io->in_left && !z->hint)
        return NULL; /* asking again would begin another frame */
    ZSTD_inBuffer in = {io->in, io->in_left, 0};
    ZSTD_outBuffer out = {io->out, io->out_left, 0};
    size_t rc = ZSTD_decompressStream(z->d, &out, &in);
    if (ZSTD_isError(rc))
        return ZSTD_getErrorName(rc);
    z->hint = rc;
    io->in += in.pos;
    io->in_left -= in.pos;
    io->out += out.pos;
    io->out_left -= out.pos;
    return NULL;
}

static bool zstd_may_end(const void *state)
{
    return ((const struct zstd *)state)->hint == 0;
}

static void zstd_close(void *state)
{
    struct zstd *z = state;
    ZSTD_freeDStream(z->d);
    free(z);
}

const struct codec codec_zstd = {
    "zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_open, zstd_step, zstd_may_end, zstd_close};
