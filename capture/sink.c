/* sink.c - see sink.h */
#include "capture/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_all(struct sink *s, const unsigned char *from, size_t n)
{
    while (n && s->fd >= 0) {
        ssize_t done = write(s->fd, from, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            fprintf(stderr, "malv capture: the raw file ends here: %s\n", strerror(errno));
            close(s->fd);
            s->fd = -1;
            return;
        }
        from += done;
        n -= (size_t)done;
    }
}

int sink_open(struct sink *s, const char *dir, const struct raw_begin *begin)
{
    char path[512];
    memset(s, 0, sizeof *s);
    s->fd = -1;
    for (int i = 1; i < 1000 && s->fd < 0; i++) {
        if (i == 1)
            snprintf(path, sizeof path, "%s/%u.raw", dir, begin->pid);
        else
            snprintf(path, sizeof path, "%s/%u-%d.raw", dir, begin->pid, i);
        s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (s->fd < 0 && errno != EEXIST) {
            fprintf(stderr, "malv capture: %s: %s\n", path, strerror(errno));
            return -1;
        }
    }
    write_all(s, (const unsigned char *)begin, sizeof *begin);
    return s->fd < 0 ? -1 : 0;
}

void sink_flush(struct sink *s)
{
    write_all(s, s->buffer, s->used);
    s->used = 0;
}

void sink_put(struct sink *s, const void *record)
{
    const struct raw_head *head = record;
    if (s->used + head->size > SINK_BUFFER)
        sink_flush(s);
    memcpy(s->buffer + s->used, record, head->size);
    s->used += head->size;
}

static uint64_t hash_text(const char *text, size_t len)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h | 1; /* 0 is an empty place */
}

static uint32_t put_name(struct sink *s, const char *text, size_t len)
{
    union {
        struct raw_name name;
        unsigned char bytes[sizeof(struct raw_name) + RAW_TEXT];
    } r = {0};
    size_t size = (sizeof r.name + len + 7) / 8 * 8;
    r.name = (struct raw_name){{RAW_NAME, (uint16_t)size, 0}, s->names, (uint32_t)len};
    memcpy(r.bytes + sizeof r.name, text, len);
    sink_put(s, &r);
    return s->names++;
}

/* A table that is full forgets: the name is then written again, under another number. */
static struct sink_name *place(struct sink *s, uint64_t hash)
{
    struct sink_name *last = NULL;
    for (size_t i = 0; i < 16; i++) {
        last = &s->name[(hash + i) % SINK_NAMES];
        if (!last->hash || last->hash == hash)
            return last;
    }
    last->hash = 0;
    return last;
}

uint32_t sink_name(struct sink *s, const char *text)
{
    text = text ? text : "unknown";
    size_t len = strnlen(text, RAW_TEXT);
    uint64_t hash = hash_text(text, len);
    struct sink_name *n = place(s, hash);
    if (!n->hash)
        *n = (struct sink_name){hash, put_name(s, text, len)};
    return n->id;
}

void sink_close(struct sink *s)
{
    if (s->fd < 0)
        return;
    sink_flush(s);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
