/* synth_ops_presets.c - programs after published statistics.
 *
 * Those of the V100 are fitted to Orion's profiles of the same name (Strati et al., EuroSys'24,
 * model_kernels/NAME.csv): of each kind of kernel (what Orion says bounds it) count, mean, standard
 * deviation of the log and longest of the times; geometric mean, standard deviation of the log and
 * largest of SM_usage; correlation of the logs.  The profiles have nothing around the kernels:
 *   launch_us 2.621  back-to-back launches on an A100 (te42kyfo/gpu-benches): no V100 was at hand
 *   latency_us 3     assumed
 *   copy             30 us + bytes / 12.35 GB/s: a line through gpu-benches' table of a V100, PCIe
 * 3 h2d_bytes        224 x 224 x 3 floats an image; of texts assumed idle_us 0        the next
 * iteration follows at once The llm ones are Llama-2-7B on an A100: what all layers but attention
 * take, from Vidur's profile (Agrawal et al., MLSys'24), 0.292 ms a layer for 1 token and 2.135 ms
 * for 1,024, 32 layers, of which 2.45 us (the shortest GEMM of aiconfigurator's table) or 13 us
 * (16.8 MB at 1.3 TB/s, assumed) for each of six small kernels and the rest for four GEMMs, spread
 * as their weights are; attention 10.5 us a layer (aiconfigurator's shortest) and 43 us (8.6 GFLOP
 * at 200 TFLOP/s, assumed).  How many kernels a layer has is assumed. */
#include "traces/synth_ops.h"

#define ORION(file) "fitted to Orion's model_kernels/" file ".csv (Strati et al., EuroSys'24)"
#define LLAMA                                                                                      \
    "layer times of Vidur's Llama-2-7B profile, A100 (Agrawal et al., MLSys'24); kernels a layer " \
    "assumed"
#define TALLY                                                                                      \
    "shapes and settings of tally-project/tally-bench 5b72ee8 (Zhao et al., Tally, ASPLOS'25); "   \
    "kernels by synth_net.h"
#define IMAGE_BYTES (UINT64_C(224) * 224 * 3 * 4)
#define V100                                                                                       \
    .iterations = 1, .streams = 1, .queue = SYNTH_OPS_QUEUE, .launches = true, .launch_us = 2.621, \
    .latency_us = 3, .copy_us = 30, .copy_gbps = 12.35
#define A100                                                                                       \
    .iterations = 1, .streams = 1, .queue = SYNTH_OPS_QUEUE, .launches = true, .launch_us = 2.621, \
    .latency_us = 3, .copy_us = 10, .copy_gbps = 25.9
#define COMPUTE TRACE_OP_BOUND_COMPUTE
#define MEMORY  TRACE_OP_BOUND_MEMORY
#define OTHER   TRACE_OP_BOUND_NONE

