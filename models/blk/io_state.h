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
#include "models/accel.h"
#include "models/mlaas/mlaas.h"
#include "models/model.h"
#include "models/policy_life.h"
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
    uint32_t bio_bytes; /* the most that one bio holds, and one question is about; failover only */
    enum io_mode mode;
    double slow_us; /* what counts as slow; 0: the 90th percentile of the device's reads so far */
    struct mlaas_config infer;
};
int io_config(struct io_config *c, const struct config *section, struct err *e) MUST_CHECK;

struct io_req {
    uint64_t offset, bytes;
    uint32_t tenant, home, device;
    uint32_t tried; /* set of devices that turned it away */
    bool write;
    sim_time started, tried_at, asked; /* first, and of this try; of this question */
    uint64_t infer_ns;                 /* waiting for inference, in this try and before it */
    uint64_t infer_before, infer_seen; /* before this try; before the bio that ended last */
    uint64_t at;                       /* bytes of it that this try has dealt with */
    uint32_t out;                      /* bios in the device */
    bool refused;                      /* a bio of this try was turned away */
    bool complete;                     /* this try has dealt with all */
    bool desperate;              /* all devices turned it away: whatever is served now is it */
    uint64_t part[SSD_PARTS_N];  /* of the bio that ended last; ns */
    struct policy_ticket ticket; /* of the question about it, or the last one */
    struct io *s;
    struct io_req *next;
};

/* What goes into a device: a write, or a piece of a read that one bio can hold. */
struct io_bio {
    struct ssd_io drive;
    struct io_req *q;
    uint64_t id, then_pages, infer_ns; /* infer_ns: of its request when it entered */
    bool judged;                       /* the policy let it pass */
    sim_time entered;
    struct io_bio *next;
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
    uint64_t infer_ns, retry_ns, total_ns;
    uint64_t bios;
    sim_time last_done;
};

struct io {
    struct io_config c;
    const struct model_env *env;
    struct policy_life *steer;
    struct measures *out;
    struct sim *sim;
    struct cores *cpu;
    struct accel gpu;
    struct mlaas *mlaas;
    struct machine_use use;
    const struct stack *stack;
    struct stack_cost read_in, write_in, back;
    struct carry carry;
    struct ssd_params drive;
    struct io_device dev[IO_REPLICAS];

    union trace_row row; /* the one held */
    struct io_req *spare;
    struct io_bio *spare_bio;
    struct io_block *blocks; /* where requests and bios live */
    struct sketch *read_us, *write_us, *decision_us;
    struct io_counts n;
    int rc;
    struct err *e;
};

void io_fail(struct io *s, int rc);
struct io_req *io_take(struct io *s); /* NULL: out of memory, said */
void io_give(struct io *s, struct io_req *q);
struct io_bio *io_take_bio(struct io *s); /* the same */
void io_give_bio(struct io *s, struct io_bio *b);

/* io_replay.c */
int io_pull(struct io *s);                        /* books the next row; 1, 0 at the end */
void io_cross(struct io *s, struct io_req *q);    /* from its thread to a device */
void io_client_free(struct io *s, uint32_t home); /* the next row that waits may start */

/* io_steer.c */
void io_issue(struct io *s, struct io_req *q);    /* a read has reached q->device */
void io_try_over(struct io *s, struct io_req *q); /* all bios of the try have ended */

/* io_device.c */
/* q's bytes from `at` on go into q->device as one bio; false: out of memory, said. */
bool io_enter(struct io *s, struct io_req *q, uint64_t at, uint64_t bytes, uint64_t id,
              bool judged);
void io_return(struct io *s, struct io_req *q); /* all data are here: back to the client */
double io_slow_us(struct io *s, uint32_t device);

/* io_report.c */
bool io_report_begin(struct io *s);
void io_report_end(struct io *s);

#endif
