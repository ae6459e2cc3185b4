#include "harness/base/places.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *beside(bool one_up, const char *relative)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    char *slash = strrchr(exe, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    if (one_up && (slash = strrchr(exe, '/')))
        *slash = '\0';
    char *path;
    return asprintf(&path, "%s/%s", exe, relative) < 0 ? NULL : path;
}

char *places_build(const char *relative)
{
    return beside(false, relative);
}

char *places_root(const char *relative)
{
    return beside(true, relative);
}
