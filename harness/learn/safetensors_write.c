#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/files.h"
#include "harness/learn/safetensors.h"
#include "sim/buf.h"

static void put(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct buf *b, const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    buf_bytes(b, text, (size_t)n);
    free(text);
}

static void put_text(struct buf *b, const char *s)
{
    put(b, "\"");
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            put(b, "\\%c", *s);
        else if ((unsigned char)*s < 32)
            put(b, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            put(b, "%c", *s);
    put(b, "\"");
}

static void put_header(struct buf *b, const struct safetensor *t, size_t n,
                       const struct safetensors_text *meta, size_t n_meta)
{
    unsigned long long at = 0;
    put(b, "{\"__metadata__\":{");
    for (size_t i = 0; i < n_meta; i++) {
        put(b, "%s", i ? "," : "");
        put_text(b, meta[i].key);
        put(b, ":");
        put_text(b, meta[i].value);
    }
    put(b, "}");
    for (size_t i = 0; i < n; i++) {
        put(b, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t[i].name, t[i].dtype);
        for (uint32_t d = 0; d < t[i].n_dim; d++)
            put(b, "%s%llu", d ? "," : "", (unsigned long long)t[i].shape[d]);
        put(b, "],\"data_offsets\":[%llu,%llu]}", at, at + t[i].bytes);
        at += t[i].bytes;
    }
    put(b, "}");
    while (b->len % 8) /* data begins aligned, as the reference writer leaves it */
        put(b, " ");
}

int safetensors_write(const char *path, const struct safetensor *t, size_t n,
                      const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    struct buf header = {0}, file = {0};
    put_header(&header, t, n, meta, n_meta);
    buf_u64(&file, header.len); /* portable packing is little-endian: the format's own */
    buf_bytes(&file, header.data, header.len);
    for (size_t i = 0; i < n; i++)
        buf_bytes(&file, t[i].data, t[i].bytes);
    int rc = header.failed || file.failed ? err_set(e, ERR_ENOMEM, "%s: out of memory", path)
                                          : files_write(path, file.data, file.len, e);
    buf_free(&header);
    buf_free(&file);
    return rc;
}
