#include "onnx/tensor.h"

#include "support/bytes.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Elements -------------------------------------------------------------------------------- */

/* IEEE 754 binary16: 1 + 5 + 10 bits. All of them are doubles. */
static double half(unsigned bits) {
    unsigned exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double value;
    if (exponent == 31)
        value = fraction != 0.0 ? NAN : INFINITY;
    else if (exponent == 0)
        value = fraction * 0x1p-24;
    else
        value = ldexp(1024.0 + fraction, (int)exponent - 25);
    return bits & 0x8000 ? -value : value;
}

static double load_raw_float(const void *data, size_t number) {
    float value;
    tnni_load_f32(&value, (const unsigned char *)data + 4 * number);
    return value;
}

static double load_raw_double(const void *data, size_t number) {
    double value;
    uint64_t bits = tnni_load_u64((const unsigned char *)data + 8 * number);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double load_raw_half(const void *data, size_t number) {
    const unsigned char *bytes = (const unsigned char *)data + 2 * number;
    return half(bytes[0] | (unsigned)bytes[1] << 8);
}

static double load_raw_int32(const void *data, size_t number) {
    return (int32_t)tnni_load_u32((const unsigned char *)data + 4 * number);
}

static double load_raw_int64(const void *data, size_t number) {
    return (double)(int64_t)tnni_load_u64((const unsigned char *)data + 8 * number);
}

static double load_raw_bool(const void *data, size_t number) {
    return ((const unsigned char *)data)[number] != 0;
}

static double load_float(const void *data, size_t number) {
    return ((const float *)data)[number];
}

static double load_double(const void *data, size_t number) {
    return ((const double *)data)[number];
}

static double load_half(const void *data, size_t number) {
    return half((unsigned)((const int32_t *)data)[number] & 0xffff);
}

static double load_int32(const void *data, size_t number) {
    return ((const int32_t *)data)[number];
}

static double load_int64(const void *data, size_t number) {
    return (double)((const int64_t *)data)[number];
}

static double load_bool(const void *data, size_t number) {
    return ((const int32_t *)data)[number] != 0;
}

double tnni_onnx_element(const tnni_onnx_tensor *tensor, size_t index) {
    size_t number = 0;
    for (size_t d = tensor->rank; d-- > 0;) {
        size_t size = (size_t)tensor->dims[d];
        number += index % size * tensor->strides[d];
        index /= size;
    }
    return tnni_onnx_stored(tensor, number);
}

/* ---- Words ----------------------------------------------------------------------------------- */

tnni_onnx_text tnni_onnx_type_name(int type) {
    static const char *const names[] = {"no type",    "float",   "uint8",  "int8",   "uint16",
                                        "int16",      "int32",   "int64",  "string", "bool",
                                        "float16",    "double",  "uint32", "uint64", "complex64",
                                        "complex128", "bfloat16"};
    tnni_onnx_text name;
    if (type >= 0 && (size_t)type < sizeof names / sizeof *names)
        snprintf(name.text, sizeof name.text, "%s", names[type]);
    else
        snprintf(name.text, sizeof name.text, "type %d", type);
    return name;
}

tnni_onnx_text tnni_onnx_describe(const tnni_onnx_tensor *tensor) {
    tnni_onnx_text text;
    size_t used = 0;
    used += (size_t)snprintf(
        text.text, sizeof text.text, "%s[", tnni_onnx_type_name(tensor->type).text);
    for (size_t d = 0; d < tensor->rank && used < sizeof text.text; d++)
        used += (size_t)snprintf(
            text.text + used, sizeof text.text - used, "%s%" PRId64, d ? ", " : "",
            tensor->dims[d]);
    if (used < sizeof text.text)
        snprintf(text.text + used, sizeof text.text - used, "]");
    return text;
}

tnni_onnx_text tnni_onnx_name_node(const TnniOnnx__GraphProto *graph, size_t index) {
    tnni_onnx_text named = {"the graph"};
    if (index >= graph->n_node)
        return named;
    const TnniOnnx__NodeProto *node = graph->node[index];
    const char *name = node->name ? node->name : "";
    const char *type = node->op_type ? node->op_type : "";
    tnni_excerpt of_name = tnni_excerpt_of(name, strlen(name));
    tnni_excerpt of_type = tnni_excerpt_of(type, strlen(type));
    if (*name)
        snprintf(
            named.text, sizeof named.text, "node %zu, \"%s\" (%s)", index, of_name.text,
            of_type.text);
    else
        snprintf(named.text, sizeof named.text, "node %zu (%s)", index, of_type.text);
    return named;
}

/* ---- From a file ----------------------------------------------------------------------------- */

/* Strides and count from the dimensions; false if there are too many elements to count. */
static bool lay_out(tnni_onnx_tensor *tensor) {
    tensor->count = 1;
    for (size_t d = tensor->rank; d-- > 0;) {
        tensor->strides[d] = tensor->count;
        if ((uint64_t)tensor->dims[d] > SIZE_MAX ||
            !tnni_multiply(tensor->count, (size_t)tensor->dims[d], &tensor->count))
            return false;
    }
    return true;
}

/* How the elements of a type are stored: as raw bytes, and in the field made for them. */
typedef struct storage {
    size_t bytes;
    double (*load_raw)(const void *data, size_t number);
    double (*load)(const void *data, size_t number);
    size_t count; /* in that field */
    const void *data;
} storage;

static bool find_storage(const TnniOnnx__TensorProto *proto, storage *found) {
    switch (proto->data_type) {
    case TNNI_ONNX_FLOAT:
        *found = (storage){4, load_raw_float, load_float, proto->n_float_data, proto->float_data};
        return true;
    case TNNI_ONNX_DOUBLE:
        *found =
            (storage){8, load_raw_double, load_double, proto->n_double_data, proto->double_data};
        return true;
    case TNNI_ONNX_FLOAT16:
        *found = (storage){2, load_raw_half, load_half, proto->n_int32_data, proto->int32_data};
        return true;
    case TNNI_ONNX_INT32:
        *found = (storage){4, load_raw_int32, load_int32, proto->n_int32_data, proto->int32_data};
        return true;
    case TNNI_ONNX_INT64:
        *found = (storage){8, load_raw_int64, load_int64, proto->n_int64_data, proto->int64_data};
        return true;
    case TNNI_ONNX_BOOL:
        *found = (storage){1, load_raw_bool, load_bool, proto->n_int32_data, proto->int32_data};
        return true;
    default:
        return false;
    }
}

/* "where: tensor NAME" */
typedef struct place {
    char text[400];
} place;

static place place_of(const char *where, const TnniOnnx__TensorProto *proto) {
    place named;
    const char *name = proto->name ? proto->name : "";
    snprintf(
        named.text, sizeof named.text, "%s: tensor \"%s\"", where,
        tnni_excerpt_of(name, strlen(name)).text);
    return named;
}

static tnn_status read_dims(
    const char *where, const TnniOnnx__TensorProto *proto, tnni_onnx_tensor *tensor) {
    if (proto->n_dims > TNNI_ONNX_MOST_RANK)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s has %zu dimensions, expected at most %d", where, proto->n_dims,
            TNNI_ONNX_MOST_RANK);
    tensor->rank = proto->n_dims;
    for (size_t d = 0; d < tensor->rank; d++) {
        if (proto->dims[d] < 0)
            return tnni_fail(
                TNN_BAD_FORMAT, "%s has the dimension %" PRId64 ", expected at least 0", where,
                proto->dims[d]);
        tensor->dims[d] = proto->dims[d];
    }
    if (!lay_out(tensor))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s is %s, more than fits in memory", where,
            tnni_onnx_describe(tensor).text);
    return TNN_OK;
}

