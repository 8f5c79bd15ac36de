/* The values that attention mixes by its pattern, which is there; see mix.h. */
#ifndef LLMTRACE_ATTENTION_MIX_H
#define LLMTRACE_ATTENTION_MIX_H

#include "mix.h"

#define attention_mix_kernel mix_blocks

#endif

KERNEL(attention_mix)
