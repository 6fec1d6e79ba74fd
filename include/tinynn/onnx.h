/*
 * onnx.h: nets from ONNX models and to them, an optional component of libtinynn.
 *
 *     tnn_net *net = NULL;
 *     if (tnn_onnx_load(&net, "model.onnx", NULL) != TNN_OK)
 *         puts(tnn_error_message());
 *
 * What is said in tinynn.h of errors, threads and memory holds here. docs/onnx.md lists what is
 * read, what is written, and what is refused and why.
 */
#ifndef TINYNN_ONNX_H
#define TINYNN_ONNX_H

#include <tinynn/tinynn.h>

/* As TNN_API, for the component's own library. */
#if defined(_WIN32) && !defined(TNN_STATIC)
#    ifdef TNN_BUILDING_ONNX
#        define TNN_ONNX_API __declspec(dllexport)
#    else
#        define TNN_ONNX_API __declspec(dllimport)
#    endif
#else
#    define TNN_ONNX_API TNN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the net that an ONNX model describes, if that is a chain of dense layers with activations
 * of this library, of operators of version 7 or later. A row of the net's input is what the first
 * product or softmax of the model takes for one; what comes before it in the model's shapes numbers
 * the rows. Weights are rounded to float. An activation that follows no product gets a layer of
 * unit weights, which changes no finite number. Scaling of the input and of the output
 * becomes the net's own, other scaling part of the weights.
 *
 * options NULL is {0}; options->net has the seed, activations are not used. The caller destroys
 * *net. Trusts nothing: while it loads, memory is at most 512 bytes for each byte of the file and a
 * megabyte, and then that of the net; sizes are checked before anything is allocated for them.
 *
 * TNN_UNSUPPORTED: the model is something else, or beyond a limit; the message names the node, its
 * operator and the reason. TNN_BAD_FORMAT: bytes that are damaged or contradict each other.
 * TNN_IO_ERROR, TNN_OUT_OF_MEMORY, TNN_INVALID_ARGUMENT (what tnn_net_create says of net options).
 */
TNN_ONNX_API tnn_status
tnn_onnx_load(tnn_net **net, const char *path, const tnn_load_options *options);
TNN_ONNX_API tnn_status tnn_onnx_load_from_memory(
    tnn_net **net, const void *data, size_t bytes, const tnn_load_options *options);

/*
 * Writes the net as an ONNX model of operators of version 13, with an input "x" [batch, inputs] and
 * an output "y" [batch, outputs] of any number of rows: scaling and all, but without seed and
 * dropout, which play no part in inference. Loading it gives the same parameters. Whole or not at
 * all, as tnn_net_save.
 *
 * TNN_UNSUPPORTED: an activation that is not the library's own, or 2 GB and more, which is what
 * the format has room for. TNN_IO_ERROR, TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_ONNX_API tnn_status tnn_onnx_save(const tnn_net *net, const char *path);

/*
 * The same bytes into buffer[capacity_bytes]; *bytes becomes their number, unless the net cannot be
 * saved. buffer NULL only asks for it. Allocates nothing. TNN_INVALID_ARGUMENT: the buffer is too
 * small, and left as it is. TNN_UNSUPPORTED as above.
 */
TNN_ONNX_API tnn_status
tnn_onnx_save_to_memory(const tnn_net *net, void *buffer, size_t capacity_bytes, size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif /* TINYNN_ONNX_H */
