/* The scores of attention, all of them; see scores.h. */
#ifndef LLMTRACE_ATTENTION_SCORES_H
#define LLMTRACE_ATTENTION_SCORES_H

#include "scores.h"

#define attention_scores_kernel score_blocks

#endif

KERNEL(attention_scores)
