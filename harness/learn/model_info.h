/* model_info.h - what a weights file holds, for people and for programs. */
#ifndef HARNESS_LEARN_MODEL_INFO_H
#define HARNESS_LEARN_MODEL_INFO_H

#include <stdio.h>

#include "harness/learn/model_file.h"

void model_info(FILE *f, const struct model_file *m, bool json);

/* One line: "31-256-2, ReLU, fp32", "forest of 100 trees, .."; n >= 128. */
void model_info_say(const struct model_file *m, char *text, size_t n);

#endif
