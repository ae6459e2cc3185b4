/* journal.c - frames: u64 length, u64 crc-32 of the payload, payload. */
#include "results/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char magic[] = "malv-journal/1\n"; /* 16 bytes with the zero */

struct journal {
    int fd;
    char *path;
};

static int io_error(const char *path, struct err *e)
{
    return err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
}

static int read_all(int fd, const char *path, struct buf *b, struct err *e)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(path, e);
        if (n == 0)
            return b->failed ? err_set(e, ERR_ENOMEM, "%s: out of memory", path) : 0;
        buf_bytes(b, chunk, (size_t)n);
    }
}

/* The next whole frame's payload into `frame` (to be freed); false at a torn or damaged tail. */
static bool next_frame(struct buf *b, struct buf *frame)
{
    *frame = (struct buf){0};
    if (b->len - b->at < 16)
        return false;
    uint64_t len = buf_take_u64(b), sum = buf_take_u64(b);
    if (len > b->len - b->at)
        return false;
    const void *payload = buf_take(b, len);
    if (crc32_z(0, payload, len) != sum)
        return false;
    buf_bytes(frame, payload, len);
    return true;
}

/* The head, when the file got as far as having one. */
static int read_head(struct buf *b, const char *path, struct result_set **head, struct err *e)
{
    struct buf frame;
    *head = NULL;
    size_t whole = b->len < sizeof magic ? b->len : sizeof magic;
    if (whole && memcmp(b->data, magic, whole))
        return err_set(e, ERR_EPARSE, "%s: this is not a journal of malv", path);
    if (whole < sizeof magic)
        return 0;
    buf_take(b, sizeof magic);
    if (!next_frame(b, &frame))
        return 0;
    int rc = results_unpack_head(head, &frame, e);
    buf_free(&frame);
    return rc ? err_wrap(e, rc, "%s", path) : 0;
}

/* Adds the trials that follow the head; *whole is where the sound part ends. */
static int read_trials(struct buf *b, const char *path, struct result_set *rs, size_t *whole,
                       struct err *e)
{
    struct buf frame;
    *whole = b->at;
    while (next_frame(b, &frame)) {
        struct result_trial t;
        int rc = result_trial_unpack(&t, &frame, e);
        buf_free(&frame);
        if (!rc)
            rc = results_add(rs, &t, e);
        if (rc)
            return err_wrap(e, rc, "%s", path);
        *whole = b->at;
    }
    return 0;
}

int journal_read(struct result_set **rs, const char *path, struct err *e)
{
    struct buf b = {0};
    size_t whole;
    *rs = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error(path, e);
    int rc = read_all(fd, path, &b, e);
    close(fd);
    if (!rc)
        rc = read_head(&b, path, rs, e);
    if (!rc && !*rs)
        rc = err_set(e, ERR_EPARSE, "%s: the journal was cut off before its first trial", path);
    if (!rc)
        rc = read_trials(&b, path, *rs, &whole, e);
    buf_free(&b);
    if (rc) {
        results_free(*rs);
        *rs = NULL;
    }
    return rc;
}

static int same_head(const struct result_set *was, const struct result_set *now, const char *path,
                     struct err *e)
{
    const struct {
        const char *what, *was, *now;
    } part[] = {
        {"version of malv", was->version, now->version},
        {"experiment", was->experiment_json, now->experiment_json},
        {"machine", was->machine_json, now->machine_json},
        {"trace", was->trace_json, now->trace_json},
    };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (strcmp(part[i].was, part[i].now))
            return err_set(e, ERR_EUSAGE,
                           "%s: holds trials of another %s; remove it, or give another -o", path,
                           part[i].what);
    return 0;
}

static int put_frame(struct journal *j, const struct buf *payload, bool first, struct err *e)
{
    struct buf b = {0};
    if (first)
        buf_bytes(&b, magic, sizeof magic);
    buf_u64(&b, payload->len);
    buf_u64(&b, crc32_z(0, payload->data, payload->len));
    buf_bytes(&b, payload->data, payload->len);
    int rc = b.failed || payload->failed ? err_set(e, ERR_ENOMEM, "%s: out of memory", j->path) : 0;
    for (size_t done = 0; !rc && done < b.len;) {
        ssize_t n = write(j->fd, b.data + done, b.len - done);
        if (n < 0 && errno != EINTR)
            rc = io_error(j->path, e);
        else if (n > 0)
            done += (size_t)n;
    }
    buf_free(&b);
    if (!rc && fdatasync(j->fd))
        rc = io_error(j->path, e);
    return rc;
}

static int begin(struct journal *j, const struct result_set *rs, struct err *e)
{
    struct buf head = {0};
    if (ftruncate(j->fd, 0) || lseek(j->fd, 0, SEEK_SET) < 0)
        return io_error(j->path, e);
    results_pack_head(rs, &head);
    int rc = put_frame(j, &head, true, e);
    buf_free(&head);
    return rc;
}

/* What the file holds decides: nothing of use, or trials to go on from. */
static int go_on(struct journal *j, struct result_set *rs, struct err *e)
{
    struct buf b = {0};
    struct result_set *head = NULL;
    size_t whole = 0;
    int rc = read_all(j->fd, j->path, &b, e);
    if (!rc)
        rc = read_head(&b, j->path, &head, e);
    if (!rc && !head)
        rc = begin(j, rs, e);
    else if (!rc && !(rc = same_head(head, rs, j->path, e)) &&
             !(rc = read_trials(&b, j->path, rs, &whole, e)) &&
             (ftruncate(j->fd, (off_t)whole) || lseek(j->fd, (off_t)whole, SEEK_SET) < 0))
        rc = io_error(j->path, e);
    results_free(head);
    buf_free(&b);
    return rc;
}

int journal_open(struct journal **out, const char *path, struct result_set *rs, struct err *e)
{
    *out = NULL;
    struct journal *j = calloc(1, sizeof *j);
    if (!j || !(j->path = strdup(path))) {
        free(j);
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    }
    int rc = 0;
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->fd < 0)
        rc = io_error(path, e);
    else if (flock(j->fd, LOCK_EX | LOCK_NB))
        rc = err_set(e, ERR_EUSAGE, "%s: another malv is writing it", path);
    else
        rc = go_on(j, rs, e);
    if (rc) {
        journal_close(j);
        return rc;
    }
    *out = j;
    return 0;
}

int journal_append(struct journal *j, const struct result_trial *t, struct err *e)
{
    struct buf b = {0};
    result_trial_pack(t, &b);
    int rc = put_frame(j, &b, false, e);
    buf_free(&b);
    return rc;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    free(j->path);
    free(j);
}

void journal_remove(struct journal *j)
{
    unlink(j->path);
    journal_close(j);
}
