/* serve_swap.c - a preempted request's KV cache goes to host memory and comes back.
 *
 * As in vLLM before its version 1: all blocks of a sequence that decodes are
 * copied out before the next iteration and copied in before the one in which
 * it goes on; the iteration waits for the copies, which take the link one
 * after the other.  Without room in host memory, and while its prompt is
 * still being computed, a request is computed again instead.  With "paging"
it is said who copies, and what that takes (paging.h).                     */
#include "models/serve/serve_state.h"

int swap_begin(struct serve *s)
{
    double rate;
    if (s->c.swap_gib <= 0)
        return 0;
    const double bytes = (double)KV_BLOCK * (double)s->llm.kv_bytes_per_token;
    int rc = machine_value(&s->use, "link.pcie", QUANTITY_RATE, &rate, s->e);
    if (rc)
        return rc;
    s->swap_block_ps = (sim_cost)(bytes * 1e12 / rate + 0.5);
    s->swap_room = (uint64_t)(s->c.swap_gib * 0x1p30 / bytes);
    return 0;
}

static void moves(struct serve *s, enum pager_dir dir, uint64_t blocks)
{
    if (s->c.paging.on)
        paging_move(&s->paging, dir, blocks);
    else
        s->swap_ps += blocks * s->swap_block_ps;
}

bool swap_out(struct serve *s, struct seq *q, uint64_t length)
{
    const uint64_t blocks = kv_blocks(length);
    if (s->swap_used + blocks > s->swap_room)
        return false;
    s->swap_used += blocks;
    moves(s, PAGER_OUT, blocks);
    s->n.swapped_out += blocks;
    q->swapped = true;
    return true;
}

void swap_in(struct serve *s, struct seq *q, uint64_t length)
{
    const uint64_t blocks = kv_blocks(length);
    s->swap_used -= blocks;
    moves(s, PAGER_IN, blocks);
    s->n.swapped_in += blocks;
    q->swapped = false;
}

void swap_report(const struct serve *s)
{
    if (s->c.swap_gib <= 0)
        return;
    const double out = (double)s->n.swapped_out, in = (double)s->n.swapped_in;
    measures_number(s->out, "swapped_blocks", "1", BETTER_LESS, out);
    if (!s->c.paging.on)
        measures_number(s->out, "swap_time", "s", BETTER_LESS,
                        (out + in) * (double)s->swap_block_ps / 1e12);
}
