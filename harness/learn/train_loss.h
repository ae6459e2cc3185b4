/* train_loss.h - losses of classifiers, on outputs that are still linear.
 *
 * Both return the loss of one row and leave its slope at each output in d.  */
#ifndef HARNESS_LEARN_TRAIN_LOSS_H
#define HARNESS_LEARN_TRAIN_LOSS_H

#include <stdbool.h>
#include <stdint.h>

double train_sigmoid(double y);
/* p[n]: what softmax makes of y[n]; may be y itself. */
void train_softmax(const double *y, uint32_t n, double *p);

/* Cross entropy of n classes, of which `label` is true. */
double train_loss_softmax(const double *y, uint32_t n, uint32_t label, double *d);
/* The same of one output: the logit of "yes". */
double train_loss_sigmoid(double y, bool label, double *d);

#endif
