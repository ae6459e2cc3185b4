/* beside.c - see beside.h */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu-kernels/beside.h"

void *beside_open(const char *file)
{
    char self[PATH_MAX], path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return NULL;
    self[length] = 0;
    const char *slash = strrchr(self, '/');
    int folder = slash ? (int)(slash - self) : 0;
    if (snprintf(path, sizeof path, "%.*s/%s", folder, self, file) >= (int)sizeof path)
        return NULL;
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
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
