/*
 * test_onnx_testdata FOLDER LIST: every model of ONNX's own test data (Debian: libonnx-testdata).
 * Those that LIST names load and give the stored outputs; all others are refused with the node,
 * its operator and a reason. What has its weights as inputs is read with the stored inputs in their
 * place.
 */
#include "support/onnx_models.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PATH = 1024 };

static const char *folder;
static const char *list_path;

typedef struct test_case {
    char name[256]; /* "node/test_relu" */
    onnx_file model;
    TnniOnnx__ModelProto *proto;
} test_case;

static onnx_file read_data(const test_case *test, size_t set, const char *what, size_t index) {
    char path[MOST_PATH];
    snprintf(
        path, sizeof path, "%s/%s/test_data_set_%zu/%s_%zu.pb", folder, test->name, set, what,
        index);
    return read_onnx_file(path);
}

static bool is_initializer(const TnniOnnx__GraphProto *graph, const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (strcmp(graph->initializer[i]->name, name) == 0)
            return true;
    return false;
}

/* The model with its inputs but the first as initializers. */
static onnx_file with_inputs_stored(const test_case *test, size_t set) {
    const TnniOnnx__GraphProto *graph = test->proto->graph;
    onnx_file model = {0};
    onnx_file more = {0};
    size_t index = 0;
    append_bytes(&model, test->model.bytes, test->model.count);
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = graph->input[i]->name;
        if (is_initializer(graph, name) || index++ == 0)
            continue;
        onnx_file tensor = read_data(test, set, "input", index - 1);
        if (tensor.bytes) {
            append_field(&tensor, 8, name, strlen(name));
            append_field(&more, 5, tensor.bytes, tensor.count);
        }
        free_onnx_file(&tensor);
    }
    append_to_graph(&model, &more);
    free_onnx_file(&more);
    return model;
}

/* ---- What loads ------------------------------------------------------------------------------ */

static void transpose(float *values, const size_t dims[2]) {
    float *copy = malloc(dims[0] * dims[1] * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, values, dims[0] * dims[1] * sizeof *copy);
    for (size_t i = 0; i < dims[0]; i++)
        for (size_t j = 0; j < dims[1]; j++)
            values[j * dims[0] + i] = copy[i * dims[1] + j];
    free(copy);
}

/* Where the first product takes its input transposed, a row of the net is a column of the model. */
static bool is_transposed(const test_case *test) {
    const TnniOnnx__NodeProto *node = test->proto->graph->node[0];
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, "transA") == 0 && node->attribute[i]->i != 0)
            return true;
    return false;
}

