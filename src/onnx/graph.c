#include "onnx/graph.h"

#include "support/source.h"
#include "support/status.h"

#include <string.h>

/* ---- Values, sorted by name ------------------------------------------------------------------ */

/* An initializer that is an input as well comes before it. */
static int compare(const tnni_onnx_value *a, const tnni_onnx_value *b) {
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->kind == TNNI_ONNX_INPUT) - (b->kind == TNNI_ONNX_INPUT);
}

/* Lets the value at root sink to its place in a heap of count. */
static void sink(tnni_onnx_value *values, size_t root, size_t count) {
    tnni_onnx_value value = values[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(&values[child], &values[child + 1]) < 0)
            child++;
        if (compare(&values[child], &value) <= 0)
            break;
        values[root] = values[child];
    }
    values[root] = value;
}

/* By a heap: no file makes it slow, and it needs no memory. */
static void sort(tnni_onnx_value *values, size_t count) {
    for (size_t root = count / 2; root-- > 0;)
        sink(values, root, count);
    for (size_t last = count; last-- > 1;) {
        tnni_onnx_value largest = values[0];
        values[0] = values[last];
        values[last] = largest;
        sink(values, 0, last);
    }
}

tnni_onnx_value *tnni_onnx_find_value(const tnni_onnx_graph *graph, const char *name) {
    tnni_onnx_value *first = graph->values;
    size_t count = graph->value_count;
    while (count > 0) {
        tnni_onnx_value *middle = first + count / 2;
        int order = strcmp(middle->name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            first = middle + 1;
        count = order < 0 ? count - count / 2 - 1 : count / 2;
    }
    return NULL;
}

static size_t count_names(const TnniOnnx__GraphProto *proto) {
    size_t count = proto->n_initializer + proto->n_sparse_initializer + proto->n_input;
    for (size_t i = 0; i < proto->n_node; i++)
        count += proto->node[i]->n_output;
    return count;
}

static void add(
    tnni_onnx_graph *graph, const char *name, tnni_onnx_kind kind, size_t definer,
    const TnniOnnx__TensorProto *initializer) {
    if (!name || !*name) /* an output that nobody wants */
        return;
    graph->values[graph->value_count++] = (tnni_onnx_value){
        .name = name, .kind = kind, .definer = definer, .initializer = initializer};
}

static void add_all(tnni_onnx_graph *graph) {
    const TnniOnnx__GraphProto *proto = graph->proto;
    for (size_t i = 0; i < proto->n_initializer; i++)
        add(graph, proto->initializer[i]->name, TNNI_ONNX_INITIALIZER, SIZE_MAX,
            proto->initializer[i]);
    for (size_t i = 0; i < proto->n_sparse_initializer; i++) {
        const TnniOnnx__TensorProto *values = proto->sparse_initializer[i]->values;
        add(graph, values ? values->name : NULL, TNNI_ONNX_SPARSE, SIZE_MAX, NULL);
    }
    for (size_t i = 0; i < proto->n_input; i++)
        add(graph, proto->input[i]->name, TNNI_ONNX_INPUT, SIZE_MAX, NULL);
    for (size_t i = 0; i < proto->n_node; i++)
        for (size_t o = 0; o < proto->node[i]->n_output; o++)
            add(graph, proto->node[i]->output[o], TNNI_ONNX_UNKNOWN, i, NULL);
}

/* An input that has an initializer is that one; any other name that comes twice is an error. */
static tnn_status remove_doubles(tnni_onnx_graph *graph) {
    size_t kept = 0;
    for (size_t i = 0; i < graph->value_count; i++) {
        const tnni_onnx_value *value = &graph->values[i];
        bool is_double = kept > 0 && strcmp(graph->values[kept - 1].name, value->name) == 0;
        if (!is_double) {
            graph->values[kept++] = *value;
            continue;
        }
        tnni_onnx_kind first = graph->values[kept - 1].kind;
        if (value->kind != TNNI_ONNX_INPUT ||
            (first != TNNI_ONNX_INITIALIZER && first != TNNI_ONNX_SPARSE))
            return tnni_fail(
                TNN_BAD_FORMAT, "%s: two values of the name \"%s\"", graph->where,
                tnni_excerpt_of(value->name, strlen(value->name)).text);
    }
    graph->value_count = kept;
    return TNN_OK;
}

static tnn_status index_values(tnni_onnx_graph *graph) {
    size_t count = count_names(graph->proto);
    graph->values = tnni_onnx_take(graph->memory, count, sizeof *graph->values);
    if (!graph->values)
        return tnni_onnx_no_memory(graph->memory, graph->where);
    add_all(graph);
    sort(graph->values, graph->value_count);
    return remove_doubles(graph);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

/* The net's input is the first that is no constant. */
static void find_input(tnni_onnx_graph *graph) {
    const TnniOnnx__GraphProto *proto = graph->proto;
    for (size_t i = 0; i < proto->n_input && !graph->input; i++) {
        const char *name = proto->input[i]->name;
        tnni_onnx_value *value = name ? tnni_onnx_find_value(graph, name) : NULL;
        if (!value || value->kind != TNNI_ONNX_INPUT)
            continue;
        graph->input = value;
        graph->input_info = proto->input[i];
        value->kind = TNNI_ONNX_VALUE;
    }
}

static tnn_status refuse_outputs(const tnni_onnx_graph *graph) {
    const TnniOnnx__GraphProto *proto = graph->proto;
    const char *name = proto->output[1]->name ? proto->output[1]->name : "";
    const tnni_onnx_value *second = tnni_onnx_find_value(graph, name);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s: a second output, \"%s\", of %zu, a net has one", graph->where,
        tnni_onnx_name_node(proto, second ? second->definer : SIZE_MAX).text,
        tnni_excerpt_of(name, strlen(name)).text, proto->n_output);
}

static tnn_status find_output(tnni_onnx_graph *graph) {
    const TnniOnnx__GraphProto *proto = graph->proto;
    if (proto->n_output == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: a graph without outputs", graph->where);
    if (proto->n_output > 1)
        return refuse_outputs(graph);
    const char *name = proto->output[0]->name ? proto->output[0]->name : "";
    graph->output = tnni_onnx_find_value(graph, name);
    if (!graph->output)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: nothing computes the output \"%s\"", graph->where,
            tnni_excerpt_of(name, strlen(name)).text);
    graph->output->uses = 1;
    return TNN_OK;
}

bool tnni_onnx_is_needed(const tnni_onnx_graph *graph, const TnniOnnx__NodeProto *node) {
    for (size_t o = 0; o < node->n_output; o++) {
        const tnni_onnx_value *value = tnni_onnx_find_value(graph, node->output[o]);
        if (value && value->uses > 0)
            return true;
    }
    return false;
}

/* A node uses values that are there before it. */
static tnn_status use_inputs(tnni_onnx_graph *graph, size_t index) {
    const TnniOnnx__NodeProto *node = graph->proto->node[index];
    for (size_t i = 0; i < node->n_input; i++) {
        if (!*node->input[i])
            continue;
        tnni_onnx_value *value = tnni_onnx_find_value(graph, node->input[i]);
        if (!value || (value->definer != SIZE_MAX && value->definer >= index))
            return tnni_fail(
                TNN_BAD_FORMAT, "%s: %s: its input \"%s\" %s", graph->where,
                tnni_onnx_name_node(graph->proto, index).text,
                tnni_excerpt_of(node->input[i], strlen(node->input[i])).text,
                value ? "is computed behind it" : "comes from nowhere");
        value->uses++;
    }
    return TNN_OK;
}

tnn_status tnni_onnx_graph_open(tnni_onnx_graph *graph) {
    tnn_status status = index_values(graph);
    if (status == TNN_OK)
        status = find_output(graph);
    if (status != TNN_OK)
        return status;
    find_input(graph);
    for (size_t i = graph->proto->n_node; i-- > 0 && status == TNN_OK;)
        if (tnni_onnx_is_needed(graph, graph->proto->node[i]))
            status = use_inputs(graph, i);
    return status;
}
