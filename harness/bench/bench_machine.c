#include "harness/bench/bench_machine.h"

#include <stdlib.h>

#include "harness/base/places.h"
#include "harness/base/profile.h"

int bench_machine(struct machine **m, const char *path, struct err *e)
{
    struct config *json = NULL;
    char *found = places_root(path);
    *m = NULL;
    if (!found)
        return err_set(e, ERR_EIO, "%s: cannot tell where the program's files are", path);
    int rc = profile_load(&json, found, e);
    free(found);
    if (!rc)
        rc = machine_load(m, json, e);
    config_free(json);
    return rc;
}
