#include "harness/base/outfile.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/files.h"

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
        rc = files_write(path, t->data, t->len, e);
    outtext_free(t);
    return rc;
}
