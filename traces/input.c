/* input.c - opens, sniffs, decodes and digests. */
#include "traces/input.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "traces/codec.h"

#define PACKED_CHUNK 65536

struct input {
    char *name;
    FILE *file; /* NULL: over memory */
    const unsigned char *mem;
    size_t mem_left;
    const struct codec *codec; /* NULL: plain */
    void *state;
    unsigned char *packed; /* what was read and not yet decoded */
    size_t at, have;
    bool eof; /* nothing more to read behind `packed` */
    struct sha256 sha;
};

static const struct codec *const codecs[] = {
#define X(c) &codec_##c,
    CODECS(X)
#undef X
};

/* Reads packed bytes behind what is there; sets eof at the end. */
static int refill(struct input *in, struct err *e)
{
    if (in->at == in->have)
        in->at = in->have = 0;
    if (in->eof || in->have == PACKED_CHUNK)
        return 0;
    size_t room = PACKED_CHUNK - in->have, n;
    if (in->file) {
        n = fread(in->packed + in->have, 1, room, in->file);
        if (n < room && ferror(in->file))
            return err_set(e, ERR_EIO, "%s: %s", in->name, strerror(errno));
        in->eof = n < room;
    } else {
        n = room < in->mem_left ? room : in->mem_left;
        if (n)
            memcpy(in->packed + in->have, in->mem, n);
        in->mem += n;
        in->mem_left -= n;
        in->eof = in->mem_left == 0;
    }
    in->have += n;
    return 0;
}

static int sniff(struct input *in, struct err *e)
{
    int rc = refill(in, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        const struct codec *c = codecs[i];
        if (in->have < c->magic_len || memcmp(in->packed, c->magic, c->magic_len))
            continue;
        if (!(in->state = c->open()))
            return err_set(e, ERR_ENOMEM, "%s: out of memory", in->name);
        in->codec = c;
        return 0;
    }
    return 0;
}

static int start(struct input **out, const char *name, FILE *f, const void *data, size_t len,
                 struct err *e)
{
    struct input *in = calloc(1, sizeof *in);
    *out = NULL;
    if (in) {
        in->file = f;
        in->mem = data;
        in->mem_left = len;
        in->name = strdup(name);
        in->packed = malloc(PACKED_CHUNK);
        sha256_init(&in->sha);
    } else if (f) {
        fclose(f);
    }
    if (!in || !in->name || !in->packed) {
        input_close(in);
        return err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    }
    int rc = sniff(in, e);
    if (rc) {
        input_close(in);
        return rc;
    }
    *out = in;
    return 0;
}

int input_open(struct input **in, const char *path, struct err *e)
{
    struct stat st;
    *in = NULL;
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(f);
        return err_set(e, ERR_EIO, "%s: got a folder, want a file", path);
    }
    return start(in, path, f, NULL, 0, e);
}

int input_open_memory(struct input **in, const char *name, const void *data, size_t len,
                      struct err *e)
{
    return start(in, name, NULL, data, len, e);
}

static long read_plain(struct input *in, void *to, size_t n, struct err *e)
{
    int rc = refill(in, e);
    if (rc)
        return rc;
    size_t got = in->have - in->at < n ? in->have - in->at : n;
    if (got)
        memcpy(to, in->packed + in->at, got);
    in->at += got;
    return (long)got;
}

/* Steps the codec until it yields something, or the file ends where it may. */
static long read_packed(struct input *in, void *to, size_t n, struct err *e)
{
    struct codec_io io = {.out = to, .out_left = n};
    for (;;) {
        int rc = refill(in, e);
        if (rc)
            return rc;
        io.in = in->packed + in->at;
        io.in_left = in->have - in->at;
        io.last = in->eof;
        size_t had = io.in_left;
        const char *wrong = in->codec->step(in->state, &io);
        in->at = in->have - io.in_left;
        if (wrong)
            return err_set(e, ERR_EIO, "%s: damaged %s data: %s", in->name, in->codec->name, wrong);
        if (io.out_left < n)
            return (long)(n - io.out_left);
        if (io.last && !io.in_left && in->codec->may_end(in->state))
            return 0;
        if (io.last && io.in_left == had)
            return err_set(e, ERR_EIO, "%s: the %s data ends early: a truncated file", in->name,
                           in->codec->name);
    }
}

long input_read(struct input *in, void *to, size_t n, struct err *e)
{
    assert(n > 0);
    long got = in->codec ? read_packed(in, to, n, e) : read_plain(in, to, n, e);
    if (got > 0)
        sha256_add(&in->sha, to, (size_t)got);
    return got;
}

void input_sha256(const struct input *in, char hex[SHA256_HEX])
{
    sha256_hex(&in->sha, hex);
}

int input_read_all(struct input *in, size_t most, const char *want, char **text, size_t *n,
                   struct err *e)
{
    size_t room = 0;
    long got = 1;
    *text = NULL;
    *n = 0;
    while (got > 0 && *n < most) {
        if (*n == room) {
            char *more = realloc(*text, room = room ? 2 * room : PACKED_CHUNK);
            if (!more)
                return err_set(e, ERR_ENOMEM, "out of memory");
            *text = more;
        }
        got = input_read(in, *text + *n, room - *n, e);
        *n += got > 0 ? (size_t)got : 0;
    }
    if (got > 0)
        return err_set(e, ERR_EPARSE, "%s: got %zu MiB or more, want %s", in->name, most >> 20,
                       want);
    return got < 0 ? (int)got : 0;
}

uint64_t input_bytes(const struct input *in)
{
    return in->sha.bytes;
}

const char *input_name(const struct input *in)
{
    return in->name;
}

const char *input_packing(const struct input *in)
{
    return in->codec ? in->codec->name : "plain";
}

void input_close(struct input *in)
{
    if (!in)
        return;
    if (in->codec)
        in->codec->close(in->state);
    if (in->file)
        fclose(in->file);
    free(in->packed);
    free(in->name);
    free(in);
}
