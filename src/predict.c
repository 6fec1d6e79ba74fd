/* Inference: a const net and a workspace for each thread. */
#include "net.h"

#include "support/memory.h"
#include "support/status.h"

/* Rows that go through all layers together: enough to reuse the weights, few enough to stay in the
 * cache. */
enum { BLOCK_ROWS = 64 };

struct tnn_workspace {
    const tnn_allocator *allocator;
    uint64_t shape; /* of the nets that it serves */
    size_t width;   /* their widest layer */
    size_t max_rows;
    size_t bytes; /* of the whole block */
    /* [block rows, width] each: a layer reads one and writes the other. The second one also has
     * room for scaled inputs, since the net may get a scaling after the workspace is made. */
    float *pages[2];
    float *panel; /* what products copy */
};

static size_t block_rows(size_t rows) {
    return rows < BLOCK_ROWS ? rows : BLOCK_ROWS;
}

/* The arrays of a workspace, which stands before them in the same block. */
static void lay_out_workspace(
    tnni_arena *arena, const tnn_net *net, size_t rows, tnn_workspace *workspace) {
    tnni_arena_take(arena, 1, sizeof *workspace);
    size_t inputs = tnni_inputs(net);
    size_t second = inputs > net->widest ? inputs : net->widest;
    workspace->pages[0] = tnni_arena_take(arena, block_rows(rows), net->widest * sizeof(float));
    workspace->pages[1] = tnni_arena_take(arena, block_rows(rows), second * sizeof(float));
    workspace->panel = tnni_arena_take(arena, tnni_forward_panel(net), sizeof(float));
}

tnn_status tnn_workspace_create(tnn_workspace **workspace, const tnn_net *net, size_t max_rows) {
    const char *caller = "tnn_workspace_create";
    if (!workspace)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: workspace is NULL", caller);
    *workspace = NULL;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    if (max_rows == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: max_rows is 0, expected at least 1", caller);
    tnn_workspace laid_out = {
        .allocator = net->allocator,
        .shape = net->shape,
        .width = net->widest,
        .max_rows = max_rows,
    };
    tnni_arena arena = {0};
    lay_out_workspace(&arena, net, max_rows, &laid_out);
    laid_out.bytes = arena.used;
    tnn_workspace *made = arena.overflow ? NULL : tnni_allocate(net->allocator, arena.used);
    if (!made)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for %zu rows of %zu units", caller, max_rows,
            net->widest);
    arena = (tnni_arena){.base = (char *)made};
    lay_out_workspace(&arena, net, max_rows, &laid_out);
    *made = laid_out;
    *workspace = made;
    return TNN_OK;
}

void tnn_workspace_destroy(tnn_workspace *workspace) {
    if (workspace)
        tnni_release(workspace->allocator, workspace, workspace->bytes);
}

/* The pages in turn. What z the library's own activations read, they read before they write there.
 */
static void predict_row(
    const tnn_net *net, const tnn_workspace *workspace, const float *x, float *y) {
    size_t last = net->layer_count - 1;
    for (size_t l = 0; l <= last; l++) {
        const tnni_row *row = &net->layers[l].row;
        float *a = l == last ? y : workspace->pages[l % 2];
        row->run(row, x, a, a);
        x = a;
    }
}

/*
 * A layer reads x and writes z into the page that x does not lie in. If its activation reads z
 * while it writes a, a goes into the other page, over an x that is no longer needed.
 */
static void predict_block(
    const tnn_net *net, const tnn_workspace *workspace, size_t rows, const float *x, float *y) {
    float *const *pages = workspace->pages;
    if (rows == 1 && net->is_built_in) {
        predict_row(net, workspace, x, y);
        return;
    }
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        bool last = l + 1 == net->layer_count;
        float *free_page = x == pages[0] ? pages[1] : pages[0];
        float *a = last ? y : free_page;
        float *z = a;
        if (layer->activation.vtable->needs_input) {
            z = free_page;
            a = last ? y : pages[free_page == pages[0]];
        }
        tnni_layer_forward(
            net, layer, rows, (tnni_range){0, layer->units}, x, z, a, workspace->panel);
        x = a;
    }
}

/* The same between scalings. The first layer writes into pages[0], then. */
static void predict_scaled_block(
    const tnn_net *net, const tnn_workspace *workspace, size_t rows, const float *x, float *y) {
    if (net->input_scaling) {
        tnni_scale(net, net->input_scaling, rows, tnni_inputs(net), x, workspace->pages[1]);
        x = workspace->pages[1];
    }
    predict_block(net, workspace, rows, x, y);
    if (net->output_scaling)
        tnni_unscale(net, net->output_scaling, rows, tnni_outputs(net), y, y);
}

static tnn_status check_predict(
    const tnn_net *net, const tnn_workspace *workspace, size_t rows, const float *x,
    const float *y) {
    const char *caller = "tnn_predict";
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    if (!workspace)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: workspace is NULL", caller);
    if (workspace->shape != net->shape || workspace->width != net->widest)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: workspace was made for a net of other sizes", caller);
    if (rows > workspace->max_rows)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: rows is %zu, but the workspace's max_rows is %zu", caller,
            rows, workspace->max_rows);
    if (!y)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: y is NULL", caller);
    return tnni_check_rows(caller, net, rows, x, y);
}

tnn_status tnn_predict(
    const tnn_net *net, tnn_workspace *workspace, size_t rows, const float *x, float *y) {
    tnn_status status = check_predict(net, workspace, rows, x, y);
    if (status != TNN_OK)
        return status;
    if (rows == 1 && net->is_built_in && !tnni_is_scaled(net)) {
        predict_row(net, workspace, x, y);
        return TNN_OK;
    }
    while (rows > 0) {
        size_t count = block_rows(rows);
        if (tnni_is_scaled(net))
            predict_scaled_block(net, workspace, count, x, y);
        else
            predict_block(net, workspace, count, x, y);
        x += count * tnni_inputs(net);
        y += count * tnni_outputs(net);
        rows -= count;
    }
    return TNN_OK;
}
