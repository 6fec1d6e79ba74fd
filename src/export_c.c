/* A net as a file of C99 and its header. */
#include "export_c.h"

#include "support/file.h"
#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* Not those of <ctype.h>, which ask the locale. */
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char capital(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Would the macro that replaces fmaf be FP_FAST_FMAF, which is <math.h>'s? */
static bool is_taken(const char *name) {
    static const char taken[] = "FP_FAST";
    size_t i = 0;
    while (taken[i] != '\0' && capital(name[i]) == taken[i])
        i++;
    return taken[i] == '\0' && name[i] == '\0';
}

/* C++ has two underscores to itself, and one follows the name. */
static tnn_status check_name(const char *caller, const char *name) {
    size_t length = strlen(name);
    bool is_fine = is_letter(name[0]) && length <= TNNI_MOST_EXPORT_NAME;
    for (size_t i = 0; is_fine && i < length; i++)
        is_fine = is_letter(name[i]) || is_digit(name[i]) || (name[i] == '_' && name[i + 1] != '_');
    if (is_fine && name[length - 1] != '_' && !is_taken(name))
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT,
        "%s: options->name is \"%.80s\", expected a letter, then letters, digits and single "
        "underscores, none at the end, at most %d in all, but not fp_fast",
        caller, name, TNNI_MOST_EXPORT_NAME);
}

/* Appends what is no letter or digit as an underscore, and several of them as one. */
static void append_base(const char *base, size_t length, char *name, size_t filled) {
    for (size_t i = 0; i < length && filled < TNNI_MOST_EXPORT_NAME; i++) {
        bool is_plain = is_letter(base[i]) || is_digit(base[i]);
        if (is_plain || (filled > 0 && name[filled - 1] != '_'))
            name[filled++] = is_plain ? base[i] : '_';
    }
    while (name[filled - 1] == '_')
        filled--;
    name[filled] = '\0';
}

/* A name that has no letter first, or is taken, gets another one in front. */
static void derive_name(const char *base, size_t length, char *name) {
    if (length > 0 && is_letter(base[0])) {
        append_base(base, length, name, 0);
        if (!is_taken(name))
            return;
    }
    memcpy(name, "net_", 4);
    append_base(base, length, name, 4);
}

static void set_macro(tnni_export *e) {
    for (size_t i = 0; i < sizeof e->name; i++)
        e->macro[i] = capital(e->name[i]);
}

/* ---- The net --------------------------------------------------------------------------------- */

static tnn_status check_layer(const char *caller, const tnn_net *net, size_t l) {
    const tnni_layer *layer = &net->layers[l];
    const float *weights = net->parameters + layer->weights;
    const float *biases = net->parameters + layer->biases;
    if (layer->kind == TNNI_ACTIVATION_KINDS)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: layer %zu has the activation \"%.80s\", which is not the library's own", caller, l,
            layer->activation.vtable->name);
    for (size_t i = 0; i < layer->inputs * layer->units; i++)
        if (!isfinite(weights[i]))
            return tnni_fail(
                TNN_NOT_FINITE, "%s: the weight of input %zu and unit %zu of layer %zu is %g",
                caller, i / layer->units, i % layer->units, l, (double)weights[i]);
    for (size_t u = 0; layer->has_biases && u < layer->units; u++)
        if (!isfinite(biases[u]))
            return tnni_fail(
                TNN_NOT_FINITE, "%s: the bias of unit %zu of layer %zu is %g", caller, u, l,
                (double)biases[u]);
    return TNN_OK;
}

static tnn_status check_options(const char *caller, const tnn_export_options *options) {
    if (options->x && options->rows == 0)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: options->rows is 0 and options->x is not NULL", caller);
    return options->name ? check_name(caller, options->name) : TNN_OK;
}

/* Of base[length], the name of the file without its end, if options have none. */
static tnn_status begin(
    tnni_export *e, const char *caller, const tnn_net *net, const char *base, size_t length,
    const tnn_export_options *options) {
    *e = (tnni_export){.caller = caller, .net = net, .own_math = options->own_math};
    tnn_status status = check_options(caller, options);
    for (size_t l = 0; status == TNN_OK && l < net->layer_count; l++)
        status = check_layer(caller, net, l);
    if (status != TNN_OK)
        return status;
    if (options->name)
        memcpy(e->name, options->name, strlen(options->name) + 1);
    else
        derive_name(base, length, e->name);
    set_macro(e);
    return tnni_export_make_samples(e, options->rows, options->x);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static size_t constant_bytes(const tnn_net *net) {
    size_t floats = net->parameter_count;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        floats += (tnni_export_units(layer) - layer->units) * (layer->inputs + layer->has_biases);
    }
    floats += net->input_scaling ? 2 * tnni_inputs(net) : 0;
    floats += net->output_scaling ? 2 * tnni_outputs(net) : 0;
    return floats * sizeof(float);
}

