/* run.h - one run of the model "gpu": the boards, and who works on them. */
#ifndef MODELS_GPU_RUN_H
#define MODELS_GPU_RUN_H

#include "models/gpu/board.h"
#include "models/gpu/checkpoint.h"
#include "models/gpu/gpu_program.h"
#include "models/gpu/infer.h"
#include "models/gpu/os_time.h"
#include "models/model.h"

struct client;
struct replay;

/* What one entry of "tenants" did, all its copies together. */
struct score {
    struct sketch *latency;     /* ms, of measured iterations, from arrival */
    struct sketch *service;     /* from their begin */
    uint64_t iterations;        /* measured, and ended */
    double rate;                /* 1/s, all copies */
    sim_time quiesce, downtime; /* all copies */
    uint64_t moved;             /* bytes */
    bool no_room;               /* its memory was not there */
};

/* What stays the same when tenants run alone first. */
struct gpu_model {
    struct gpu_setup set;
    const struct model_env *env;
    struct machine_use use;
    struct device_params params;
    struct plan_want plan;
    sim_cost per_command;
    struct gpu_os_time os;
    struct checkpoint_cost checkpoint;
    struct gpu_program *program; /* [set.clients], equal ones once; `of` says which */
    uint32_t *of;
    size_t programs;
    struct measures *out;
    struct err *e;
};

#define GPU_ALL SIZE_MAX
struct gpu_run {
    struct gpu_model *m;
    struct err *e;
    size_t only; /* index of the one tenant that runs, or GPU_ALL */
    struct sim *sim;
    struct board *board[GPU_DEVICES_MAX];
    uint32_t boards; /* the highest number, and 1 */
    struct client *clients;
    uint32_t ids;        /* of seats, so far */
    size_t busy;         /* in the foreground, not done */
    struct score *score; /* [set.clients] */
    struct replay *replay;
    struct gpu_infer *infer;
    struct policy_life *life, *share_life; /* of gpu.dispatch, gpu.share; NULL: for ever */
    struct cores *life_core;               /* where their steps go */
    bool requests_ended;
    union trace_row row; /* the next request of the trace */
    int rc;
};

/* Runs it to its end; r->score is filled. r->sim and boards stay until gpu_run_end. */
int gpu_run_begin(struct gpu_run *r, struct gpu_model *m, size_t only, struct err *e) MUST_CHECK;
int gpu_run_go(struct gpu_run *r) MUST_CHECK;
void gpu_run_end(struct gpu_run *r);
/* The board of that number, made when it is first asked for; NULL: r->rc. */
struct board *gpu_run_board(struct gpu_run *r, uint32_t number);
void gpu_run_fail(struct gpu_run *r, int rc);
void gpu_run_done(struct gpu_run *r); /* one of those it waits for is done */

/* gpu_report.c: into r->m->out; alone: [set.clients] scores, or NULL. */
void gpu_report_run(const struct gpu_run *r, const struct score *alone);

#endif
