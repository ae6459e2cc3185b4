#include "harness/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int outtext_open(struct outtext *t, struct err *e)
{
    *t = (struct outtext){0};
    t->f = open_memstream(&t->data, &t->len);
    return t->f ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

int outtext_close(struct outtext *t, struct err *e)
{
    const int bad = ferror(t->f);
    if (fclose(t->f) || bad) {
        t->f = NULL;
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    t->f = NULL;
    return 0;
}

void outtext_free(struct outtext *t)
{
    if (t->f)
        fclose(t->f);
    free(t->data);
    *t = (struct outtext){0};
}

static int put_all(int fd, const char *data, size_t len)
{
    while (len) {
        const ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int outfile_write(const char *path, const char *data, size_t len, struct err *e)
{
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.tmp.%ld", path, (long)getpid()) >= (int)sizeof temp)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", path);
    const int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(e, ERR_EIO, "%s: cannot write: %s", path, strerror(errno));
    int bad = put_all(fd, data, len) ? errno : 0;
    if (close(fd) && !bad)
        bad = errno;
    if (!bad && rename(temp, path))
        bad = errno;
    if (!bad)
        return 0;
    unlink(temp);
    return err_set(e, ERR_EIO, "%s: cannot write: %s", path, strerror(bad));
}

int outfile_mkdir(const char *dir, struct err *e)
{
    char path[PATH_MAX];
    struct stat st;
    if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", dir);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        mkdir(path, 0777); /* what fails here fails again below, with a sentence */
        *p = '/';
    }
    if (mkdir(path, 0777) && errno != EEXIST)
        return err_set(e, ERR_EIO, "%s: cannot make the folder: %s", dir, strerror(errno));
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return err_set(e, ERR_EIO, "%s: is a file, want a folder", dir);
    return 0;
}

int outtext_save(struct outtext *t, const char *dir, const char *name, struct err *e)
{
    char path[PATH_MAX];
    int rc = outtext_close(t, e);
    if (!rc && snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        rc = err_set(e, ERR_EIO, "%.80s...: the path is too long", dir);
    if (!rc)
        rc = outfile_write(path, t->data, t->len, e);
    outtext_free(t);
    return rc;
}

int outfile_read(const char *path, char **data, size_t *len, struct err *e)
{
    struct outtext t = {0};
    char part[65536];
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(e, ERR_EIO, "%s: cannot open: %s", path, strerror(errno));
    int rc = outtext_open(&t, e);
    for (size_t n; !rc && (n = fread(part, 1, sizeof part, f));)
        fwrite(part, 1, n, t.f);
    if (!rc && ferror(f))
        rc = err_set(e, ERR_EIO, "%s: cannot read: %s", path, strerror(errno));
    if (!rc)
        rc = outtext_close(&t, e);
    fclose(f);
    if (rc) {
        outtext_free(&t);
        return rc;
    }
    *data = t.data;
    *len = t.len;
    return 0;
}
