/* synth_presets.c - request mixtures after published traces.
 *
 * Marginals of azure-code and mooncake: four bivariate lognormals each, by
 * expectation maximisation over all rows of the published file.  Of
 * azure-conv and burstgpt only moments were at hand (mean, median, p99 of
 * prompt and output): two lognormals each that meet them.  How much of the
 * output a tenant, its mood and its sessions explain is in none of the traces
 * (they name no tenants): tenant_share, history_share, follow and think_s are
 * assumed.  What the streams must meet stands in tests/traces/test_synth.c.  */
#include "traces/synth.h"

#define SYNTH_REQUESTS 10000

/* 45 of the code trace's 8,818 gaps are above 10 s and take 69 % of its hour: the lulls.
 * The others have cv 3.0.  Together: cv 13.15.                              */
static const struct synth_preset azure_code = {
    "azure-code", "code completion, bursts and lulls of one hour",
    "fitted to AzureLLMInferenceTrace_code.csv, 2023 (Patel et al., Splitwise, ISCA'24)",
    {.preset = "azure-code", .requests = SYNTH_REQUESTS, .rate_per_s = 2.566686066, .cv = 3.008,
     .lull_share = 0.0049, .lull_gaps = 133, .period_h = 24,
     .cls = {
         {"short", 0.2040, 40, {216.3, 1.2585, 3, 7437}, {11.77, 0.4200, 6, 1899},
          0.0512, 0.35, 0.20, 0, 0, {0}, 0},
         {"complete", 0.3748, 80, {2103.9, 0.7242, 3, 7437}, {9.33, 0.3086, 6, 1899},
          0.0613, 0.35, 0.20, 0, 0, {0}, 0},
         {"write", 0.1455, 30, {589.8, 1.4862, 3, 7437}, {59.33, 0.9629, 6, 1899},
          0.3272, 0.35, 0.20, 0, 0, {0}, 0},
         {"fill", 0.2757, 60, {2075.1, 0.7309, 3, 7437}, {22.16, 0.6228, 6, 1899},
          0.0557, 0.35, 0.20, 0, 0, {0}, 0},
     },
     .classes = 4}};

static const struct synth_preset azure_conv = {
    "azure-conv", "conversation, one hour",
    "fitted to moments of AzureLLMInferenceTrace_conv.csv, 2023 (Patel et al., Splitwise, ISCA'24)",
    {.preset = "azure-conv", .requests = SYNTH_REQUESTS, .rate_per_s = 5.530421989, .cv = 1.094,
     .period_h = 24,
     .cls = {
         {"brief", 0.5501, 120, {506.3, 0.9399, 2, 14050}, {68.04, 0.4675, 7, 1000},
          0.20, 0.30, 0.20, 0, 0, {0}, 0},
         {"long", 0.4499, 100, {1455.7, 0.4061, 2, 14050}, {360.1, 0.2560, 7, 1000},
          0.10, 0.30, 0.20, 0, 0, {0}, 0},
     },
     .classes = 2}};

/* Follow-ups are drawn like first prompts and share as many leading blocks with what was said
 * before as fit; the probability is what brings the published block hit ratio (0.366).  */
static const struct synth_preset mooncake = {
    "mooncake", "long conversations with shared prefixes, one hour",
    "fitted to conversation_trace.jsonl (Qin et al., Mooncake, FAST'25)",
    {.preset = "mooncake", .requests = SYNTH_REQUESTS, .rate_per_s = 3.4015, .cv = 1.0,
     .period_h = 24, .prefix_block = 512,
     .cls = {
         {"summary", 0.2081, 60, {5668.7, 1.2725, 891, 126195}, {24.25, 1.3809, 1, 2000},
          -0.0757, 0.30, 0.20, 0.61, 170, {0}, 512},
         {"question", 0.1983, 60, {1562.6, 0.5505, 891, 126195}, {420.09, 0.3943, 1, 2000},
          0.1904, 0.30, 0.20, 0.61, 170, {0}, 512},
         {"document", 0.2167, 60, {7891.9, 1.1459, 891, 126195}, {257.89, 0.8049, 1, 2000},
          0.3540, 0.30, 0.20, 0.61, 170, {0}, 512},
         {"dialogue", 0.3768, 90, {11850.1, 0.7467, 891, 126195}, {414.75, 0.2884, 1, 2000},
          0.0530, 0.30, 0.20, 0.61, 170, {0}, 512},
     },
     .classes = 4}};

static const struct synth_preset burstgpt = {
    "burstgpt", "ChatGPT and GPT-4 users of a campus",
    "fitted to moments of a 54-row sample of BurstGPT (Wang et al., arXiv 2401.17644): shape only",
    {.preset = "burstgpt", .requests = SYNTH_REQUESTS, .rate_per_s = 1.0, .cv = 1.6,
     .amplitude = 0.6, .peak_h = 14, .period_h = 24,
     .cls = {
         {"chat", 0.6, 200, {516.0, 0.5164, 1, 4096}, {177.2, 1.0336, 1, 4096},
          0.20, 0.30, 0.20, 0, 0, {0}, 0},
         {"api", 0.4, 40, {449.9, 0.2432, 1, 4096}, {370.0, 0.3555, 1, 4096},
          0.10, 0.30, 0.20, 0, 0, {0}, 0},
     },
     .classes = 2}};

/* Nobody's trace: the classes that the papers describe side by side on one server, with the
 * structure a learned policy is supposed to find.                           */
static const struct synth_preset mixed = {
    "mixed", "chat, code, documents and a batch API on one server",
    "assumed: classes after the Azure 2023 and Mooncake traces, mixed",
    {.preset = "mixed", .requests = SYNTH_REQUESTS, .rate_per_s = 5.0, .cv = 2.0,
     .amplitude = 0.4, .peak_h = 14, .period_h = 24,
     .cls = {
         {"chat", 0.40, 120, {420, 0.90, 8, 16000}, {180, 0.70, 4, 1500},
          0.30, 0.30, 0.20, 0.55, 45, {60, 0.9, 4, 4000}, 256},
         {"code", 0.35, 60, {1500, 0.90, 8, 8000}, {18, 0.80, 4, 1500},
          0.25, 0.40, 0.20, 0, 0, {0}, 0},
         {"document", 0.15, 30, {6000, 0.70, 500, 30000}, {250, 0.50, 16, 1500},
          0.45, 0.30, 0.15, 0.20, 90, {80, 0.7, 4, 2000}, 0},
         {"batch", 0.10, 8, {900, 0.40, 8, 8000}, {500, 0.60, 16, 2000},
          0.50, 0.35, 0.10, 0, 0, {0}, 1024},
     },
     .classes = 4}};

static const struct synth_preset *const presets[] = {&azure_code, &azure_conv, &mooncake, &burstgpt,
                                                     &mixed};

const struct synth_preset *synth_preset_at(size_t i)
{
    return i < sizeof presets / sizeof *presets ? presets[i] : NULL;
}
