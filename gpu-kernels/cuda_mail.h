/* cuda_mail.h - the host's side of mail.h: writes letters, waits for answers.
 *
 * Boxes come in groups of 1, 3 and 60, each served by one launch on a stream
 * of its own that is started when a batch first needs it: a kernel that stays
 * takes an SM per box.  The first MAIL_NETWORKS networks have boxes; more
 * streams might share a queue of the hardware, behind a kernel that does not
 * end.                                                                       */
#ifndef GPU_KERNELS_CUDA_MAIL_H
#define GPU_KERNELS_CUDA_MAIL_H

#include "gpu-kernels/cuda_state.h"

enum { MAIL_NETWORKS = 2 };

bool cuda_mail_holds(const struct cuda_model *m, uint32_t rows);
int cuda_mail_run(struct cuda_model *m, uint32_t rows, const float *in, float *out, char *why,
                  size_t n);
void cuda_mail_close(struct cuda_mail *mail); /* sends its kernels away; NULL is fine */

#endif
