/* kind.h - what a kind of network brings to every backend: one const table.
 *
 * A backend knows no network.  `cpu` asks a kind for its twin; `emu` and `cuda`
 * ask it to pack the weights into blobs, to bring rows into the kernels' form,
 * and to plan a batch as a list of launches, one after the other.  Only valid
 * networks get past `check`.                                                 */
#ifndef GPU_KERNELS_KIND_H
#define GPU_KERNELS_KIND_H

#include "gpu-kernels/infer.h"
#include "gpu-kernels/mail.h"

/* Kinds, by the name of their .cu file: a line here, a word in kernels.mk, a row in infer.c. */
#define KINDS(X) X(mlp) X(forest) X(lstm) X(knn)

enum { KIND_BLOBS = 8, KIND_LAUNCHES = 40, KIND_ARGS = 256, KIND_ROWS_MAX = 4096 };

/* A network laid out for the kernels; the blobs belong to `own`. */
struct kind_pack {
    void *own;
    struct kind_blob {
        const void *at;
        size_t size;
    } blob[KIND_BLOBS];
    uint32_t n_blobs, n_in, n_out;
    size_t row_size;             /* of a row of x as the kernels read it */
    size_t scratch, row_scratch; /* device memory that the launches share: at all, and per row */
};

/* Where everything lies, as the device sees it. */
struct kind_places {
    const void *x, *blob[KIND_BLOBS];
    void *y, *scratch;
};

struct kind_launch {
    uint32_t kernel, blocks, threads;
    _Alignas(16) unsigned char args[KIND_ARGS]; /* the kernel's one argument, by value */
};

typedef void kind_kernel(const void *args); /* a .cu as C: emu_NAME */

struct kind {
    const char *name;
    const char *const *kernels; /* as the .cu names them */
    kind_kernel *const *emu;    /* the same ones */
    uint32_t n_kernels;

    int (*check)(const struct infer_net *net, char *why, size_t n);
    void (*shape)(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out);
    uint64_t (*flops)(const struct infer_net *net); /* of one row: the operations that it takes */

    /* For the kernels.  pack: false when out of memory; then there is nothing to free. */
    bool (*pack)(struct kind_pack *p, const struct infer_net *net);
    void (*unpack)(struct kind_pack *p);
    void (*stage)(const struct kind_pack *p, void *to, const float *x, uint32_t rows);
    /* rows <= KIND_ROWS_MAX; at most `blocks` blocks a launch where blocks can stride.  Returns
     * how many launches. */
    uint32_t (*plan)(const struct kind_pack *p, const struct kind_places *at, uint32_t rows,
                     uint32_t blocks, struct kind_launch launch[KIND_LAUNCHES]);

    /* The launch of a kernel that stays and answers letters (mail.h), x and y in its boxes; blocks
     * is left to the caller.  Rows that a box takes; 0, or NULL: there is none for this network. */
    uint32_t (*mail)(const struct kind_pack *p, const struct kind_places *at,
                     const struct mail_args *mail, struct kind_launch *launch);

    /* The twin for an instruction set, a place in cpu_twins (cpu.h).  NULL: out of memory. */
    void *(*twin_make)(const struct infer_net *net, uint32_t level);
    bool (*twin_run)(void *twin, uint32_t rows, const float *x, float *y); /* false: no memory */
    void (*twin_free)(void *twin);
};

#define X(id) extern const struct kind kind_##id;
KINDS(X)
#undef X

const struct kind *kind_of(const struct infer_net *net); /* infer.c */

#endif