static tnn_status find_elements(
    const char *where, const TnniOnnx__TensorProto *proto, const storage *how,
    tnni_onnx_tensor *tensor) {
    size_t bytes;
    bool is_raw = proto->has_raw_data && (proto->raw_data.len > 0 || how->count == 0);
    if (is_raw) { /* some writers leave an empty one beside the field that is filled */
        if (!tnni_multiply(tensor->count, how->bytes, &bytes) || proto->raw_data.len != bytes)
            return tnni_fail(
                TNN_BAD_FORMAT, "%s is %s, but has %zu bytes", where,
                tnni_onnx_describe(tensor).text, proto->raw_data.len);
        tensor->load = how->load_raw;
        tensor->data = proto->raw_data.data;
        return TNN_OK;
    }
    if (how->count != tensor->count)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s is %s, but has %zu elements", where,
            tnni_onnx_describe(tensor).text, how->count);
    tensor->load = how->load;
    tensor->data = how->data;
    return TNN_OK;
}

tnn_status tnni_onnx_tensor_of(
    const char *where, const TnniOnnx__TensorProto *proto, tnni_onnx_tensor *tensor) {
    const place named = place_of(where, proto);
    storage how;
    *tensor = (tnni_onnx_tensor){.type = proto->data_type};
    if (proto->data_location != 0)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s is stored in a file of its own, which is not read: save the model with its weights "
            "inside",
            named.text);
    if (proto->has_segment)
        return tnni_fail(TNN_UNSUPPORTED, "%s is stored in segments", named.text);
    if (!find_storage(proto, &how))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s is of %s, expected float, double, float16, int32, int64 or bool",
            named.text, tnni_onnx_type_name(proto->data_type).text);
    tnn_status status = read_dims(named.text, proto, tensor);
    return status == TNN_OK ? find_elements(named.text, proto, &how, tensor) : status;
}

