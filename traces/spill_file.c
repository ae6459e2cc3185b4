/* spill_file.c - whole reads and writes, and what to say when they fail. */
#include "traces/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder(void)
{
    const char *d = getenv("TMPDIR");
    return d && *d ? d : "/tmp";
}

int spill_open_file(int *fd, struct err *e)
{
    char path[4096];
    *fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return 0;
    if (snprintf(path, sizeof path, "%s/malv-sort-XXXXXX", folder()) >= (int)sizeof path)
        return err_set(e, ERR_EIO, "TMPDIR: got a path of %zu letters, want fewer than 4096",
                       strlen(folder()));
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return err_set(e, ERR_EIO, "sorting needs a file in %s: %s", folder(), strerror(errno));
    unlink(path);
    return 0;
}

static int write_all(int fd, const unsigned char *v, size_t n, uint64_t at, struct err *e)
{
    while (n) {
        ssize_t did = pwrite(fd, v, n, (off_t)at);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return err_set(e, ERR_EIO, "sorting needs more room in %s than %llu bytes: %s",
                           folder(), (unsigned long long)at, strerror(did ? errno : ENOSPC));
        v += did;
        n -= (size_t)did;
        at += (uint64_t)did;
    }
    return 0;
}

int spill_read_all(int fd, unsigned char *v, size_t n, uint64_t at, struct err *e)
{
    while (n) {
        ssize_t did = pread(fd, v, n, (off_t)at);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return err_set(e, ERR_EIO, "reading back what was sorted in %s: %s", folder(),
                           did ? strerror(errno) : "the file is shorter than it was");
        v += did;
        n -= (size_t)did;
        at += (uint64_t)did;
    }
    return 0;
}

int spill_outlet_flush(struct spill_outlet *o, struct err *e)
{
    int rc = write_all(o->fd, o->buf, o->have, o->at, e);
    o->at += o->have;
    o->have = 0;
    return rc;
}

int spill_outlet_put(struct spill_outlet *o, const void *record, size_t size, struct err *e)
{
    int rc = o->have + size > o->room ? spill_outlet_flush(o, e) : 0;
    memcpy(o->buf + o->have, record, size);
    o->have += size;
    return rc;
}

int spill_outlet_open(struct spill_outlet *o, int fd, uint64_t at, size_t size, struct err *e)
{
    size_t room = SPILL_BLOCK > size ? SPILL_BLOCK : size;
    *o = (struct spill_outlet){.fd = fd, .at = at, .buf = malloc(room), .room = room};
    return o->buf ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}
