/* policy.h - the one door between the simulator and a policy.
 *
 * Self-contained on purpose: a policy needs this header and nothing else; it
 * never sees the simulator.  It is a shared object exporting one const table
 * under POLICY_SYMBOL.  When a struct below changes shape or meaning, the
 * number in POLICY_ABI goes up and with it the symbol's name, so that a stale
 * object fails at load, never in the middle of a run.
 *
 * A hook must not block, read a clock, touch files or draw randomness other
 * than from the host: a run is a pure function of its inputs.  Pointers in an
 * observation are borrowed for the call.  A hook that answers out of range,
 * crashes or does not return is ejected: the host's default (first come,
 * first served; admit everything) takes over and the report says so.        */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>
#include <stdint.h>

#define POLICY_ABI        1
#define POLICY_CAT_(a, b) a##b
#define POLICY_CAT(a, b)  POLICY_CAT_(a, b)
#define POLICY_STR_(s)    #s
#define POLICY_STR(s)     POLICY_STR_(s)
#define POLICY_TABLE      POLICY_CAT(malv_policy_v, POLICY_ABI)
#define POLICY_SYMBOL     POLICY_STR(POLICY_TABLE)

/* ---- what a policy may ask of the host ------------------------------------ */

struct policy_host {
    void *host;                                /* pass back as the first argument */
    void (*log)(void *host, const char *line); /* shown with -v and in the report */
    uint64_t (*random)(void *host);            /* seeded; the policy's own stream */

    /* Parameters from the experiment ("params": {...}).  A parameter that the
     * policy never asked for is an input error: typos do not pass silently. */
    double (*param)(void *host, const char *name, double otherwise);
    const char *(*param_text)(void *host, const char *name, const char *otherwise);

    /* Inference service.  model_open: a handle >= 0, or -1 when there is no
     * such model (the host has already said why).  infer: runs the real
     * network on `rows` rows of n_in floats and fills rows x n_out; 0, or -1
     * for a bad handle.  What it costs is charged to the simulated CPU or GPU,
     * and the decision takes effect when that work is done.                 */
    int (*model_open)(void *host, const char *name, uint32_t *n_in, uint32_t *n_out);
    int (*infer)(void *host, int model, uint32_t rows, const float *in, float *out);
};

/* ---- serve.admit, serve.batch ------------------------------------------------ */

struct policy_request {
    uint64_t id; /* unique in the run, ascending by arrival */
    uint64_t arrived_ns;
    uint32_t tenant, model;
    uint32_t prompt_tokens;
    uint32_t cached_tokens;        /* of the prompt, already in the KV cache */
    uint32_t oracle_output_tokens; /* the truth, for policies marked .oracle; else 0 */
    uint32_t preempted;            /* how often it lost its KV cache and came back */
};

struct policy_server { /* what a serving engine knows about itself */
    uint64_t now_ns;
    uint32_t waiting, running;
    uint64_t waiting_prompt_tokens;
    uint32_t kv_blocks_total, kv_blocks_free, block_tokens;
    uint32_t max_running;
};

struct policy_admit_obs {
    struct policy_request request;
    struct policy_server server;
};
enum policy_verdict { POLICY_ADMIT = 0, POLICY_REJECT = 1 };

/* Rank a request when it enters the waiting queue: the lowest key runs first,
 * ties in order of arrival.  The host owns the queue. */
struct policy_batch_obs {
    struct policy_request request;
    struct policy_server server;
};
#define POLICY_KEY_MAX INT64_C(0x3fffffffffffffff) /* |key| beyond this is a bad answer */

struct policy_done { /* feedback: a request finished */
    struct policy_request request;
    uint64_t now_ns;
    uint32_t output_tokens; /* now known to everybody */
    uint64_t first_token_ns, last_token_ns;
};

/* ---- the table ------------------------------------------------------------- */

struct policy_ops {
    uint32_t abi;                           /* POLICY_ABI */
    uint32_t ops_size, host_size, obs_size; /* sizeof, as the policy's compiler saw them */
    const char *name;
    const char *summary; /* one line for `malv policy list` */
    uint32_t oracle;     /* 1: wants the truth; reports mark it */

    int (*create)(void **self,
                  const struct policy_host *h); /* 0, or nonzero after h->log said why */
    void (*destroy)(void *self);

    /* Hooks: NULL where the policy has no opinion. */
    int (*serve_admit)(void *self, const struct policy_admit_obs *o);     /* a policy_verdict */
    int64_t (*serve_batch)(void *self, const struct policy_batch_obs *o); /* the key */
    void (*serve_done)(void *self, const struct policy_done *d);          /* optional feedback */
};

#define POLICY_OBS_SIZE                                                                            \
    (sizeof(struct policy_admit_obs) + sizeof(struct policy_batch_obs) + sizeof(struct policy_done))

/* POLICY(.name = "x", .create = .., ..) at the end of a policy's file is its whole wiring. */
#define POLICY(...)                                                                                \
    __attribute__((visibility("default"))) extern const struct policy_ops POLICY_TABLE;            \
    const struct policy_ops POLICY_TABLE = {.abi = POLICY_ABI,                                     \
                                            .ops_size = sizeof(struct policy_ops),                 \
                                            .host_size = sizeof(struct policy_host),               \
                                            .obs_size = POLICY_OBS_SIZE,                           \
                                            __VA_ARGS__}

#endif
