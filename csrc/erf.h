static inline float erf_of_f32(float x) { return (float)erf((double)x); }
static inline double erf_of_f64(double x) { return erf(x); }
