/* pack_mma.c - int8 weights as the B operands of mma.m16n8k32.
 *
 * The instruction multiplies A (16 rows x 32 k) by B (32 k x 8 columns).  Lane
 * 4g + q holds of B the column g, k = 4q .. 4q+3 in its first register and
 * k = 16 + 4q .. in its second.  Of the result it holds columns 2q and 2q+1.
 *
 * First layer: columns are neurons.  A chunk of 32 neurons is four column
 * tiles t = 0..3, and a lane ends with neurons 8t + 2q + {0, 1} of its rows.
 * Second layer: the same lane now needs 8 hidden values as the A operand, k =
 * 4q .. and 16 + 4q ...  Integer sums may be taken in any order, so instead
 * of moving values between lanes we let k mean another neuron: slot 4q + e of
 * each half is neuron 8t + 2q + e%2 with t = e/2 (+2 in the second half).
 * The hidden layer thus never leaves the registers.  A further hidden layer
 * meets its k in the same order, so a warp can hand its registers to another. */
#include "gpu-kernels/pack.h"

/* The neuron (in its chunk) that stands at k of the second multiplication. */
static uint32_t neuron_of_k(uint32_t k)
{
    uint32_t half = k / 16, q = k % 16 / 4, e = k % 4;
    return 8 * (2 * half + e / 2) + 2 * q + e % 2;
}

/* Byte of the fragment that holds row k, column g of a B operand. */
static uint32_t byte_of(uint32_t k, uint32_t g)
{
    uint32_t lane = 4 * g + k % 16 / 4;
    return (lane * 2 + k / 16) * 4 + k % 4;
}

enum { FRAGMENT = 32 * 2 * 4 }; /* bytes of one B operand over all lanes */

void pack_mma_layer(struct pack_layer *l, const struct infer_layer *from, bool first)
{
    uint32_t steps = l->k_pad / 32;
    for (uint32_t j = 0; j < l->width; j++)
        for (uint32_t at = 0; at < l->k_pad; at++) {
            int8_t *to = (int8_t *)l->w + ((size_t)(j / 8) * steps + at / 32) * FRAGMENT;
            uint32_t k = first ? at : at / 32 * 32 + neuron_of_k(at % 32);
            if (k < l->k)
                to[byte_of(at % 32, j % 8)] = from->q[(size_t)j * l->k + k];
        }
}

void pack_mma_output(struct pack *p, const struct infer_mlp *m)
{
    uint32_t tiles = (m->n_out + 7) / 8, last = p->layer[p->n_layers - 1].width;
    for (uint32_t at = 0; at < p->hidden_pad; at++)
        for (uint32_t o = 0; o < m->n_out; o++) {
            uint32_t j = at / 32 * 32 + neuron_of_k(at % 32);
            int8_t *to = (int8_t *)p->w2 + ((size_t)(at / 32) * tiles + o / 8) * FRAGMENT;
            if (j < last)
                to[byte_of(at % 32, o % 8)] = m->q2[(size_t)o * last + j];
        }
}
