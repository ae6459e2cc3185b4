/* lstm_bugs.cu - lstm.cu without its barriers of the block: the sums of one
 * round of segments are read before, and overwritten while, others need them. */
#include "gpu-kernels/cu_portable.h"

#undef __syncthreads
#define __syncthreads() ((void)0)
/* As CUDA names a kernel, and as the fibers do. */
#define lstm_step        bug_lstm_step
#define lstm_out         bug_lstm_out
#define lstm_softmax     bug_lstm_softmax
#define emu_lstm_step    emu_bug_lstm_step
#define emu_lstm_out     emu_bug_lstm_out
#define emu_lstm_softmax emu_bug_lstm_softmax
#include "gpu-kernels/lstm.cu"
