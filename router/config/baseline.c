#include "baseline.h"

#include <string.h>

/* The page of the file (schema_policy.c) says the same in words. */
static const struct baseline baselines[] = {
    {"voice",
     {.resiliency = SVR_RESILIENCY_REVERTIBLE,
      .best_path = SVR_BEST_MOS,
      .quality_filter = true,
      .max_latency_us = 150000,
      .max_jitter_us = 30000,
      .max_loss_ppm = 10000,
      .min_mos = 3600}},
    {"video",
     {.resiliency = SVR_RESILIENCY_REVERTIBLE,
      .best_path = SVR_BEST_LATENCY,
      .quality_filter = true,
      .max_latency_us = 200000,
      .max_jitter_us = 50000,
      .max_loss_ppm = 10000}},
    {"interactive",
     {.resiliency = SVR_RESILIENCY_REVERTIBLE,
      .best_path = SVR_BEST_LATENCY,
      .quality_filter = true,
      .max_latency_us = 250000,
      .max_jitter_us = 100000,
      .max_loss_ppm = 5000}},
    {"bulk",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_VECTOR,
      .balance = SVR_BALANCE_PROPORTIONAL}},
};

size_t baseline_count(void)
{
    return sizeof(baselines) / sizeof(baselines[0]);
}

const char *baseline_name(size_t i)
{
    return baselines[i].name;
}

const struct baseline *baseline_find(const char *name)
{
    for (size_t i = 0; i < baseline_count(); i++)
        if (strcmp(baselines[i].name, name) == 0)
            return &baselines[i];
    return NULL;
}