/* Layers write to one of two arrays in turn, and the last one to y. */
typedef struct buffers {
    size_t floats[2];
} buffers;

static buffers measure_buffers(const tnn_net *net) {
    buffers b = {{0}};
    if (net->input_scaling)
        b.floats[1] = tnni_inputs(net);
    for (size_t l = 0; l + 1 < net->layer_count; l++)
        if (net->layers[l].units > b.floats[l % 2])
            b.floats[l % 2] = net->layers[l].units;
    return b;
}

/* For saved registers, return addresses, alignment and what a compiler keeps there. */
enum { STACK_OF_CALLS = 512 };

static size_t stack_bytes(const tnn_net *net) {
    buffers b = measure_buffers(net);
    return (b.floats[0] + b.floats[1]) * sizeof(float) + tnni_export_array_bytes(net) +
        STACK_OF_CALLS;
}

/* The file's name is in no comment, as it may hold what ends one. */
static void put_title(tnni_text *text, const tnni_export *e) {
    const tnn_net *net = e->net;
    tnni_text_format(
        text,
        "/*\n"
        " * A neural network, written by libtinynn " TNN_VERSION_STRING
        ". Change the net, not this "
        "file.\n"
        " *\n"
        " *     inputs: %zu%s\n",
        tnni_inputs(net), net->input_scaling ? ", scaled" : "");
    for (size_t l = 0; l < net->layer_count; l++)
        tnni_text_format(
            text, " *     layer %zu: %zu unit%s, %s%s\n", l, net->layers[l].units,
            net->layers[l].units == 1 ? "" : "s", net->layers[l].activation.vtable->name,
            net->layers[l].has_biases ? "" : ", no biases");
    if (net->output_scaling)
        tnni_text_put(text, " *     outputs: scaled\n");
    tnni_text_format(
        text,
        " *\n"
        " * Constants take %zu bytes, the stack at most %zu%s.\n"
        " * There is no heap, and nothing is written but y.\n"
        " */\n",
        constant_bytes(net), stack_bytes(net), e->own_math ? "" : " and what <math.h> takes");
}

static tnn_status write_header(const tnni_export *e, const tnn_sink *sink) {
    tnni_text text;
    tnni_text_begin(&text, sink, e->name, e->macro);
    put_title(&text, e);
    tnni_text_format(
        &text,
        "#ifndef $_H\n"
        "#define $_H\n"
        "\n"
        "#define $_INPUTS %zu\n"
        "#define $_OUTPUTS %zu\n"
        "#define $_CONSTANT_BYTES %zu\n"
        "#define $_STACK_BYTES %zu\n"
        "\n",
        tnni_inputs(e->net), tnni_outputs(e->net), constant_bytes(e->net), stack_bytes(e->net));
    tnni_text_put(
        &text,
        "#ifdef __cplusplus\n"
        "extern \"C\" {\n"
        "#endif\n"
        "\n"
        "/* One row through the net. x and y do not overlap. Any number of threads may call it. "
        "*/\n"
        "void @_predict(const float x[$_INPUTS], float y[$_OUTPUTS]);\n"
        "\n"
        "#ifdef __cplusplus\n"
        "}\n"
        "#endif\n"
        "\n"
        "#endif\n");
    return tnni_text_end(&text);
}

static void put_preamble(tnni_text *text, const tnni_export *e, const char *header, size_t length) {
    put_title(text, e);
    tnni_text_put(text, "#include \"");
    tnni_text_put_plain(text, header, length);
    tnni_text_put(text, "\"\n\n#include <math.h>\n");
    if (tnni_export_needs_bits(e))
        tnni_text_put(
            text,
            "#include <stdint.h>\n"
            "#include <string.h>\n");
    tnni_text_put(
        text,
        "\n"
        "#ifdef __FAST_MATH__\n"
        "#    error \"-ffast-math would reorder sums, which must keep their order\"\n"
        "#endif\n");
    tnni_text_put(
        text,
        "\n"
        "/* On a machine that has no fused multiply-add fmaf is slow. $_FMAF(a, b, c) replaces it\n"
        " * then, for other digits at the end. */\n"
        "#ifdef $_FMAF\n"
        "#    undef fmaf\n"
        "#    define fmaf(a, b, c) $_FMAF(a, b, c)\n"
        "#endif\n"
        "\n");
    tnni_text_put(text, tnni_text_restrict);
    tnni_text_put(
        text,
        "\n"
        "/* ---- Constants, in the order in which they are used ---- */\n"
        "\n");
}

