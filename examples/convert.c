/*
 * convert.c: a net from one file to another: model files of libtinynn, ONNX models, and C.
 *
 *     convert model.onnx net.gguf
 *     convert net.gguf model.onnx
 *     convert --own-math model.onnx net.c
 *
 * What a file is, its name tells. ONNX takes the optional component tinynn_onnx, without which this
 * program says so.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tinynn/tinynn.h>
#ifdef EXAMPLES_ONNX
#    include <tinynn/onnx.h>
#endif

static const char about[] =
    "usage: convert [options] FROM TO\n"
    "\n"
    "Writes the net of one file to another. What a file is, its name tells:\n"
    "\n"
    "  NAME.gguf     a model file or checkpoint of libtinynn, which is GGUF\n"
    "  NAME.onnx     an ONNX model, which keeps neither seed nor dropout\n"
    "  NAME.c        C99 and its header NAME.h; to write only\n"
    "\n"
    "  --name NAME   of the C function NAME_predict and all else; made of the\n"
    "                file's name by default\n"
    "  --own-math    C with the library's own exp, tanh and the like, written out:\n"
    "                on machines with a fused multiply-add, the library's bits\n"
    "                (both options are of C only)\n"
    "  --help        print this\n";

typedef struct conversion {
    const char *from;
    const char *to;
    tnn_export_options c;
} conversion;

/* ---- Formats: each a suffix, and how to read and to write it ------------------------------------
 */

typedef struct format {
    const char *suffix;
    tnn_status (*load)(tnn_net **net, const char *path, const tnn_load_options *options);
    tnn_status (*save)(const tnn_net *net, const conversion *c);
} format;

static tnn_status save_model(const tnn_net *net, const conversion *c) {
    return tnn_net_save(net, c->to);
}

static tnn_status save_c(const tnn_net *net, const conversion *c) {
    return tnn_net_export_c(net, c->to, &c->c);
}

#ifdef EXAMPLES_ONNX
static tnn_status load_onnx(tnn_net **net, const char *path, const tnn_load_options *options) {
    return tnn_onnx_load(net, path, options);
}

static tnn_status save_onnx(const tnn_net *net, const conversion *c) {
    return tnn_onnx_save(net, c->to);
}
#else
static tnn_status without_onnx(const char *path) {
    return tnn_error_set(
        TNN_UNSUPPORTED, "%s: this program was built without ONNX, which takes protobuf-c", path);
}

static tnn_status load_onnx(tnn_net **net, const char *path, const tnn_load_options *options) {
    (void)net;
    (void)options;
    return without_onnx(path);
}

static tnn_status save_onnx(const tnn_net *net, const conversion *c) {
    (void)net;
    return without_onnx(c->to);
}
#endif

static const format formats[] = {
    {".gguf", tnn_net_load, save_model},
    {".onnx", load_onnx, save_onnx},
    {".c", NULL, save_c},
};

/* NULL, and a line on stderr, if it is none of them. */
static const format *format_of(const char *path) {
    size_t length = strlen(path);
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        size_t suffix = strlen(formats[f].suffix);
        if (length > suffix && strcmp(path + length - suffix, formats[f].suffix) == 0)
            return &formats[f];
    }
    fprintf(stderr, "convert: %s: expected a name that ends in .gguf, .onnx or .c\n", path);
    return NULL;
}

/* ---- The net, in a line ---------------------------------------------------------------------- */

static void describe(const tnn_net *net, const char *path) {
    printf("%s: %zu", path, tnn_net_inputs(net));
    for (size_t l = 0; l < tnn_net_layer_count(net); l++) {
        tnn_layer layer = tnn_net_layer(net, l);
        printf(" > %zu %s", layer.units, layer.activation.vtable->name);
    }
    printf(", %zu parameters\n", tnn_net_parameter_count(net));
}

/* ---- Command line ---------------------------------------------------------------------------- */

/* Whether to go on; *status is what to leave with otherwise. */
static bool parse(conversion *c, int argc, char **argv, int *status) {
    static const struct option long_options[] = {
        {"name", required_argument, NULL, 'n'},
        {"own-math", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    *status = 2;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'n':
            c->c.name = optarg;
            break;
        case 'o':
            c->c.own_math = true;
            break;
        case 'h':
            fputs(about, stdout);
            *status = 0;
            return false;
        default: /* getopt_long has said what is wrong */
            return false;
        }
    }
    if (argc - optind != 2) {
        fprintf(stderr, "convert: expected two files, FROM and TO; --help tells more\n");
        return false;
    }
    c->from = argv[optind];
    c->to = argv[optind + 1];
    return true;
}

static int convert(const conversion *c) {
    const format *from = format_of(c->from);
    const format *to = from != NULL ? format_of(c->to) : NULL;
    tnn_net *net = NULL;
    if (to == NULL)
        return 2;
    if (from->load == NULL) {
        fprintf(stderr, "convert: %s: C can be written, but not read\n", c->from);
        return 2;
    }
    if (to->save != save_c && (c->c.name != NULL || c->c.own_math)) {
        fprintf(
            stderr, "convert: %s: --%s is of C, expected a name that ends in .c\n", c->to,
            c->c.name != NULL ? "name" : "own-math");
        return 2;
    }
    tnn_status status = from->load(&net, c->from, NULL);
    if (status == TNN_OK)
        status = to->save(net, c);
    if (status == TNN_OK)
        describe(net, c->to);
    else
        fprintf(stderr, "convert: %s\n", tnn_error_message());
    tnn_net_destroy(net);
    return status == TNN_OK ? 0 : 1;
}

/* What could not be printed is a failure too. */
static int finish(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "convert: cannot write to the standard output\n");
    return status != 0 ? status : 1;
}

int main(int argc, char **argv) {
    conversion c = {0};
    int status;
    if (!parse(&c, argc, argv, &status))
        return finish(status);
    return finish(convert(&c));
}