/* One model in double has inputs that no float comes near: 1e219. */
static bool is_float_row(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static void compare_set(
    const test_case *test, size_t set, const onnx_file *input, const onnx_file *output) {
    tnn_net *net = NULL;
    size_t count;
    size_t output_count;
    size_t dims[2];
    size_t output_dims[2];
    onnx_file model = with_inputs_stored(test, set);
    assert_ok(tnn_onnx_load_from_memory(&net, model.bytes, model.count, NULL));
    float *x = read_onnx_tensor(input, &count, dims);
    float *expected = read_onnx_tensor(output, &output_count, output_dims);
    size_t rows = count / tnn_net_inputs(net);
    assert_int_equal(rows * tnn_net_inputs(net), count);
    assert_int_equal(rows * tnn_net_outputs(net), output_count);
    if (is_transposed(test))
        transpose(x, dims);
    for (size_t r = 0; r < rows; r++)
        if (is_float_row(x + r * tnn_net_inputs(net), tnn_net_inputs(net)))
            assert_onnx_outputs(
                test->name, net, 1, x + r * tnn_net_inputs(net),
                expected + r * tnn_net_outputs(net));
        else
            print_message("%s: row %zu is beyond float\n", test->name, r);
    free(x);
    free(expected);
    free_onnx_file(&model);
    tnn_net_destroy(net);
}

static void assert_gives_stored_outputs(const test_case *test) {
    size_t sets = 0;
    for (bool more = true; more; sets += more) {
        onnx_file input = read_data(test, sets, "input", 0);
        onnx_file output = read_data(test, sets, "output", 0);
        more = input.bytes && output.bytes;
        if (more)
            compare_set(test, sets, &input, &output);
        free_onnx_file(&input);
        free_onnx_file(&output);
    }
    assert_true(sets > 0);
}

/* ---- What does not --------------------------------------------------------------------------- */

/* "(Conv)" or so, of a node of the graph, which the message has to name. */
static bool names_an_operator(const TnniOnnx__GraphProto *graph, const char *message) {
    for (size_t i = 0; i < graph->n_node; i++) {
        char operator_name[200];
        snprintf(operator_name, sizeof operator_name, "(%s): ", graph->node[i]->op_type);
        const char *found = strstr(message, operator_name);
        if (found && strstr(message, "node ") && strlen(found) > strlen(operator_name) + 4)
            return true;
    }
    return false;
}

static void assert_refuses_with_a_reason(const test_case *test, const onnx_file *model) {
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    tnn_status status = tnn_onnx_load_from_memory(&net, model->bytes, model->count, NULL);
    if (status == TNN_OK)
        fail_msg("%s loads, but is not in the list", test->name);
    assert_null(net);
    assert_int_equal(status, TNN_UNSUPPORTED);
    const char *message = tnn_error_message();
    bool is_of_input = strstr(message, "the model has no tensor as its input") ||
        strstr(message, "the input is of ");
    if (!is_of_input && !names_an_operator(test->proto->graph, message))
        fail_msg("%s: %s", test->name, message);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static bool is_listed(const char *name) {
    char line[300];
    bool found = false;
    FILE *list = fopen(list_path, "r");
    assert_non_null(list);
    while (!found && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\r\n")] = '\0';
        found = strcmp(line, name) == 0;
    }
    fclose(list);
    return found;
}

/* Both forms of what is not listed are refused. */
static bool check_case(test_case *test) {
    test->proto = tnni_onnx__model_proto__unpack(NULL, test->model.count, test->model.bytes);
    assert_non_null(test->proto);
    bool loads = is_listed(test->name);
    if (loads)
        assert_gives_stored_outputs(test);
    else {
        onnx_file stored = with_inputs_stored(test, 0);
        assert_refuses_with_a_reason(test, &test->model);
        assert_refuses_with_a_reason(test, &stored);
        free_onnx_file(&stored);
    }
    tnni_onnx__model_proto__free_unpacked(test->proto, NULL);
    return loads;
}

static void test_onnx_testdata_gives_outputs_or_is_refused(void **state) {
    static const char *const groups[] = {
        "node", "pytorch-converted", "pytorch-operator", "real", "simple"};
    size_t loaded = 0;
    size_t refused = 0;
    (void)state;
    for (size_t g = 0; g < COUNT_OF(groups); g++) {
        char path[MOST_PATH];
        snprintf(path, sizeof path, "%s/%s", folder, groups[g]);
        DIR *group = opendir(path);
        assert_non_null(group);
        for (struct dirent *entry; (entry = readdir(group));) {
            test_case test;
            snprintf(test.name, sizeof test.name, "%s/%.200s", groups[g], entry->d_name);
            snprintf(path, sizeof path, "%s/%s/model.onnx", folder, test.name);
            test.model = read_onnx_file(path);
            if (!test.model.bytes)
                continue;
            if (check_case(&test))
                loaded++;
            else
                refused++;
            free_onnx_file(&test.model);
        }
        closedir(group);
    }
    print_message("%zu models load, %zu are refused\n", loaded, refused);
    assert_true(loaded > 100 && refused > 900);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onnx_testdata_gives_outputs_or_is_refused),
    };
    if (argc != 3)
        return 2;
    folder = argv[1];
    list_path = argv[2];
    DIR *data = opendir(folder);
    if (!data) {
        printf("no %s here (Debian: libonnx-testdata)\n", folder);
        return 77;
    }
    closedir(data);
    return cmocka_run_group_tests_name("onnx_testdata", tests, NULL, NULL);
}
