/* thismachine.h - what this computer says of itself, for provenance.          */
#ifndef HARNESS_BASE_THISMACHINE_H
#define HARNESS_BASE_THISMACHINE_H

#include <stddef.h>

void thismachine_cpu(char *to, size_t size);    /* "Intel(R) Xeon(R) ...", or "unknown" */
void thismachine_kernel(char *to, size_t size); /* release of the running kernel */
/* The number in a file of /sys or /proc; otherwise when there is none. */
long thismachine_number(const char *path, long otherwise);

#endif
