/* model_steer_knn.h - from traces of block I/O to references for nearest
 * neighbours (policies/knn_steer.c).
 *
 * Rows are those of model_steer.h, split the same way.  References are taken
 * evenly over time from the first 80 %, of slow and of fast reads apart; which
 * share is slow is decided by the next 10 %, a false submit weighing five times
 * a false reject, as in LinnOS's loss; the last 10 % are only scored.         */
#ifndef HARNESS_LEARN_MODEL_STEER_KNN_H
#define HARNESS_LEARN_MODEL_STEER_KNN_H

#include "harness/learn/model_steer.h"

#define STEER_KNN_REFS 4096
#define STEER_KNN_K    16

int model_steer_knn_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
