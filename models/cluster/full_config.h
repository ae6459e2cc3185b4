/* full_config.h - the key "hosts" of the section "cluster": nodes as full machines.
 *
 *   model    "host": a node is one; each GPU of a job has a VM there (each seat, with
 *            "each": "seat"), and those with a part of a GPU share it.  "gpu": each
 *            GPU of a node is one, and whoever has a part of it a tenant.
 *            The key absent: hosts are abstract
 *   section  of that model, without those who are on it
 *   jobs     [{"name", "runs", "each", and whom it is of: "group", "user", "qos",
 *            "gpu_type": a name or a list of them, "gpus": N or [least, most]}, ..]:
 *            the first that a job matches says what it runs: an entry of "vms", or of
 *            "tenants"
 *   memo     mixes that are kept (65,536)
 *
 * Duration of a job: what it takes on the bare machine, alone, on GPUs of its own.  */
#ifndef MODELS_CLUSTER_FULL_CONFIG_H
#define MODELS_CLUSTER_FULL_CONFIG_H

#include "models/model.h"
#include "sim/config.h"
#include "traces/record.h"

enum full_model { FULL_NONE, FULL_HOST, FULL_GPU };
enum cluster_fraction { OF_NOTHING, OF_TIME, OF_MEMORY, OF_MPS, OF_MIG };
enum { FULL_RULES = 64, FULL_WHO = 4 };

/* Texts and values are borrowed from the section. */
struct full_rule {
    const char *name;
    const struct config *who[FULL_WHO]; /* group, user, qos, gpu_type; NULL: any */
    uint32_t least, most;               /* GPUs */
    bool by_seat;                       /* all GPUs of a seat have one VM */
    const struct config *runs;
};
struct full_config {
    enum full_model model;
    const struct config *section; /* NULL: the model's defaults */
    struct full_rule rule[FULL_RULES];
    uint32_t n;
    uint32_t memo;
    enum cluster_fraction of; /* what a part of a GPU is of */
};

int full_config(struct full_config *c, const struct config *at, enum cluster_fraction of,
                struct err *e) MUST_CHECK;
const struct model_ops *full_model(const struct full_config *c);
/* The number of the first rule that the row matches; c->n: none does. */
uint32_t full_rule(const struct full_config *c, const struct trace_job *row,
                   const struct row_source *names);

/* Before anything runs: each program alone, on the bare machine and on the stack (NULL: native). */
int full_check(const struct full_config *c, struct err *e) MUST_CHECK;
int full_fits(const struct full_config *c, const struct machine *machine, const char *stack,
              struct err *e) MUST_CHECK;
int full_programs(const struct full_config *c, const struct config *programs,
                  struct err *e) MUST_CHECK;

#endif
