/* beside.h - shared objects that lie beside the program. */
#ifndef GPU_KERNELS_BESIDE_H
#define GPU_KERNELS_BESIDE_H

#include <stddef.h>

/* Where `file` lies, whether it is there or not; -1: not known, or too long for n bytes. */
int beside_path(const char *file, char *out, size_t n);

/* dlopens `file` from the program's own folder; NULL when it is not there. */
void *beside_open(const char *file);

/* A symbol of it, or NULL; dlsym without the cast that C does not allow. */
void *beside_symbol(void *library, const char *name);

void beside_close(void *library); /* NULL is fine */

#endif
