#include "harness/base/thismachine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

void thismachine_cpu(char *to, size_t size)
{
    snprintf(to, size, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, "model name", 10))
            continue;
        snprintf(to, size, "%s", colon + 2);
        to[strcspn(to, "\n")] = 0;
        break;
    }
    if (f)
        fclose(f);
}

void thismachine_kernel(char *to, size_t size)
{
    struct utsname u = {.release = "unknown"};
    uname(&u);
    snprintf(to, size, "%s", u.release);
}

long thismachine_number(const char *path, long otherwise)
{
    long v = otherwise;
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%ld", &v) != 1)
            v = otherwise;
        fclose(f);
    }
    return v;
}
