static inline float log_of_f32(float x) { return (float)log((double)x); }
static inline double log_of_f64(double x) { return log(x); }
