/* Nets as keys and tensors of a GGUF file: what a model file consists of. */
#ifndef TINYNN_MODEL_FILE_H
#define TINYNN_MODEL_FILE_H

#include "gguf.h"
#include "net.h"

#define TNNI_MODEL_VERSION_KEY "tinynn.format_version"
#define TNNI_MODEL_SEED_KEY "tinynn.seed"
#define TNNI_MODEL_FORWARDS_KEY "tinynn.forward_count"
#define TNNI_MODEL_INPUTS_KEY "tinynn.input_count"
#define TNNI_MODEL_UNITS_KEY "tinynn.layers.units"
#define TNNI_MODEL_ACTIVATION_KEY "tinynn.layers.activation"
#define TNNI_MODEL_PARAMETER_KEY "tinynn.layers.activation_parameter"
#define TNNI_MODEL_BIAS_KEY "tinynn.layers.has_bias"
#define TNNI_MODEL_DROPOUT_KEY "tinynn.layers.dropout"

enum {
    TNNI_MODEL_VERSION = 1,
    TNNI_MODEL_KEYS = 12 /* with architecture, checksum and alignment */
};

/* "layers.N.weight" */
enum { TNNI_MODEL_MOST_NAME = 48 };
typedef struct tnni_model_name {
    char text[TNNI_MODEL_MOST_NAME];
} tnni_model_name;
tnni_model_name tnni_model_tensor_name(size_t layer, const char *what);

/* ---- Writing: model_file_write.c ------------------------------------------------------------- */

size_t tnni_model_tensor_count(const tnn_net *net);
/* All keys but architecture and checksum. */
void tnni_model_put_keys(tnni_gguf_writer *writer, const tnn_net *net);
void tnni_model_put_infos(tnni_gguf_writer *writer, const tnn_net *net);
void tnni_model_put_tensors(tnni_gguf_writer *writer, const tnn_net *net);

/* Puts a whole file, from begin to end, and returns its status. */
typedef tnn_status tnni_put_file(
    tnni_gguf_writer *writer, const tnn_sink *sink, uint64_t checksum, const void *what);

/* The file with its checksum, to a sink of the caller's, or in place of path. Both refuse a NULL.
 */
tnn_status tnni_save_to(
    const char *caller, tnni_put_file *put, const void *what, const tnn_sink *sink);
tnn_status tnni_save(
    const char *caller, tnni_put_file *put, const void *what, const char *path,
    const tnn_allocator *allocator);

/* ---- Reading: model_file_read.c -------------------------------------------------------------- */

/* Tensors whose names begin so are a checkpoint's, and none of the net's. */
#define TNNI_CHECKPOINT_TENSORS "checkpoint."

/* The net of an open file; of *tensor_count tensors. The options are not NULL, and checked. */
tnn_status tnni_model_read(
    tnn_net **net, const tnni_gguf *gguf, const tnn_load_options *options, size_t *tensor_count);

/* Makes of an open file what is wanted of it, into result. */
typedef tnn_status tnni_take_file(
    void *result, const tnni_gguf *gguf, const tnn_load_options *options);

/* Checks the options, the default for NULL, opens the file and takes it. */
tnn_status tnni_load(
    const char *caller, tnni_take_file *take, void *result, const char *path,
    const tnn_load_options *options);
tnn_status tnni_load_from(
    const char *caller, tnni_take_file *take, void *result, const tnn_source *source,
    const tnn_load_options *options);

#endif
