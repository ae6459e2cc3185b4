/* model_xgboost.h - forests trained by XGBoost, from its JSON.
 *
 * The schema of XGBoost 1.x and 2.x: booster gbtree, splits of numbers, one
 * value a leaf.  base_score is said in the space of the predictions and goes
 * through the objective's inverse; what an objective does to the sum becomes
 * the forest's transform.  Softmax is left to whoever reads the outputs.    */
#ifndef HARNESS_LEARN_MODEL_XGBOOST_H
#define HARNESS_LEARN_MODEL_XGBOOST_H

#include "harness/learn/model_file_forest.h"

int model_xgboost_load(struct model_forest **m, const char *path, struct err *e) MUST_CHECK;
int model_xgboost_parse(struct model_forest **m, const char *name, const char *text, size_t n,
                        struct err *e) MUST_CHECK;

#endif
