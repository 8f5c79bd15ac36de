static inline float tanh_of_f32(float x) { return (float)tanh((double)x); }
static inline double tanh_of_f64(double x) { return tanh(x); }
