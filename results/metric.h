/* metric.h - what reports compare, by one name: a number of the trial
 * ("goodput"), or a statistic of one of its sketches ("ttft.mean",
 * "ttft.p50", "ttft.p90", "ttft.p99", "ttft.p99.9", "ttft.max").            */
#ifndef RESULTS_METRIC_H
#define RESULTS_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "results/results.h"

/* False when the trial has no such metric, or it is empty or not finite. */
bool metric_value(const struct measures *m, const char *name, double *out);

struct metric {
    char *name, *unit;
    enum better better;
};
struct metric_list {
    struct metric *metric;
    size_t n;
};

/* Every metric that any trial has: numbers, then mean, p50, p90, p99 of each
 * sketch, in order of first mention.  False: out of memory (list is empty).  */
bool metric_list(const struct result_set *rs, struct metric_list *out);
void metric_list_free(struct metric_list *l);
/* By importance, at most `most`: those that `first` names ("a,b.mean"; NULL: none), then those with
 * a better direction, then all others.  Never what time is made of (share.*), nor the harness's own
 * counts (ejected, policy_decisions) unless named.  Returns how many. */
size_t metric_order(const struct metric_list *l, const char *first, const struct metric **out,
                    size_t most);
const struct metric *metric_named(const struct metric_list *l, const char *name);

#endif
