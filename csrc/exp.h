static inline float exp_of_f32(float x) { return (float)exp((double)x); }
static inline double exp_of_f64(double x) { return exp(x); }
