/* model_trainer.h - what `malv model train` can fit: one row per kind of network. */
#ifndef HARNESS_LEARN_MODEL_TRAINER_H
#define HARNESS_LEARN_MODEL_TRAINER_H

#include "harness/learn/model_train.h"

struct model_trainer {
    const char *option; /* "steer": said as --steer */
    const char *name;   /* weights of this name are of this kind without the word; NULL: none */
    const char *help;   /* lines for --help */
    struct train_options o;
    uint64_t requests;         /* rows of each trace, or of each run */
    const char *machine;       /* NULL: it asks for none */
    const char *const *traces; /* where none is given, ended by NULL; NULL: it takes none */
    bool evals;                /* it takes --eval */
    bool int8;                 /* and --int8 */
    int (*train)(const struct model_train_want *want, struct err *e);
};

const struct model_trainer *
model_trainer_at(size_t i); /* NULL past the end; 0: where nothing is said */
/* NULL: none of that option; none whose weights have that name. */
const struct model_trainer *model_trainer_option(const char *option);
const struct model_trainer *model_trainer_name(const char *name);

#endif
