/*
 * All kernels, once. Each variant file includes this after vec.h, with VARIANT_TABLE and
 * VARIANT_NAME set to the table that it exports.
 */
#include "kernels/kernels.h"
#include "support/random.h"
#include "support/special.h"

#include <math.h>

#include "kernels/math.h"

#include "kernels/steps.h"

#include "kernels/sparse.h"

#include "kernels/products.h"

#include "kernels/activations.h"

#include "kernels/losses.h"

#include "kernels/rows.h"

const tnni_kernels VARIANT_TABLE;

#include "kernels/row.h"

#include "kernels/small.h"

#define MAP(f)                                                                                     \
    static void map_##f(size_t count, const float *x, float *y) {                                  \
        for (size_t i = 0; i < count; i += VEC_LANES) {                                            \
            size_t lanes = lanes_at(i, count);                                                     \
            store_lanes(y + i, lanes, vec_##f(load_lanes(x + i, lanes)));                          \
        }                                                                                          \
    }

MAP(expm1)
MAP(log)
MAP(log1p_of_unit)
MAP(erf)

const tnni_kernels VARIANT_TABLE = {
    .name = VARIANT_NAME,
    .fused = VEC_FUSED,
    .find_row = row_find,
    .product = dense_product,
    .product_transposed = dense_product_transposed,
    .weight_gradient = dense_weight_gradient,
    .weight_update = dense_weight_update,
    .bias_gradient = dense_bias_gradient,
    .activations =
        {
            [TNNI_IDENTITY] = {identity_forward, identity_backward},
            [TNNI_RELU] = {relu_forward, relu_backward},
            [TNNI_LEAKY_RELU] = {leaky_relu_forward, leaky_relu_backward},
            [TNNI_SIGMOID] = {sigmoid_forward, sigmoid_backward},
            [TNNI_TANH] = {hyperbolic_tangent_forward, hyperbolic_tangent_backward},
            [TNNI_SOFTMAX] = {softmax_forward, softmax_backward},
            [TNNI_ELU] = {elu_forward, elu_backward},
            [TNNI_SELU] = {selu_forward, selu_backward},
            [TNNI_SOFTPLUS] = {softplus_forward, softplus_backward},
            [TNNI_SOFTSIGN] = {softsign_forward, softsign_backward},
            [TNNI_SILU] = {silu_forward, silu_backward},
            [TNNI_GELU] = {gelu_forward, gelu_backward},
            [TNNI_HARD_SIGMOID] = {hard_sigmoid_forward, hard_sigmoid_backward},
            [TNNI_HARD_TANH] = {hard_tanh_forward, hard_tanh_backward},
        },
    .losses =
        {
            [TNNI_HALF_SQUARED_ERROR] = half_squared_error_loss,
            [TNNI_MEAN_SQUARED_ERROR] = mean_squared_error_loss,
            [TNNI_MEAN_ABSOLUTE_ERROR] = mean_absolute_error_loss,
            [TNNI_HUBER] = huber_loss,
            [TNNI_BINARY_CROSS_ENTROPY] = binary_cross_entropy_loss,
            [TNNI_CROSS_ENTROPY] = cross_entropy_loss,
        },
    .softmax_cross_entropy = softmax_cross_entropy,
    .sigmoid_binary_cross_entropy = sigmoid_binary_cross_entropy,
    .scale_rows = scale_rows,
    .scale_columns = scale_columns,
    .unscale_columns = unscale_columns,
    .dropout = dropout_rows,
    .steps = step_kernels,
    .square_sum = square_sum,
    .small_forward = small_forward,
    .small_gradients = small_gradients,
    .small_step = small_step,
    .small_train = small_train,
    .exp = map_exp,
    .expm1 = map_expm1,
    .log = map_log,
    .log1p_of_unit = map_log1p_of_unit,
    .tanh = map_tanh,
    .sigmoid = map_sigmoid,
    .erf = map_erf,
};
