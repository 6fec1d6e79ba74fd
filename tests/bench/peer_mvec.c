/* libmvec, the vector functions of glibc, called by the names of its vector ABI. */
#include "peer_math.h"

vec WIDEST(_ZGVeN16v_expf, _ZGVdN8v_expf)(vec x);
vec WIDEST(_ZGVeN16v_tanhf, _ZGVdN8v_tanhf)(vec x);

PEER_LOOPS(mvec, WIDEST(_ZGVeN16v_expf, _ZGVdN8v_expf), WIDEST(_ZGVeN16v_tanhf, _ZGVdN8v_tanhf))
