/* cupti.c - see cupti.h */
#include "capture/cupti.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const libraries[] = {"libcupti.so.13",
                                        "libcupti.so.12",
                                        "libcupti.so.11.8",
                                        "libcupti.so",
                                        "/usr/local/cuda/lib64/libcupti.so",
                                        "/usr/local/cuda/extras/CUPTI/lib64/libcupti.so"};
enum { LIBRARIES = sizeof libraries / sizeof *libraries };

/* A process has one CUPTI: a second of another version beside it records nothing. */
static void *find_library(void)
{
    const char *own = getenv("MALV_LIBCUPTI");
    void *library = NULL;
    if (own)
        return dlopen(own, RTLD_NOW | RTLD_LOCAL);
    for (int i = 0; i < LIBRARIES && !library; i++)
        library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    for (int i = 0; i < LIBRARIES && !library; i++)
        library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

static int find_calls(struct cupti *c, char *why, size_t n)
{
    void *found;
#define X(call, args)                                                                              \
    found = dlsym(c->library, #call);                                                              \
    if (!found) {                                                                                  \
        snprintf(why, n, "CUPTI is too old, it lacks " #call);                                     \
        return -1;                                                                                 \
    }                                                                                              \
    memcpy(&c->call, &found, sizeof found);
    CUPTI_CALLS(X)
#undef X
    return 0;
}

int cupti_open(struct cupti *c, char *why, size_t n)
{
    *c = (struct cupti){0};
    c->library = find_library();
    if (!c->library) {
        const char *said = dlerror();
        snprintf(why, n, "no CUPTI library (it comes with the CUDA toolkit): %s", said ? said : "");
        return -1;
    }
    if (find_calls(c, why, n))
        return -1;
    if (c->cuptiGetVersion(&c->version) || c->version < CUPTI_VERSION_MIN) {
        snprintf(why, n, "CUPTI is version %u, want %d or newer", c->version, CUPTI_VERSION_MIN);
        return -1;
    }
    return 0;
}

const char *cupti_error(const struct cupti *c, cupti_result r)
{
    const char *name = NULL;
    if (c->cuptiGetResultString(r, &name) || !name)
        return "an unknown error";
    return name;
}
