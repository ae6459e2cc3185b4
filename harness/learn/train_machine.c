#include "harness/learn/train_machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"
#include "harness/base/profile.h"

int train_machine(struct machine **m, const char *file, struct err *e)
{
    struct config *c = NULL;
    char *path = access(file, R_OK) ? places_root(file) : strdup(file);
    int rc = path ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc && access(path, R_OK))
        rc = err_set(e, ERR_EIO, "--machine: no file \"%s\", neither here nor in the source tree",
                     file);
    if (!rc)
        rc = profile_load(&c, path, e);
    if (!rc)
        rc = machine_load(m, c, e);
    config_free(c);
    free(path);
    return rc;
}
