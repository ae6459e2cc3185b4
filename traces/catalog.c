/* catalog.c - the list. */
#include "traces/catalog.h"

#include <string.h>

static const struct catalog_entry entries[] = {
    {"azure-llm-2023",
     "Azure LLM inference, one hour of code and of conversation (Splitwise)",
     "https://github.com/Azure/AzurePublicDataset",
     "CC-BY-4.0",
     "azure-llm",
     {"AzureLLMInferenceTrace_code.csv", "AzureLLMInferenceTrace_conv.csv"},
     "data/",
     NULL},
    {"azure-llm-2024",
     "Azure LLM inference, one week of code and of conversation (DynamoLLM)",
     "https://github.com/Azure/AzurePublicDataset",
     "CC-BY-4.0",
     "azure-llm",
     {"AzureLLMInferenceTrace_code_1week.csv", "AzureLLMInferenceTrace_conv_1week.csv"},
     NULL,
     "attached to the repository's release dataset-llm-2024"},
    {"mooncake-fast25",
     "Mooncake (Kimi), conversation, tool and agent, synthetic, with prefix hashes",
     "https://github.com/kvcache-ai/Mooncake",
     "Apache-2.0",
     "mooncake",
     {"conversation_trace.jsonl", "toolagent_trace.jsonl", "synthetic_trace.jsonl"},
     "FAST25-release/traces/",
     NULL},
    {"burstgpt",
     "BurstGPT, ChatGPT and GPT-4 of a campus, 121 days",
     "https://github.com/HPMLL/BurstGPT",
     "CC-BY-4.0",
     "burstgpt",
     {"BurstGPT_1.csv", "BurstGPT_2.csv", "BurstGPT_3.csv"},
     "data/",
     "attached to the repository's releases: BurstGPT_3.csv to v2.0"},
    {"burstgpt-format-sample",
     "54 rows of BurstGPT: the format, too few for statistics",
     "https://github.com/HPMLL/BurstGPT",
     "CC-BY-4.0",
     "burstgpt",
     {"burstgpt_sample.csv"},
     NULL,
     "any first rows of a BurstGPT file"},
    {"alibaba-openb-2023",
     "Alibaba openb: GPU-sharing pods and nodes of a cluster",
     "https://github.com/hkust-adsl/kubernetes-scheduler-simulator",
     "Apache-2.0",
     "openb-pods",
     {"openb_pod_list_default.csv", "openb_node_list_all_node.csv", "openb_node_list_gpu_node.csv"},
     "data/csv/",
     "node lists: format openb-nodes"},
};

const struct catalog_entry *catalog_at(size_t i)
{
    return i < sizeof entries / sizeof *entries ? &entries[i] : NULL;
}

const struct catalog_entry *catalog_find(const char *name)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!strcmp(entries[i].name, name))
            return &entries[i];
    return NULL;
}
