/*
 * test_export_c.c: the text of generated C and the files that it goes to. What it computes,
 * export/compilers.sh tests.
 */
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#    include <direct.h>
#    define make_folder(path) _mkdir(path)
#    define remove_folder(path) _rmdir(path)
#else
#    include <dirent.h>
#    include <sys/stat.h>
#    include <unistd.h>
#    define make_folder(path) mkdir(path, 0755)
#    define remove_folder(path) rmdir(path)
#endif

#define FOLDER "test_export_c.folder"

/* ---- Text ------------------------------------------------------------------------------------ */

/* What a sink got: text that ends in 0. Call number fail_at, from 1, fails. */
typedef struct page {
    char *text;
    size_t length;
    size_t calls;
    size_t fail_at;
} page;

static tnn_status append(void *context, const void *data, size_t bytes) {
    page *p = context;
    assert_in_range(bytes, 1, 4096);
    if (++p->calls == p->fail_at)
        return TNN_IO_ERROR;
    p->text = realloc(p->text, p->length + bytes + 1);
    assert_non_null(p->text);
    memcpy(p->text + p->length, data, bytes);
    p->length += bytes;
    p->text[p->length] = '\0';
    return TNN_OK;
}

/* Source and header. */
typedef struct pages {
    page source, header;
} pages;

static tnn_status write_pages(pages *p, const tnn_net *net, const tnn_export_options *options) {
    const tnn_sink source = {&p->source, append, "source"};
    const tnn_sink header = {&p->header, append, "header"};
    return tnn_net_export_c_to(net, &source, &header, options);
}

static pages pages_of(const tnn_net *net, const tnn_export_options *options) {
    pages p = {{0}, {0}};
    assert_ok(write_pages(&p, net, options));
    return p;
}

static void free_pages(pages *p) {
    free(p->source.text);
    free(p->header.text);
}

static void assert_contains(const char *text, const char *words) {
    if (strstr(text, words))
        return;
    print_error("this is not in the text: %s\n", words);
    fail();
}

static char *read_text(const char *path) {
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, stream) > 0);
    fclose(stream);
    return text;
}

/* 3-4-2 with scaling, biases in one layer and weights to recognize. */
static tnn_net *new_exported_net(const tnn_net_options *options) {
    const float shift[3] = {1.0f, -2.0f, 0.1f};
    const float scale[3] = {0.5f, 3.0f, 1e-3f};
    const tnn_layer layers[] = {
        {.units = 4, .activation = tnn_tanh()},
        {.units = 2, .activation = tnn_leaky_relu(0.01f), .no_bias = true},
    };
    tnn_net *net = new_net(3, layers, 2, options);
    assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    for (size_t i = 0; i < 12; i++)
        tnn_net_weights(net, 0)[i] = 0.25f * (float)i;
    for (size_t i = 0; i < 8; i++)
        tnn_net_weights(net, 1)[i] = 4.0f + 0.25f * (float)i;
    return net;
}

/* ---- What is written ------------------------------------------------------------------------- */

static void test_export_c_header_declares_function_and_sizes(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    pages p = pages_of(net, &(tnn_export_options){.name = "my_net"});
    assert_contains(
        p.header.text,
        "void my_net_predict(const float x[MY_NET_INPUTS], "
        "float y[MY_NET_OUTPUTS]);\n");
    assert_contains(p.header.text, "#define MY_NET_INPUTS 3\n");
    assert_contains(p.header.text, "#define MY_NET_OUTPUTS 2\n");
    /* 3 x 4 + 4 + 4 x 2 parameters, 2 x 3 of scaling; and 2 units are filled up to 4 */
    assert_contains(p.header.text, "#define MY_NET_CONSTANT_BYTES 152\n");
    /* 4 floats between the layers, 3 scaled inputs, 4 chains of 4 units, their sums, and the rest
     */
    assert_contains(p.header.text, "#define MY_NET_STACK_BYTES 620\n");
    assert_contains(p.source.text, "#include \"my_net.h\"\n");
    free_pages(&p);
    tnn_net_destroy(net);
}

