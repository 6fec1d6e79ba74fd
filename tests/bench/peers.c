#include "peers.h"

#include "bench.h"

peer_blas peer_find_blas(void) {
    peer_blas found = {.count = 0};
#if BENCH_ONEDNN
    found.at[found.count++] = &peer_onednn;
#else
    bench_skip("oneDNN", "libdnnl-dev");
#endif
#if BENCH_OPENBLAS
    found.at[found.count++] = &peer_openblas;
#else
    bench_skip("OpenBLAS", "libopenblas-dev");
#endif
    return found;
}

peer_maths peer_find_maths(void) {
    peer_maths found = {.count = 0};
#if BENCH_MVEC
    found.at[found.count++] = &peer_mvec;
#else
    bench_skip("libmvec", "libc6-dev, on x86-64 with AVX2");
#endif
#if BENCH_SLEEF
    found.at[found.count++] = &peer_sleef_u10;
    found.at[found.count++] = &peer_sleef_u35;
#else
    bench_skip("SLEEF", "libsleef-dev, on x86-64 with AVX2");
#endif
    return found;
}