/* clang-format off */
static const struct synth_ops_preset presets[] = {
    {"resnet50-inference", "ResNet-50, batch 4, inference on a V100",
     ORION("resnet50_4_fwd"),
     {V100, .h2d_bytes = 4 * IMAGE_BYTES, .d2h_bytes = 16000, .classes = 3,
      .cls = {{"compute", 54, 92.039, 0.449, 380, 33.82, 0.880, 256, -0.32, COMPUTE},
              {"memory", 80, 16.330, 0.639, 50, 110.5, 0.791, 392, 0.89, MEMORY},
              {"other", 41, 5.413, 0.198, 8, 39.42, 0.900, 98, 0.72, OTHER}}}, NULL},
    {"resnet101-inference", "ResNet-101, batch 4, inference on a V100",
     ORION("resnet101_4_fwd"),
     {V100, .h2d_bytes = 4 * IMAGE_BYTES, .d2h_bytes = 16000, .classes = 3,
      .cls = {{"compute", 105, 86.778, 0.339, 381, 31.16, 0.782, 256, -0.36, COMPUTE},
              {"memory", 148, 13.150, 0.537, 50, 83.36, 0.785, 392, 0.89, MEMORY},
              {"other", 92, 5.534, 0.215, 9, 39.42, 0.769, 98, 0.80, OTHER}}}, NULL},
    {"mobilenetv2-inference", "MobileNetV2, batch 4, inference on a V100",
     ORION("mobilenetv2_4_fwd"),
     {V100, .h2d_bytes = 4 * IMAGE_BYTES, .d2h_bytes = 16000, .classes = 3,
      .cls = {{"compute", 34, 30.667, 0.353, 65, 11.58, 0.948, 74, -0.53, COMPUTE},
              {"memory", 82, 11.317, 0.640, 64, 50, 1.207, 882, 0.76, MEMORY},
              {"other", 36, 8.119, 0.573, 51, 49.55, 1.066, 588, 0.79, OTHER}}}, NULL},
    {"bert-inference", "BERT, batch 2, inference on a V100",
     ORION("bert_2_fwd"),
     {V100, .h2d_bytes = 18432, .d2h_bytes = 6144, .classes = 3,
      .cls = {{"compute", 193, 212.143, 0.715, 517, 166.6, 0.531, 288, 0.58, COMPUTE},
              {"memory", 202, 28.016, 0.750, 54, 173.5, 1.197, 1152, 0.86, MEMORY},
              {"other", 177, 11.426, 0.338, 23, 194.5, 1.041, 768, 0.79, OTHER}}}, NULL},
    {"transformer-xl-inference", "Transformer-XL, batch 4, inference on a V100",
     ORION("transformer_xl_4_fwd"),
     {V100, .h2d_bytes = 8192, .d2h_bytes = 8192, .classes = 3,
      .cls = {{"compute", 129, 88.357, 0.734, 202, 69.33, 0.598, 192, -0.04, COMPUTE},
              {"memory", 181, 16.983, 0.677, 70, 122, 0.979, 640, 0.84, MEMORY},
              {"other", 149, 14.760, 0.773, 56, 71.07, 1.611, 384, 0.64, OTHER}}}, NULL},
    {"resnet50-train", "ResNet-50, batch 32, one training step on a V100",
     ORION("resnet50_32_fb1"),
     {V100, .h2d_bytes = 32 * IMAGE_BYTES, .d2h_bytes = 4, .classes = 3,
      .cls = {{"compute", 158, 389.425, 0.624, 1238, 230.4, 1.100, 12544, 0.40, COMPUTE},
              {"memory", 569, 57.904, 1.583, 824, 19.19, 2.743, 12544, 0.83, MEMORY},
              {"other", 219, 3.658, 0.291, 15, 2.239, 1.536, 256, 0.58, OTHER}}}, NULL},
    {"resnet101-train", "ResNet-101, batch 32, one training step on a V100",
     ORION("resnet101_32_fb1"),
     {V100, .h2d_bytes = 32 * IMAGE_BYTES, .d2h_bytes = 4, .classes = 3,
      .cls = {{"compute", 311, 340.572, 0.505, 1266, 185.9, 0.925, 12544, 0.48, COMPUTE},
              {"memory", 1113, 43.619, 1.444, 827, 20.48, 2.650, 12544, 0.85, MEMORY},
              {"other", 423, 3.471, 0.236, 12, 2.382, 1.583, 256, 0.70, OTHER}}}, NULL},
    {"mobilenetv2-train", "MobileNetV2, batch 32, one training step on a V100",
     ORION("mobilenetv2_32_fb1"),
     {V100, .h2d_bytes = 32 * IMAGE_BYTES, .d2h_bytes = 4, .classes = 3,
      .cls = {{"compute", 89, 134.018, 0.785, 824, 65.85, 1.022, 3136, 0.30, COMPUTE},
              {"memory", 588, 47.439, 1.547, 1232, 13.06, 2.791, 37632, 0.84, MEMORY},
              {"other", 213, 3.073, 0.156, 8, 1.295, 0.774, 157, 0.31, OTHER}}}, NULL},
    {"bert-train", "BERT, batch 8, one training step on a V100",
     ORION("bert_8_fb1"),
     {V100, .h2d_bytes = 73728, .d2h_bytes = 4, .classes = 3,
      .cls = {{"compute", 290, 444.016, 0.672, 1082, 175.3, 0.573, 432, 0.36, COMPUTE},
              {"memory", 3216, 17.532, 1.111, 338, 11.74, 2.614, 5724, 0.87, MEMORY},
              {"other", 1271, 4.421, 0.481, 51, 1.692, 1.637, 576, 0.89, OTHER}}}, NULL},
    {"transformer-xl-train", "Transformer-XL, batch 8, one training step on a V100",
     ORION("transformer_xl_8_fb1"),
     {V100, .h2d_bytes = 16384, .d2h_bytes = 4, .classes = 3,
      .cls = {{"compute", 372, 173.754, 0.834, 2223, 114.2, 0.889, 942, 0.46, COMPUTE},
              {"memory", 2689, 19.620, 0.955, 1938, 13.79, 2.431, 16734, 0.84, MEMORY},
              {"other", 1293, 6.168, 0.661, 98, 1.875, 1.715, 768, 0.87, OTHER}}}, NULL},
    {"llm-decode", "Llama-2-7B, one token on an A100", LLAMA,
     {A100, .d2h_bytes = 4, .classes = 3,
      .cls = {{"gemm", 128, 69.33, 0.602, 0, 108, 0, 108, 0, MEMORY},
              {"small", 192, 2.45, 0, 0, 4, 0, 108, 0, OTHER},
              {"attention", 32, 10.5, 0, 0, 32, 0, 108, 0, MEMORY}}}, NULL},
    {"llm-prefill", "Llama-2-7B, a prompt of 1,024 tokens on an A100", LLAMA,
     {A100, .h2d_bytes = 8192, .d2h_bytes = 4, .classes = 3,
      .cls = {{"gemm", 128, 514.3, 0.602, 0, 108, 0, 108, 0, COMPUTE},
              {"small", 192, 13, 0, 0, 108, 0, 108, 0, MEMORY},
              {"attention", 32, 43, 0, 0, 108, 0, 108, 0, COMPUTE}}}, NULL},
    {"tally-bert-train", "BERT base, batch 32 of 384 tokens, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 32 * 384 * 24, .d2h_bytes = 4}, &synth_net_tally_bert},
    {"tally-gpt2-large-train", "GPT-2 large, batch 1 of 512 tokens, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 512 * 16, .d2h_bytes = 4}, &synth_net_tally_gpt2},
    {"tally-pegasus-x-base-train", "PEGASUS-X base, batch 4 of 1024 tokens, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 4 * 1084 * 16, .d2h_bytes = 4}, &synth_net_tally_pegasus},
    {"tally-pointnet-train", "PointNet, batch 128 of 2500 points, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 128 * 2500 * 12, .d2h_bytes = 4}, &synth_net_tally_pointnet},
    {"tally-whisper-small-train", "Whisper small, batch 16 of 30 s, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 16 * 80 * 3000 * 4, .d2h_bytes = 4}, &synth_net_tally_whisper},
    {"tally-resnet50-train", "ResNet-50, batch 128, one training step on an A100", TALLY,
     {A100, .h2d_bytes = 0, .d2h_bytes = 4}, &synth_net_tally_resnet50},
    {"stream", "for measuring replay: 50 million kernels of 10 us on 4 streams, no launches",
     "nobody's program",
     {.iterations = 50000, .streams = 4, .queue = SYNTH_OPS_QUEUE, .classes = 1,
      .cls = {{"kernel", 1000, 10, 0.5, 0, 40, 0.5, 80, 0, OTHER}}}, NULL},
};
/* clang-format on */

const struct synth_ops_preset *synth_ops_preset_at(size_t i)
{
    return i < sizeof presets / sizeof *presets ? &presets[i] : NULL;
}
