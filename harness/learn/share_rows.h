/* share_rows.h - runs of the model "gpu" as rows for learning what a part of the
 * SMs does to a latency.
 *
 * One critical tenant and one or two training jobs share a GPU under MPS while
 * a recorder gives the critical one a random part, another one each window.  A
 * row is what a window showed, the part that came next, and the latency of the
 * requests that were then answered; where none was, how long one had waited.
 * Programs are those that the synthesizer has of Orion's profiles.           */
#ifndef HARNESS_LEARN_SHARE_ROWS_H
#define HARNESS_LEARN_SHARE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "models/machine.h"
#include "policies/share_features.h"

#define SHARE_HOLD      10 /* periods of a window */
#define SHARE_MS        20 /* a period */
#define SHARE_PART_STEP 50 /* parts are whole multiples, 1/1000 */

/* A pairing of programs: which critical one, how busy, beside which jobs. */
enum { SHARE_CRITICAL = 5, SHARE_LOADS = 2, SHARE_BESIDE = 7 };
enum share_split { SHARE_FITTED, SHARE_VALIDATION, SHARE_TEST };
/* Test pairings share a critical program or jobs with fitted ones, never both. */
enum share_split share_split(uint32_t critical, uint32_t beside);

struct share_rows {
    size_t n, cap;
    float *x; /* [n][SHARE_N] */
    float *y; /* share_log of the latency */
};

/* Adds the rows of one run of so many seconds. */
int share_rows_collect(struct share_rows *rows, const struct machine *m, uint32_t critical,
                       uint32_t load, uint32_t beside, double seconds, uint64_t seed,
                       struct err *e) MUST_CHECK;
void share_rows_free(struct share_rows *rows);
/* "bert-inference at 4/s beside resnet50-train": n >= 160. */
void share_rows_say(uint32_t critical, uint32_t load, uint32_t beside, char *text, size_t n);

#endif
