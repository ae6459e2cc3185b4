/* codec.h - the packings that input.c understands: one const table each.
 *
 * A codec turns packed bytes into plain ones.  It is fed until it has eaten
 * everything; at the end of the file the reader asks whether it may end here. */
#ifndef TRACES_CODEC_H
#define TRACES_CODEC_H

#include <stdbool.h>
#include <stddef.h>

struct codec_io {
    const unsigned char *in;
    size_t in_left;
    unsigned char *out;
    size_t out_left;
    bool last; /* nothing follows what is in `in` */
};

struct codec {
    const char *name;
    unsigned char magic[6];
    size_t magic_len;
    void *(*open)(void); /* NULL: out of memory */
    /* Moves io on; NULL when all is well, else what is wrong with the data. */
    const char *(*step)(void *state, struct codec_io *io);
    bool (*may_end)(const void *state); /* between members: the file may stop here */
    void (*close)(void *state);
};

#define CODECS(X) X(gzip) X(xz) X(zstd)
#define X(c)      extern const struct codec codec_##c;
CODECS(X)
#undef X

#endif
