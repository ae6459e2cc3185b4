/* capture_files.c - see capture_files.h */
#include "harness/capture_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/raw.h"

int capture_files_begin(const char *out, char *dir, size_t n, struct err *e)
{
    char name[PATH_MAX], full[PATH_MAX];
    if (snprintf(name, sizeof name, "%s.XXXXXX", out) >= (int)sizeof name)
        return err_set(e, ERR_EUSAGE, "%s: too long a name", out);
    if (!mkdtemp(name))
        return err_set(e, ERR_EIO, "%s: %s", name, strerror(errno));
    if (!realpath(name, full) || snprintf(dir, n, "%s", full) >= (int)n)
        return err_set(e, ERR_EIO, "%s: no path to it", name);
    return 0;
}

struct file {
    char path[PATH_MAX];
    uint64_t began;
};

static int by_beginning(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    if (x->began != y->began)
        return x->began < y->began ? -1 : 1;
    return strcmp(x->path, y->path);
}

static uint64_t when_began(const char *path)
{
    struct raw_begin begin;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && read(fd, &begin, sizeof begin) == (ssize_t)sizeof begin;
    if (fd >= 0)
        close(fd);
    return whole ? begin.mono_ns : UINT64_MAX;
}

/* Without the beginnings of processes that were killed before they had one. */
static int list(const char *dir, struct file **out, int *n, struct err *e)
{
    DIR *d = opendir(dir);
    int rc = d ? 0 : err_set(e, ERR_EIO, "%s: %s", dir, strerror(errno));
    for (struct dirent *at; !rc && (at = readdir(d));) {
        struct file *more, f;
        if (at->d_name[0] == '.')
            continue;
        snprintf(f.path, sizeof f.path, "%s/%s", dir, at->d_name);
        f.began = when_began(f.path);
        if (f.began == UINT64_MAX) {
            unlink(f.path);
            continue;
        }
        if (!(more = realloc(*out, ((size_t)*n + 1) * sizeof *more))) {
            rc = err_set(e, ERR_ENOMEM, "out of memory");
            break;
        }
        *out = more;
        more[(*n)++] = f;
    }
    if (d)
        closedir(d);
    if (*n)
        qsort(*out, (size_t)*n, sizeof **out, by_beginning);
    return rc;
}

/* One record, or the beginning; false: the file ends before it does (its process was killed). */
static bool read_whole(FILE *from, void *to, size_t have, size_t n)
{
    return n >= have && fread((char *)to + have, 1, n - have, from) == n - have;
}

static int append(const char *path, FILE *to, struct err *e)
{
    static union {
        struct raw_begin begin;
        struct raw_head head;
        char bytes[1 << 16];
    } r;
    FILE *from = fopen(path, "rbe");
    bool good = from && read_whole(from, &r, 0, sizeof r.begin) &&
                fwrite(&r, 1, sizeof r.begin, to) == sizeof r.begin;
    while (good && read_whole(from, &r, 0, sizeof r.head) &&
           read_whole(from, &r, sizeof r.head, r.head.size))
        good = fwrite(&r, 1, r.head.size, to) == r.head.size;
    good = good && !ferror(from) && !fflush(to);
    int why = errno;
    if (from)
        fclose(from);
    return good ? 0 : err_set(e, ERR_EIO, "%s: %s", path, strerror(why));
}

static int join(struct file *file, int n, const char *raw, struct err *e)
{
    FILE *to = fopen(raw, "wbe");
    int rc = to ? 0 : err_set(e, ERR_EIO, "%s: %s", raw, strerror(errno));
    for (int i = 0; i < n && !rc; i++)
        rc = append(file[i].path, to, e);
    if (to && fclose(to) && !rc)
        rc = err_set(e, ERR_EIO, "%s: %s", raw, strerror(errno));
    for (int i = 0; i < n && !rc; i++)
        unlink(file[i].path);
    return rc;
}

int capture_files_gather(const char *dir, const char *raw, int *files, struct err *e)
{
    struct file *file = NULL;
    *files = 0;
    int rc = list(dir, &file, files, e);
    if (!rc && *files && (*files > 1 || rename(file[0].path, raw)))
        rc = join(file, *files, raw, e);
    free(file);
    if (rc)
        return err_wrap(e, rc, "what was recorded is in %s", dir);
    rmdir(dir);
    return 0;
}
