#include "harness/base/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_read(const char *path, size_t most, unsigned char **data, size_t *n, struct err *e)
{
    *data = NULL;
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
    int rc = 0;
    if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))
        rc = err_set(e, ERR_EIO, "%s: not a regular file", path);
    else if ((size_t)st.st_size > most)
        rc = err_set(e, ERR_ERANGE, "%s: %lld bytes, want at most %zu", path, (long long)st.st_size,
                     most);
    else if (!(*data = malloc((size_t)st.st_size + 1)))
        rc = err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    if (!rc) {
        *n = fread(*data, 1, (size_t)st.st_size, f);
        (*data)[*n] = 0;
        if (ferror(f))
            rc = err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
    }
    fclose(f);
    if (rc) {
        free(*data);
        *data = NULL;
    }
    return rc;
}

static int fill(FILE *f, const void *data, size_t n)
{
    if (fwrite(data, 1, n, f) != n || fflush(f))
        return -1;
    return fsync(fileno(f));
}

int files_write(const char *path, const void *data, size_t n, struct err *e)
{
    char *temporary;
    if (asprintf(&temporary, "%s.part%ld", path, (long)getpid()) < 0)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    FILE *f = fopen(temporary, "wb");
    int rc = 0;
    if (!f) {
        rc = err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
    } else {
        int bad = fill(f, data, n);
        bad |= fclose(f);
        if (bad || rename(temporary, path)) {
            rc = err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
            unlink(temporary);
        }
    }
    free(temporary);
    return rc;
}
