/* net_rig.h - policies that ask one network, at a cost that the test sets. */
#ifndef TESTS_MODELS_NET_RIG_H
#define TESTS_MODELS_NET_RIG_H

#include "models/machine.h"
#include "models/model.h"

extern const struct model_infer net_infer;
void net_costs(double us);         /* of a row, on net_machine and the bench's toy machine */
void net_asked(void);              /* a policy asks for one row */
uint64_t net_answers(void);        /* how often so far; counts anew from here */
struct machine *net_machine(void); /* to be freed */

#endif