static void put_predict(tnni_text *text, const tnn_net *net) {
    static const char *const names[] = {"a", "b"};
    buffers b = measure_buffers(net);
    const char *x = "x";
    tnni_text_put(text, "void @_predict(const float x[$_INPUTS], float y[$_OUTPUTS]) {\n");
    for (int i = 0; i < 2; i++)
        if (b.floats[i] > 0)
            tnni_text_format(text, "    float %s[%zu];\n", names[i], b.floats[i]);
    if (net->input_scaling) {
        x = "b";
        tnni_text_put(
            text,
            "    for (int i = 0; i < $_INPUTS; i++)\n"
            "        b[i] = (x[i] - @_input_shift[i]) * @_input_scale[i];\n");
    }
    for (size_t l = 0; l < net->layer_count; l++) {
        const char *y = l + 1 < net->layer_count ? names[l % 2] : "y";
        tnni_text_format(text, "    @_layer%zu(%s, %s);\n", l, x, y);
        x = y;
    }
    if (net->output_scaling)
        tnni_text_put(
            text,
            "    for (int u = 0; u < $_OUTPUTS; u++)\n"
            "        y[u] = y[u] / @_output_scale[u] + @_output_shift[u];\n");
    tnni_text_put(text, "}\n");
}

static void put_samples(
    tnni_text *text, const char *what, const float *values, size_t rows, size_t columns) {
    tnni_text_format(text, "static const float @_sample_%s[%zu][%zu] = {\n", what, rows, columns);
    for (size_t r = 0; r < rows; r++) {
        tnni_text_put(text, "    {\n");
        tnni_text_floats(text, values + r * columns, columns);
        tnni_text_put(text, "\n    },\n");
    }
    tnni_text_put(text, "};\n\n");
}

/* Which of the two comparisons main makes. */
static void put_exactness(tnni_text *text, const tnni_export *e) {
    if (tnni_export_is_exact(e))
        tnni_text_put(
            text,
            "/* With a fused multiply-add every bit is the library's. */\n"
            "#if (defined(FP_FAST_FMAF) || defined(__FP_FAST_FMAF)) && !defined($_FMAF)\n"
            "enum { @_is_exact = 1 };\n"
            "#else\n"
            "enum { @_is_exact = 0 };\n"
            "#endif\n\n");
    else
        tnni_text_put(text, "enum { @_is_exact = 0 };\n\n");
}

static void put_main(tnni_text *text, const tnni_export *e) {
    size_t rows = e->sample_rows;
    tnni_text_put(
        text,
        "\n"
        "/* ---- A check against the library's outputs ---- */\n"
        "\n"
        "#ifdef $_MAIN\n"
        "#include <stdio.h>\n"
        "#include <string.h>\n"
        "\n");
    put_samples(text, "x", e->sample_x, rows, tnni_inputs(e->net));
    put_samples(text, "y", e->sample_y, rows, tnni_outputs(e->net));
    tnni_text_put(
        text,
        "/* What y may differ by with other functions than the library's, or without a fused\n"
        " * multiply-add. */\n");
    put_samples(text, "tolerance", e->sample_tolerance, rows, tnni_outputs(e->net));
    put_exactness(text, e);
    tnni_text_format(
        text,
        "int main(void) {\n"
        "    int same = 0;\n"
        "    int wrong = 0;\n"
        "    for (int r = 0; r < %zu; r++) {\n"
        "        float y[$_OUTPUTS];\n"
        "        @_predict(@_sample_x[r], y);\n",
        rows);
    tnni_text_put(
        text,
        "        for (int u = 0; u < $_OUTPUTS; u++) {\n"
        "            const float difference = fabsf(y[u] - @_sample_y[r][u]);\n"
        "            if (memcmp(&y[u], &@_sample_y[r][u], sizeof y[u]) == 0) {\n"
        "                same++;\n"
        "            } else if (@_is_exact || !(difference <= @_sample_tolerance[r][u])) {\n"
        "                wrong++;\n"
        "                printf(\"row %d, output %d: %.9g, expected %.9g\\n\", r, u, "
        "(double)y[u],\n"
        "                       (double)@_sample_y[r][u]);\n"
        "            }\n"
        "        }\n"
        "    }\n");
    tnni_text_format(
        text,
        "    printf(\"@: %%d outputs, %%d to the bit, %%d wrong\\n\", %zu * $_OUTPUTS, same, "
        "wrong);\n"
        "    return wrong > 0;\n"
        "}\n"
        "#endif\n",
        rows);
}

