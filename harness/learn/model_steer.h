/* model_steer.h - from traces of block I/O to the weights of a steering network.
 *
 * Each trace is replayed without steering on one machine (steer_rows.h), for
 * every device of it as LinnOS is trained; its first 80 % of reads are fitted,
 * the next 10 % decide when to stop, the last 10 % are only scored.  All traces
 * together make one network.  Loss: categorical hinge, five times as heavy
 * where a slow read is taken for a fast one (utcs-scea/LAKE dfeef0f,
 * linnos/training/pred1.py).  Two or three files come out, as of model_train.h. */
#ifndef HARNESS_LEARN_MODEL_STEER_H
#define HARNESS_LEARN_MODEL_STEER_H

#include "harness/learn/model_train.h"
#include "harness/learn/steer_score.h"

#define STEER_TRAIN_SHARE         0.80
#define STEER_VALID_SHARE         0.10
#define STEER_FALSE_SUBMIT_WEIGHT 5
#define STEER_REQUESTS            250000 /* rows of a trace, at most */
#define STEER_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 1001, .hidden = 256, .epochs = 12, .batch = 128, .patience = 12, .rate = 1e-3      \
    }

/* What a row is: each bio of a read as its device logs it, or the read as its client does. */
enum steer_piece { STEER_BIOS, STEER_WHOLE };

/* At most `most` rows of a trace (text as for --trace) on a machine's file; *about: malloc'd
 * JSON. */
int model_steer_log(struct steer_rows *rows, const char *trace, const char *machine,
                    enum steer_piece piece, uint64_t seed, size_t most, char **about,
                    struct err *e) MUST_CHECK;
/* The same of bios, labelled by the first STEER_TRAIN_SHARE of them. */
int model_steer_rows(struct steer_rows *rows, const char *trace, const char *machine, uint64_t seed,
                     size_t most, char **about, struct err *e) MUST_CHECK;
int model_steer_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
