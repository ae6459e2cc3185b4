/* steer_score.h - how well a network tells slow reads from fast ones.
 *
 * Networks differ in what they are shown of a read: LinnOS's its 31 digits, nearest
 * neighbours the nine numbers that these spell (policies/linnos_features.h).  The
 * first answers with two outputs, whose softmax is taken for the probability of
 * what it says, though its loss never asked for one; the other with votes.    */
#ifndef HARNESS_LEARN_STEER_SCORE_H
#define HARNESS_LEARN_STEER_SCORE_H

#include "harness/learn/class_score.h"
#include "harness/learn/steer_rows.h"

enum steer_shown { STEER_DIGITS, STEER_POINTS };

struct steer_score { /* of `rows` reads: shares */
    size_t rows;
    double slow, accuracy, false_submit, false_reject, said_slow;
    struct class_score classes; /* fast, slow */
};

/* Rows from .. from+n-1.  seed: of the permutations. */
int steer_score(struct steer_score *s, struct infer_model *net, enum steer_shown shown,
                const struct steer_rows *rows, size_t from, size_t n, uint64_t seed,
                struct err *e) MUST_CHECK;
/* "KEY": {..} */
void steer_score_json(FILE *f, const char *key, const struct steer_score *s);
void steer_score_print_head(void);
void steer_score_print(const char *trace, const struct steer_score *s);

#endif