static tnni_onnx_tensor list_of(
    int type, size_t count, double (*load)(const void *data, size_t number), const void *data) {
    return (tnni_onnx_tensor){
        .type = type,
        .rank = 1,
        .dims = {(int64_t)count},
        .strides = {1},
        .count = count,
        .load = load,
        .data = data};
}

tnni_onnx_tensor tnni_onnx_tensor_of_doubles(int type, size_t count, const double *values) {
    return list_of(type, count, load_double, values);
}

tnni_onnx_tensor tnni_onnx_tensor_of_ints(size_t count, const int64_t *values) {
    return list_of(TNNI_ONNX_INT64, count, load_int64, values);
}

tnni_onnx_tensor tnni_onnx_tensor_of_floats(size_t count, const float *values) {
    return list_of(TNNI_ONNX_FLOAT, count, load_float, values);
}

/* ---- Computing ------------------------------------------------------------------------------- */

/* A tensor of doubles to be filled in, with the dimensions that result has already. */
static double *make(const char *where, tnni_onnx_memory *memory, tnni_onnx_tensor *result) {
    lay_out(result);
    double *values = tnni_onnx_take(memory, result->count, sizeof *values);
    if (!values)
        tnni_onnx_no_memory(memory, where);
    result->load = load_double;
    result->data = values;
    return values;
}

static tnn_status failed(const tnni_onnx_memory *memory) {
    return memory->is_beyond ? TNN_UNSUPPORTED : TNN_OUT_OF_MEMORY;
}

static bool is_in_order(const tnni_onnx_tensor *tensor) {
    tnni_onnx_tensor other = *tensor;
    lay_out(&other);
    for (size_t d = 0; d < tensor->rank; d++)
        if (tensor->dims[d] > 1 && tensor->strides[d] != other.strides[d])
            return false;
    return true;
}

tnn_status tnni_onnx_reshape(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor, size_t rank,
    const int64_t *dims, tnni_onnx_tensor *result) {
    tnni_onnx_tensor shaped = *tensor;
    shaped.rank = rank;
    memcpy(shaped.dims, dims, rank * sizeof *dims);
    if (is_in_order(tensor)) {
        lay_out(&shaped);
    } else {
        double *values = make(where, memory, &shaped);
        if (!values)
            return failed(memory);
        for (size_t i = 0; i < tensor->count; i++)
            values[i] = tnni_onnx_element(tensor, i);
    }
    *result = shaped;
    return TNN_OK;
}

tnni_onnx_tensor tnni_onnx_transpose(const tnni_onnx_tensor *tensor, const size_t *order) {
    tnni_onnx_tensor result = *tensor;
    for (size_t d = 0; d < tensor->rank; d++) {
        result.dims[d] = tensor->dims[order[d]];
        result.strides[d] = tensor->strides[order[d]];
    }
    return result;
}

