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
 * The hidden layer thus never leaves the registers.                          */
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

static void first_layer(struct pack *p, const struct infer_mlp *m)
{
    uint32_t steps = p->k_pad / 32;
    for (uint32_t j = 0; j < m->n_hidden; j++)
        for (uint32_t k = 0; k < m->n_in; k++) {
            int8_t *to = (int8_t *)p->w1 + ((size_t)(j / 8) * steps + k / 32) * FRAGMENT;
            to[byte_of(k % 32, j % 8)] = m->q1[(size_t)j * m->n_in + k];
        }
}

static void second_layer(struct pack *p, const struct infer_mlp *m)
{
    uint32_t tiles = (m->n_out + 7) / 8;
    for (uint32_t c = 0; c < p->chunks; c++)
        for (uint32_t o = 0; o < m->n_out; o++)
            for (uint32_t k = 0; k < 32; k++) {
                uint32_t j = c * 32 + neuron_of_k(k);
                int8_t *to = (int8_t *)p->w2 + ((size_t)c * tiles + o / 8) * FRAGMENT;
                if (j < m->n_hidden)
                    to[byte_of(k, o % 8)] = m->q2[(size_t)o * m->n_hidden + j];
            }
}

void pack_mma_fill(struct pack *p, const struct infer_mlp *m)
{
    for (uint32_t j = 0; j < m->n_hidden; j++)
        p->c1[j] = m->c1[j];
    for (uint32_t o = 0; o < m->n_out; o++)
        p->c2[o] = m->c2[o];
    first_layer(p, m);
    second_layer(p, m);
}
