/* Every loop that exists for float and for double alike: included once with REAL float, once with REAL double.
 * NAME(f) is f_f32 or f_f64. */
static inline REAL NAME(root_of)(REAL x)
{
#ifdef REAL_IS_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

static inline REAL NAME(size_of)(REAL x)
{
#ifdef REAL_IS_DOUBLE
    return fabs(x);
#else
    return fabsf(x);
#endif
}

#include "elementwise.h"
#include "dropout.h"
#include "optimiser.h"
#include "embedding.h"
#include "gelu.h"
#include "layer_norm.h"
#include "softmax.h"
#include "argmax.h"
#include "matmul.h"
#include "outer_sum.h"
#include "attention.h"
#include "attention_back.h"
#include "transpose.h"
#include "sums.h"
#include "heads.h"
#include "cross_entropy.h"
