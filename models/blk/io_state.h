/* io_state.h - the inside of model "io", shared by io*.c only.
 *
 * A row of the trace becomes a request of its home device's clients
 * (io_replay.c), crosses the stack, meets the steering policy if it is a read
 * (io_steer.c), and goes through one of the replicas' drives (ssd.h); the
 * completion is what the policy sees next (io_device.c).                    */
#ifndef MODELS_BLK_IO_STATE_H
#define MODELS_BLK_IO_STATE_H

#include "models/blk/ssd.h"
#include "models/cores.h"
#include "models/gpu.h"
#include "models/mlaas.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "models/stack.h"

#define IO_REPLICAS  16 /* of one volume; a bit each in policy_steer_obs.tried */
#define IO_PAGE      4096
#define IO_SLOW_RANK 0.9 /* LinnOS as LAKE trains it: above the 90th percentile is slow */

enum io_mode {
    IO_VOLUME,  /* the policy's answer is where the read goes */
    IO_FAILOVER /* each device is asked in turn; another answer turns the read away */
};

struct io_config {
    const char *device; /* "ssd.DEVICE" of the profile */
    uint32_t replicas;
    uint32_t clients; /* threads that replay one home's trace; 0: as many as come */
    uint32_t cores;
    enum io_mode mode;
    double slow_us; /* what counts as slow; 0: the 90th percentile of the device's reads so far */
    struct mlaas_config infer;
};
int io_config(struct io_config *c, const struct config *section, struct err *e) MUST_CHECK;

struct io_req {
    struct ssd_io drive;
    uint64_t id;
    uint32_t tenant, home, device;
    uint32_t tried; /* set of devices that turned it away */
    bool judged;    /* the policy let it pass at `device` */
    sim_time started, asked, entered;
    uint64_t infer_ns; /* waiting for inference */
    uint64_t then_pages;
    struct io_req *next;
};

struct io_device {
    struct ssd *ssd;
    struct policy_device seen; /* what the policy is shown */
    struct sketch *latency;    /* of reads, us */
    struct sketch *home;       /* of reads whose home it is, as their clients see them, us */
    double slow_us;            /* as of the last look at `latency` */
    uint32_t clients;          /* busy */
    struct io_req *queue, **queue_last; /* rows that wait for a client */
    struct measure_series *s_pending;
};

struct io_counts {
    uint64_t reads, writes, done_reads, done_writes, read_bytes, write_bytes;
    uint64_t queued;                 /* rows that waited for a client */
    uint64_t asked, turned, away;    /* decisions; turned away; reads not served at home */
    uint64_t passed, passed_slow;    /* let pass; of them slow */
    uint64_t turned_fast, crossings; /* turned away though it would have been fast */
    uint64_t part[SSD_PARTS_N];      /* ns of finished reads */
    uint64_t infer_ns, total_ns;
    sim_time last_done;
};

struct io {
    struct io_config c;
    const struct model_env *env;
    struct policy_slot *policy;
    struct measures *out;
    struct sim *sim;
    struct cores *cpu;
    struct gpu gpu;
    struct mlaas *mlaas;
    struct machine_use use;
    const struct stack *stack;
    struct stack_cost read_in, write_in, back;
    struct carry carry;
    struct ssd_params drive;
    struct io_device dev[IO_REPLICAS];

    union trace_row row; /* the one held */
    struct io_req *spare;
    struct io_block *blocks; /* where requests live */
    struct sketch *read_us, *write_us, *decision_us;
    struct io_counts n;
    int rc;
    struct err *e;
};

void io_fail(struct io *s, int rc);
struct io_req *io_take(struct io *s); /* NULL: out of memory, said */
void io_give(struct io *s, struct io_req *q);
void io_free_blocks(struct io *s);

/* io_replay.c */
int io_pull(struct io *s);                        /* books the next row; 1, 0 at the end */
void io_cross(struct io *s, struct io_req *q);    /* from its thread to a device */
void io_client_free(struct io *s, uint32_t home); /* the next row that waits may start */

/* io_steer.c */
void io_steer(struct io *s, struct io_req *q); /* a read has reached q->device */

/* io_device.c */
void io_enter(struct io *s, struct io_req *q); /* it goes into q->device */
double io_slow_us(struct io *s, uint32_t device);

/* io_report.c */
bool io_report_begin(struct io *s);
void io_report_end(struct io *s);

#endif