static void test_export_c_constants_are_those_of_the_net(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    pages p = pages_of(net, NULL);
    assert_contains(
        p.source.text,
        "net_weights0[12] = {\n"
        "    0.0f, 0.25f, 0.5f, 0.75f, 1.0f, 1.25f, 1.5f, 1.75f, 2.0f, 2.25f, 2.5f, "
        "2.75f,\n};\n");
    assert_contains(p.source.text, "net_input_shift[3] = {\n    1.0f, -2.0f, 0.1f,\n};\n");
    assert_contains(p.source.text, "net_input_scale[3] = {\n    0.5f, 3.0f, 0.001f,\n};\n");
    assert_contains(
        p.source.text,
        "net_weights1[16] = {\n"
        "    4.0f, 4.25f, 0.0f, 0.0f, 4.5f, 4.75f, 0.0f, 0.0f, 5.0f, 5.25f, 0.0f, 0.0f, "
        "5.5f, 5.75f, 0.0f,\n"
        "    0.0f,\n};\n");
    assert_contains(p.source.text, "net_leaky_relu(z[u], 0.01f)");
    assert_contains(p.source.text, "net_biases0[4]");
    assert_null(strstr(p.source.text, "net_biases1"));
    assert_null(strstr(p.source.text, "output_shift"));
    free_pages(&p);
    tnn_net_destroy(net);
}

static void test_export_c_own_math_decides_whose_functions_are_called(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    pages library = pages_of(net, NULL);
    pages own = pages_of(net, &(tnn_export_options){.own_math = true});
    assert_contains(library.source.text, "tanhf(");
    assert_null(strstr(library.source.text, "net_tanh"));
    assert_null(strstr(own.source.text, "tanhf("));
    assert_contains(own.source.text, "net_tanh(float x)");
    assert_null(strstr(own.source.text, "net_exp("));
    free_pages(&library);
    free_pages(&own);
    tnn_net_destroy(net);
}

/* Is there a product with a sum after it in a line, but for one in a comment? */
static bool has_multiply_add(const char *line, const char *end) {
    const char *product = strstr(line, " * ");
    if (!product || product >= end || strncmp(line, " *", 2) == 0 || strstr(line, "/*") == line)
        return false;
    for (const char *at = product; at < end - 2; at++)
        if (strncmp(at, " + ", 3) == 0 || strncmp(at, " - ", 3) == 0)
            return true;
    return false;
}

static void test_export_c_every_multiply_add_is_fmaf(void **state) {
    (void)state;
    tnn_layer layers[ACTIVATIONS - 1];
    for (size_t i = 0; i < COUNT_OF(layers); i++)
        layers[i] = (tnn_layer){.units = 1 + i, .activation = activation_at(i).library};
    tnn_net *net = new_net(3, layers, COUNT_OF(layers), NULL);
    pages p = pages_of(net, &(tnn_export_options){.own_math = true});
    const char *line = p.source.text;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (has_multiply_add(line, end)) {
            print_error("%.*s\n", (int)(end - line), line);
            fail();
        }
    assert_contains(p.source.text, "fmaf(x[k], w[u], s0[u])");
    free_pages(&p);
    tnn_net_destroy(net);
}

