/* mail.h - a box in host memory through which a kernel that stays is asked.
 *
 * A launch costs microseconds, a look into mapped memory one.  So a kernel of
 * one block per box stays on the GPU and polls its box.  A letter is a tag
 * that changes with every letter, a number of rows, and the rows; the answer
 * comes back the same way.  Words are 64 bits, 32 of them the tag: whoever
 * reads one knows from itself alone that it is new, so nothing depends on the
 * order in which words arrive (NCCL's LL protocol), and no fence is needed.
 *
 * A kernel leaves when told to, or when no letter came for `idle` looks: it
 * then writes the number of its launch into MAIL_LEFT.  A letter that crosses
 * with it stays in the box, and the next launch finds it: MAIL_ANSWERED says
 * which tag is old news.  No box ever waits for another one.                 */
#ifndef GPU_KERNELS_MAIL_H
#define GPU_KERNELS_MAIL_H

#include <stdint.h>

/* Words of a box: the letter's tag and rows; the last tag that needs no answer, written by the
 * host before a launch; the launch that has left; then rows of x, and rows of y. */
enum { MAIL_HEAD = 0, MAIL_ANSWERED = 1, MAIL_LEFT = 2, MAIL_X = 16 };
#define MAIL_LEAVE UINT32_MAX /* in place of rows */
#define MAIL_LOOKS 200000     /* of about a microsecond each: tenths of a second */

struct mail_args {
    uint64_t *boxes;
    uint32_t stride, y;    /* words from box to box, from a box to its answers */
    uint32_t launch, idle; /* looks before it leaves */
};

#endif
