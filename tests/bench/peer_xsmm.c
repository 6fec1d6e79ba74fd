/*
 * libxsmm: column-major, so that row-major c = a b is its c^T = b^T a^T: it gets b first.
 *
 * It has no code for delta W^T: its first operand would have to be transposed.
 */
#include "peers.h"

#include <libxsmm.h>

/* Larger products are not what it generates code for. */
enum { LARGEST = 1024 };

typedef struct shape {
    size_t rows, columns, depth; /* of c as libxsmm sees it */
    size_t first_row, second_row;
    int flags;
} shape;

static shape find_shape(peer_form form, size_t rows, size_t inputs, size_t units) {
    switch (form) {
    case PEER_XW:
        return (shape){units, rows, inputs, units, inputs, LIBXSMM_GEMM_FLAG_NONE};
    case PEER_DWT:
        return (shape){inputs, rows, units, units, units, LIBXSMM_GEMM_FLAG_TRANS_A};
    default:
        return (shape){units, inputs, rows, units, inputs, LIBXSMM_GEMM_FLAG_TRANS_B};
    }
}

peer_xsmm_kernel *peer_xsmm_find(peer_form form, size_t rows, size_t inputs, size_t units) {
    if (rows > LARGEST || inputs > LARGEST || units > LARGEST)
        return NULL;
    shape s = find_shape(form, rows, inputs, units);
    libxsmm_blasint first = (libxsmm_blasint)s.first_row;
    libxsmm_blasint second = (libxsmm_blasint)s.second_row;
    libxsmm_blasint result = (libxsmm_blasint)s.rows;
    float alpha = 1;
    float beta = 0;
    int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
    return libxsmm_smmdispatch(
        (libxsmm_blasint)s.rows, (libxsmm_blasint)s.columns, (libxsmm_blasint)s.depth, &first,
        &second, &result, &alpha, &beta, &s.flags, &prefetch);
}
