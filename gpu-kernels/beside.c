/* beside.c - see beside.h */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu-kernels/beside.h"

int beside_path(const char *file, char *out, size_t n)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return -1;
    self[length] = 0;
    const char *slash = strrchr(self, '/');
    int folder = slash ? (int)(slash - self) : 0;
    return snprintf(out, n, "%.*s/%s", folder, self, file) < (int)n ? 0 : -1;
}

void *beside_open(const char *file)
{
    char path[PATH_MAX];
    return beside_path(file, path, sizeof path) ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

void *beside_symbol(void *library, const char *name)
{
    return dlsym(library, name);
}

void beside_close(void *library)
{
    if (library)
        dlclose(library);
}