static tnn_status write_source(
    const tnni_export *e, const char *header, size_t length, const tnn_sink *sink) {
    tnni_text text;
    tnni_text_begin(&text, sink, e->name, e->macro);
    put_preamble(&text, e, header, length);
    tnni_export_constants(&text, e);
    tnni_text_put(&text, "/* ---- Code ---- */\n\n");
    tnni_export_functions(&text, e);
    tnni_export_layers(&text, e);
    put_predict(&text, e->net);
    put_main(&text, e);
    return tnni_text_end(&text);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static tnn_status null_argument(const char *caller, const char *argument) {
    return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, argument);
}

static tnn_status append_to_file(void *context, const void *data, size_t bytes) {
    return tnni_file_write(context, data, bytes);
}

/* Both are whole before either takes its place. */
static tnn_status write_files(
    const tnni_export *e, const char *path, const char *header_path, const char *header,
    size_t length) {
    const tnn_allocator *allocator = e->net->allocator;
    tnni_file source_file, header_file;
    const tnn_sink source_sink = {.context = &source_file, .write = append_to_file};
    const tnn_sink header_sink = {.context = &header_file, .write = append_to_file};
    tnn_status status = tnni_file_create(&source_file, e->caller, path, allocator);
    if (status != TNN_OK)
        return status;
    status = tnni_file_create(&header_file, e->caller, header_path, allocator);
    if (status != TNN_OK)
        return tnni_file_close(&source_file, status);
    status = write_source(e, header, length, &source_sink);
    if (status == TNN_OK)
        status = write_header(e, &header_sink);
    status = tnni_file_close(&header_file, status);
    return tnni_file_close(&source_file, status);
}

/* Can it stand between the quotes of an #include? Two question marks may begin a trigraph. */
static bool can_be_included(const char *base) {
    for (; *base != '\0'; base++)
        if (*base == '"' || *base == '\\' || (unsigned char)*base < ' ' ||
            (base[0] == '?' && base[1] == '?'))
            return false;
    return true;
}

tnn_status tnn_net_export_c(
    const tnn_net *net, const char *path, const tnn_export_options *options) {
    const char *caller = "tnn_net_export_c";
    const tnn_export_options defaults = {0};
    tnni_export e;
    if (!net)
        return null_argument(caller, "net");
    if (!path)
        return null_argument(caller, "path");
    size_t length = strlen(path);
    size_t base = tnni_folder_length(path);
    if (length < base + 3 || strcmp(path + length - 2, ".c") != 0 || !can_be_included(path + base))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: path is \"%.300s\", expected a name that ends in .c, without quotation marks, "
            "backslashes, control characters and \"??\"",
            caller, path);
    char *header_path = tnni_allocate(net->allocator, length + 1);
    if (!header_path)
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for the header's name", caller);
    memcpy(header_path, path, length + 1);
    header_path[length - 1] = 'h';
    tnn_status status =
        begin(&e, caller, net, path + base, length - base - 2, options ? options : &defaults);
    if (status == TNN_OK)
        status = write_files(&e, path, header_path, header_path + base, length - base);
    tnni_export_release_samples(&e);
    tnni_release(net->allocator, header_path, length + 1);
    return status;
}

/* The caller's sink, with a message when it fails. */
static tnn_status write_to(void *context, const void *data, size_t bytes) {
    const tnn_sink *sink = context;
    tnn_status status = sink->write(sink->context, data, bytes);
    if (status == TNN_OK)
        return TNN_OK;
    return tnni_fail(
        status, "tnn_net_export_c_to: %.200s: write returned %s", sink->name ? sink->name : "data",
        tnn_status_string(status));
}

tnn_status tnn_net_export_c_to(
    const tnn_net *net, const tnn_sink *source, const tnn_sink *header,
    const tnn_export_options *options) {
    const char *caller = "tnn_net_export_c_to";
    const tnn_export_options defaults = {.name = "net"};
    tnni_export e;
    if (!net)
        return null_argument(caller, "net");
    if (!source || !source->write)
        return null_argument(caller, source ? "source->write" : "source");
    if (!header || !header->write)
        return null_argument(caller, header ? "header->write" : "header");
    tnn_sink copies[2] = {*source, *header};
    tnn_status status = begin(&e, caller, net, "net", 3, options ? options : &defaults);
    if (status == TNN_OK) {
        char file[TNNI_MOST_EXPORT_NAME + sizeof ".h"];
        size_t length = strlen(e.name);
        memcpy(file, e.name, length);
        memcpy(file + length, ".h", sizeof ".h");
        status = write_source(
            &e, file, length + 2, &(tnn_sink){.context = &copies[0], .write = write_to});
    }
    if (status == TNN_OK)
        status = write_header(&e, &(tnn_sink){.context = &copies[1], .write = write_to});
    tnni_export_release_samples(&e);
    return status;
}