static void test_export_c_is_the_same_in_a_locale_with_commas(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "German"};
    tnn_net *net = new_exported_net(NULL);
    pages expected = pages_of(net, NULL);
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(locales) && !found; i++)
        found = setlocale(LC_ALL, locales[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    pages actual = pages_of(net, NULL);
    setlocale(LC_ALL, "C");
    bool is_same = strcmp(actual.source.text, expected.source.text) == 0;
    free_pages(&expected);
    free_pages(&actual);
    tnn_net_destroy(net);
    assert_true(is_same);
    if (!found)
        skip();
}

static void test_export_c_dropout_is_absent(void **state) {
    (void)state;
    const tnn_layer layers[] = {{.units = 3, .dropout = 0.5f}, {.units = 2}};
    const tnn_layer plain[] = {{.units = 3}, {.units = 2}};
    tnn_net *net = new_net(2, layers, 2, NULL);
    tnn_net *without = new_net(2, plain, 2, NULL);
    pages actual = pages_of(net, NULL);
    pages expected = pages_of(without, NULL);
    assert_string_equal(actual.source.text, expected.source.text);
    free_pages(&expected);
    free_pages(&actual);
    tnn_net_destroy(net);
    tnn_net_destroy(without);
}

/* ---- Samples --------------------------------------------------------------------------------- */

static void test_export_c_samples_are_those_of_the_caller(void **state) {
    (void)state;
    const float x[6] = {0.5f, 1.0f, -1.5f, 0.0f, 2.0f, 1e-10f};
    float y[4];
    char expected[256];
    const tnn_layer layer = {.units = 2};
    tnn_net *net = new_net(3, &layer, 1, NULL);
    tnn_workspace *workspace = new_workspace(net, 2);
    memcpy(tnn_net_weights(net, 0), (float[]){1, 2, 3, 4, 5, 6}, 6 * sizeof(float));
    assert_ok(tnn_predict(net, workspace, 2, x, y));
    assert_true(y[0] == -4.0f);
    pages p = pages_of(net, &(tnn_export_options){.rows = 2, .x = x});
    assert_contains(
        p.source.text,
        "net_sample_x[2][3] = {\n"
        "    {\n    0.5f, 1.0f, -1.5f,\n    },\n"
        "    {\n    0.0f, 2.0f, 1.0e-10f,\n    },\n};\n");
    snprintf(
        expected, sizeof expected, "net_sample_y[2][2] = {\n    {\n    %.1ff, %.1ff,\n", y[0],
        y[1]);
    assert_contains(p.source.text, expected);
    free_pages(&p);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void test_export_c_samples_are_drawn_by_default(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    pages four = pages_of(net, NULL);
    pages again = pages_of(net, &(tnn_export_options){.name = "net", .rows = 4});
    pages seven = pages_of(net, &(tnn_export_options){.rows = 7});
    assert_contains(four.source.text, "net_sample_x[4][3]");
    assert_string_equal(four.source.text, again.source.text);
    assert_contains(seven.source.text, "net_sample_tolerance[7][2]");
    free_pages(&four);
    free_pages(&again);
    free_pages(&seven);
    tnn_net_destroy(net);
}

/* Where a multiply-add is fused, and no function the C library's. */
static void test_export_c_main_demands_bits_that_there_are(void **state) {
    (void)state;
    const tnn_layer relu = {.units = 2, .activation = tnn_relu()};
    const tnn_layer gelu = {.units = 2, .activation = tnn_gelu()};
    const tnn_net_options unfused = {.kernels = "portable"};
    struct {
        const tnn_layer *layer;
        bool own_math, is_exact;
    } cases[] = {
        {&relu, false, true}, {&relu, true, true}, {&gelu, false, false}, {&gelu, true, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int portable = 0; portable < 2; portable++) {
            tnn_net *net = new_net(3, cases[i].layer, 1, portable ? &unfused : NULL);
            pages p = pages_of(net, &(tnn_export_options){.own_math = cases[i].own_math});
            bool is_exact = cases[i].is_exact && kernels_are_fused(tnn_net_kernel_name(net));
            assert_contains(p.source.text, "enum { net_is_exact = 0 };\n");
            assert_true(!strstr(p.source.text, "enum { net_is_exact = 1 };\n") == !is_exact);
            free_pages(&p);
            tnn_net_destroy(net);
        }
}

static void test_export_c_fast_math_is_an_error_in_every_net(void **state) {
    (void)state;
    const tnn_layer layers[] = {{.units = 2}, {.units = 2, .activation = tnn_tanh()}};
    for (size_t i = 0; i < 2 * COUNT_OF(layers); i++) {
        tnn_net *net = new_net(3, &layers[i / 2], 1, NULL);
        pages p = pages_of(net, &(tnn_export_options){.own_math = i % 2 == 0});
        assert_contains(p.source.text, "#ifdef __FAST_MATH__\n#    error ");
        free_pages(&p);
        tnn_net_destroy(net);
    }
}

/* ---- Names and files ------------------------------------------------------------------------- */

static void assert_exports_as(const tnn_net *net, const char *path, const char *name) {
    char header[300], declaration[300];
    assert_ok(tnn_net_export_c(net, path, NULL));
    snprintf(header, sizeof header, "%.*sh", (int)strlen(path) - 1, path);
    snprintf(declaration, sizeof declaration, "void %s_predict(const float x[", name);
    char *text = read_text(header);
    assert_non_null(text);
    assert_contains(text, declaration);
    free(text);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(header), 0);
}

static void test_export_c_name_is_made_of_the_files(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    assert_exports_as(net, "test_export_c_1.c", "test_export_c_1");
    assert_exports_as(net, FOLDER "/My-net 2.0.c", "My_net_2_0");
    assert_exports_as(net, FOLDER "/7 segments.c", "net_7_segments");
    assert_exports_as(net, FOLDER "/__x.c", "net_x");
    assert_exports_as(net, FOLDER "/\xc3\xa9.c", "net");
    assert_exports_as(net, FOLDER "/a_.c", "a");
    assert_exports_as(net, FOLDER "/b (2).c", "b_2");
    assert_exports_as(net, FOLDER "/fp-fast.c", "net_fp_fast");
    assert_exports_as(net, FOLDER "/Fp_fasT_.c", "net_Fp_fasT");
    assert_exports_as(net, FOLDER "/fp_faster.c", "fp_faster");
    assert_exports_as(net, FOLDER "/fp.c", "fp");
    assert_exports_as(
        net, FOLDER "/a123456789b123456789c123456789d123456789e123456789f123456789g1_x.c",
        "a123456789b123456789c123456789d123456789e123456789f123456789g1");
    assert_exports_as(
        net, FOLDER "/a123456789b123456789c123456789d123456789e123456789f123456789g123456789.c",
        "a123456789b123456789c123456789d123456789e123456789f123456789g12");
    tnn_net_destroy(net);
}

static void test_export_c_files_hold_what_sinks_get(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    const tnn_export_options options = {.own_math = true};
    pages p = pages_of(net, &options);
    assert_ok(tnn_net_export_c(net, FOLDER "/net.c", &options));
    char *source = read_text(FOLDER "/net.c");
    char *header = read_text(FOLDER "/net.h");
    assert_string_equal(source, p.source.text);
    assert_string_equal(header, p.header.text);
    free(source);
    free(header);
    free_pages(&p);
    remove(FOLDER "/net.c");
    remove(FOLDER "/net.h");
    tnn_net_destroy(net);
}

/* ---- What fails ------------------------------------------------------------------------------ */

static void assert_refuses(
    const tnn_net *net, const tnn_export_options *options, tnn_status status, const char *words) {
    pages p = {{0}, {0}};
    assert_status(write_pages(&p, net, options), status);
    assert_contains(tnn_error_message(), words);
    assert_null(p.source.text);
    assert_null(p.header.text);
    assert_status(tnn_net_export_c(net, FOLDER "/net.c", options), status);
    assert_contains(tnn_error_message(), "tnn_net_export_c: ");
    assert_null(read_text(FOLDER "/net.c"));
    assert_null(read_text(FOLDER "/net.h"));
}

static void test_export_c_refuses_names_that_are_none(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "7",
        "_net",
        "my net",
        "a-b",
        "a_",
        "a__b",
        "fp_fast",
        "FP_Fast",
        "\xc3\xa9",
        "a123456789b123456789c123456789d123456789e123456789f123456789g123"};
    tnn_net *net = new_exported_net(NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_refuses(
            net, &(tnn_export_options){.name = names[i]}, TNN_INVALID_ARGUMENT,
            "options->name is \"");
    tnn_net_destroy(net);
}

static void test_export_c_refuses_samples_that_are_not_finite(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    float x[6] = {0, 0, 0, 0, INFINITY, 0};
    assert_refuses(
        net, &(tnn_export_options){.rows = 2, .x = x}, TNN_INVALID_ARGUMENT,
        "options->x is inf in row 1, column 1");
    assert_refuses(
        net, &(tnn_export_options){.x = x}, TNN_INVALID_ARGUMENT,
        "options->rows is 0 and options->x is not NULL");
    tnn_net_destroy(net);
}

static void test_export_c_output_that_is_not_finite_is_told(void **state) {
    (void)state;
    const tnn_layer layer = {.units = 2};
    const float x[2] = {1.0f, 1e38f};
    tnn_net *net = new_net(1, &layer, 1, NULL);
    tnn_net_weights(net, 0)[1] = 10.0f;
    assert_refuses(
        net, &(tnn_export_options){.rows = 2, .x = x}, TNN_NOT_FINITE,
        "output 1 of sample row 1 is inf");
    tnn_net_destroy(net);
}

static void test_export_c_parameter_that_is_not_finite_is_told(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    tnn_net_weights(net, 1)[5] = INFINITY;
    assert_refuses(net, NULL, TNN_NOT_FINITE, "the weight of input 2 and unit 1 of layer 1 is inf");
    tnn_net_weights(net, 1)[5] = 0.0f;
    tnn_net_biases(net, 0)[3] = -INFINITY;
    assert_refuses(net, NULL, TNN_NOT_FINITE, "the bias of unit 3 of layer 0 is -inf");
    tnn_net_destroy(net);
}

static void test_export_c_refuses_custom_activations_by_name(void **state) {
    (void)state;
    bend_context context = {1.0f, 0.0f};
    const tnn_layer layers[] = {{.units = 2}, {.units = 1, .activation = bend(0.0f, &context)}};
    tnn_net *net = new_net(2, layers, 2, NULL);
    assert_refuses(
        net, NULL, TNN_UNSUPPORTED,
        "layer 1 has the activation \"bend\", which is not the library's own");
    tnn_net_destroy(net);
}

static void test_export_c_refuses_paths_that_are_no_c_files(void **state) {
    (void)state;
    static const char *const paths[] = {
        "",
        "c",
        ".c",
        "net",
        "net.h",
        "net.cpp",
        "folder.c/net",
        "folder/.c",
        "a\"b.c",
        "a\nb.c",
        "a?"
        "?/b/?"
        "?.c"};
    tnn_net *net = new_exported_net(NULL);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_status(tnn_net_export_c(net, paths[i], NULL), TNN_INVALID_ARGUMENT);
        assert_contains(tnn_error_message(), "expected a name that ends in .c");
    }
    tnn_net_destroy(net);
}

static void test_export_c_refuses_null(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    page p = {0};
    const tnn_sink sink = {&p, append, NULL};
    const tnn_sink none = {0};
    assert_status(tnn_net_export_c(NULL, "net.c", NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_export_c: net is NULL");
    assert_status(tnn_net_export_c(net, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_export_c: path is NULL");
    assert_status(tnn_net_export_c_to(NULL, &sink, &sink, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_export_c_to(net, NULL, &sink, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_export_c_to(net, &none, &sink, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_export_c_to: source->write is NULL");
    assert_status(tnn_net_export_c_to(net, &sink, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_export_c_to(net, &sink, &none, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_export_c_to: header->write is NULL");
    assert_null(p.text);
    tnn_net_destroy(net);
}

static void test_export_c_write_that_fails_is_told_wherever_it_does(void **state) {
    (void)state;
    tnn_net *net = new_exported_net(NULL);
    pages whole = pages_of(net, NULL);
    assert_true(whole.source.calls > 1);
    for (size_t i = 1; i <= whole.source.calls + whole.header.calls; i++) {
        bool in_source = i <= whole.source.calls;
        pages p = {{0}, {0}};
        *(in_source ? &p.source.fail_at : &p.header.fail_at) =
            in_source ? i : i - whole.source.calls;
        assert_status(write_pages(&p, net, NULL), TNN_IO_ERROR);
        assert_contains(tnn_error_message(), in_source ? "source: write" : "header: write");
        /* Nothing is written after a failure. */
        assert_int_equal(p.source.calls + p.header.calls, i);
        free_pages(&p);
    }
    free_pages(&whole);
    tnn_net_destroy(net);
}

#ifndef _WIN32
static size_t count_files(void) {
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

/* A folder in the place of one of the two files. */
static void test_export_c_neither_file_is_written_if_one_cannot_be(void **state) {
    (void)state;
    static const char *const paths[] = {FOLDER "/net.c", FOLDER "/net.h"};
    tnn_net *net = new_exported_net(NULL);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(make_folder(paths[i]), 0);
        assert_status(tnn_net_export_c(net, FOLDER "/net.c", NULL), TNN_IO_ERROR);
        assert_contains(tnn_error_message(), "tnn_net_export_c: ");
        assert_int_equal(count_files(), 1);
        assert_int_equal(remove_folder(paths[i]), 0);
    }
    assert_status(tnn_net_export_c(net, FOLDER "/none/net.c", NULL), TNN_IO_ERROR);
    assert_int_equal(count_files(), 0);
    tnn_net_destroy(net);
}
#endif

static void test_export_c_fails_clean_without_memory(void **state) {
    (void)state;
    test_allocator memory;
    const tnn_net_options options = {.allocator = init_test_allocator(&memory)};
    tnn_net *net = new_exported_net(&options);
    size_t live = memory.live;
    size_t before = memory.calls;
    assert_ok(tnn_net_export_c(net, FOLDER "/net.c", NULL));
    size_t count = memory.calls - before;
    assert_in_range(count, 4, 10); /* the header's path, samples, two temporary names */
    remove(FOLDER "/net.c");
    remove(FOLDER "/net.h");
    for (size_t i = 1; i <= count; i++) {
        memory.fail_at = memory.calls + i;
        assert_status(tnn_net_export_c(net, FOLDER "/net.c", NULL), TNN_OUT_OF_MEMORY);
        assert_contains(tnn_error_message(), "tnn_net_export_c: ");
        assert_null(read_text(FOLDER "/net.c"));
        assert_null(read_text(FOLDER "/net.h"));
        assert_int_equal(memory.live, live);
    }
    memory.fail_at = 0;
    assert_status(
        tnn_net_export_c(net, FOLDER "/net.c", &(tnn_export_options){.rows = SIZE_MAX / 8}),
        TNN_OUT_OF_MEMORY);
    assert_int_equal(memory.live, live);
    tnn_net_destroy(net);
}

static int set_up(void **state) {
    (void)state;
    make_folder(FOLDER);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    return remove_folder(FOLDER); /* which is empty then */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_c_header_declares_function_and_sizes),
        cmocka_unit_test(test_export_c_constants_are_those_of_the_net),
        cmocka_unit_test(test_export_c_own_math_decides_whose_functions_are_called),
        cmocka_unit_test(test_export_c_every_multiply_add_is_fmaf),
        cmocka_unit_test(test_export_c_is_the_same_in_a_locale_with_commas),
        cmocka_unit_test(test_export_c_dropout_is_absent),
        cmocka_unit_test(test_export_c_samples_are_those_of_the_caller),
        cmocka_unit_test(test_export_c_samples_are_drawn_by_default),
        cmocka_unit_test(test_export_c_main_demands_bits_that_there_are),
        cmocka_unit_test(test_export_c_fast_math_is_an_error_in_every_net),
        cmocka_unit_test(test_export_c_name_is_made_of_the_files),
        cmocka_unit_test(test_export_c_files_hold_what_sinks_get),
        cmocka_unit_test(test_export_c_refuses_names_that_are_none),
        cmocka_unit_test(test_export_c_refuses_samples_that_are_not_finite),
        cmocka_unit_test(test_export_c_output_that_is_not_finite_is_told),
        cmocka_unit_test(test_export_c_parameter_that_is_not_finite_is_told),
        cmocka_unit_test(test_export_c_refuses_custom_activations_by_name),
        cmocka_unit_test(test_export_c_refuses_paths_that_are_no_c_files),
        cmocka_unit_test(test_export_c_refuses_null),
        cmocka_unit_test(test_export_c_write_that_fails_is_told_wherever_it_does),
#ifndef _WIN32
        cmocka_unit_test(test_export_c_neither_file_is_written_if_one_cannot_be),
#endif
        cmocka_unit_test(test_export_c_fails_clean_without_memory),
    };
    return cmocka_run_group_tests_name("export_c", tests, set_up, tear_down);
}