static bool is_float(int type) {
    return type == TNNI_ONNX_FLOAT || type == TNNI_ONNX_DOUBLE;
}

/* What is computed in double and then rounded is what the type itself would give: double has more
 * than twice the digits. */
static double rounded(int type, double value) {
    return type == TNNI_ONNX_FLOAT ? (double)(float)value : value;
}

static tnn_status refuse_type(const char *where, const char *what, int type) {
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s of constants of %s", where, what, tnni_onnx_type_name(type).text);
}

tnn_status tnni_onnx_cast(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor, int type,
    tnni_onnx_tensor *result) {
    tnni_onnx_tensor cast = *tensor;
    if (type == tensor->type) {
        *result = cast;
        return TNN_OK;
    }
    cast.type = type;
    if (!is_float(type))
        return refuse_type(where, "a cast that is not to float or double", tensor->type);
    double *values = make(where, memory, &cast);
    if (!values)
        return failed(memory);
    for (size_t i = 0; i < tensor->count; i++)
        values[i] = rounded(type, tnni_onnx_element(tensor, i));
    *result = cast;
    return TNN_OK;
}

static double computed(char operation, double a, double b) {
    switch (operation) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        return a / b;
    }
}

/* Dimensions from the last one on; those of 1 stretch. False if they do not fit together. */
static bool broadcast(
    const tnni_onnx_tensor *a, const tnni_onnx_tensor *b, tnni_onnx_tensor *result) {
    result->rank = a->rank > b->rank ? a->rank : b->rank;
    for (size_t d = 0; d < result->rank; d++) {
        int64_t of_a = d < a->rank ? a->dims[a->rank - 1 - d] : 1;
        int64_t of_b = d < b->rank ? b->dims[b->rank - 1 - d] : 1;
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return false;
        result->dims[result->rank - 1 - d] = of_a == 1 ? of_b : of_a;
    }
    return lay_out(result);
}

/* Element index of the broadcast result, as the operand has it. */
static double broadcast_element(
    const tnni_onnx_tensor *operand, const tnni_onnx_tensor *result, size_t index) {
    size_t number = 0;
    size_t missing = result->rank - operand->rank;
    for (size_t d = result->rank; d-- > 0;) {
        size_t size = (size_t)result->dims[d];
        if (d >= missing && operand->dims[d - missing] > 1)
            number += index % size * operand->strides[d - missing];
        index /= size;
    }
    return tnni_onnx_stored(operand, number);
}

tnn_status tnni_onnx_combine(
    const char *where, tnni_onnx_memory *memory, char operation, const tnni_onnx_tensor *a,
    const tnni_onnx_tensor *b, tnni_onnx_tensor *result) {
    tnni_onnx_tensor combined = {.type = a->type};
    if (a->type != b->type || !is_float(a->type))
        return refuse_type(where, "arithmetic", is_float(a->type) ? b->type : a->type);
    if (!broadcast(a, b, &combined))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: %s and %s do not fit together", where, tnni_onnx_describe(a).text,
            tnni_onnx_describe(b).text);
    if (combined.count > a->count && combined.count > b->count)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %s and %s make a larger constant than either", where,
            tnni_onnx_describe(a).text, tnni_onnx_describe(b).text);
    double *values = make(where, memory, &combined);
    if (!values)
        return failed(memory);
    for (size_t i = 0; i < combined.count; i++)
        values[i] = rounded(
            combined.type,
            computed(
                operation, broadcast_element(a, &combined, i), broadcast_element(b, &combined, i)));
    *result = combined;
    return TNN_OK;
}

tnn_status tnni_onnx_square_root(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor,
    tnni_onnx_tensor *result) {
    tnni_onnx_tensor root = *tensor;
    if (!is_float(tensor->type))
        return refuse_type(where, "a square root", tensor->type);
    double *values = make(where, memory, &root);
    if (!values)
        return failed(memory);
    for (size_t i = 0; i < tensor->count; i++)
        values[i] = rounded(root.type, sqrt(tnni_onnx_element(tensor, i)));
    *result = root;
    return TNN_OK;
}
