/*
 * A pass through the net as stages, and how threads share them out.
 *
 * With L layers, stage s is
 *
 *     s < L         forward of layer s                          forward.c
 *     s = L         the loss, and delta of the last layer       backward.c
 *     L < s < 2 L   delta of layer 2 L - 1 - s
 *     s = 2 L       dL/dx
 *
 * An input scaling comes before stage 0. A stage is divided by rows or by units. By rows, a task
 * goes on to the next stage and waits for nobody. By units, it needs what all tasks made of the
 * stage before, so each such stage is a loop of its own; but then a task reads its own part of the
 * weights only, in forward the one that it also steps with. So units are shared out where the
 * weights are more than the outputs.
 */
#include "net.h"

/* Units are shared out in whole vectors of any width. */
enum { UNIT_BLOCK = 16 };

static tnni_range whole(size_t length) {
    return (tnni_range){0, length};
}

static tnni_range share_units(size_t units, size_t index, size_t tasks) {
    tnni_range blocks = tnni_share((units + UNIT_BLOCK - 1) / UNIT_BLOCK, index, tasks);
    size_t begin = blocks.begin * UNIT_BLOCK;
    size_t end = blocks.end * UNIT_BLOCK;
    return (tnni_range){begin < units ? begin : units, end < units ? end : units};
}

/*
 * Does it pay to share out the units of a layer, each of which has weights for so many inputs or,
 * on the way back, outputs? An activation that needs its whole row, or may, keeps them together; so
 * does dropout.
 */
static bool splits_units(
    const tnn_net *net, const tnni_layer *layer, size_t weights, size_t rows, size_t tasks) {
    bool is_elementwise = layer->kind < TNNI_ACTIVATION_KINDS && layer->kind != TNNI_SOFTMAX;
    return tasks > 1 && is_elementwise && layer->dropout == 0.0f && rows < weights &&
        layer->units / tasks >= net->least_units;
}

void tnni_share_weights(
    const tnn_net *net, const tnni_layer *layer, size_t rows, size_t index, size_t tasks,
    tnni_range *inputs, tnni_range *units) {
    bool by_units = splits_units(net, layer, layer->inputs, rows, tasks);
    *inputs = by_units ? whole(layer->inputs) : tnni_share(layer->inputs, index, tasks);
    *units = by_units ? share_units(layer->units, index, tasks) : whole(layer->units);
}

/* ---- Stages ---------------------------------------------------------------------------------- */

/* The layer whose z or delta a stage computes; NULL if it is not one of these. */
static const tnni_layer *layer_of(const tnn_net *net, size_t stage) {
    size_t count = net->layer_count;
    if (stage < count)
        return &net->layers[stage];
    return stage > count && stage < 2 * count ? &net->layers[2 * count - 1 - stage] : NULL;
}

static bool stage_splits_units(const tnni_pass *pass, size_t stage, size_t tasks) {
    const tnn_net *net = pass->net;
    const tnni_layer *layer = layer_of(net, stage);
    if (!layer)
        return false;
    size_t weights = stage < net->layer_count ? layer->inputs : layer[1].units;
    return splits_units(net, layer, weights, pass->rows, tasks);
}

static void run_stage(const tnni_pass *pass, size_t stage, tnni_part part, float *panel) {
    tnn_net *net = pass->net;
    size_t count = net->layer_count;
    if (stage < count)
        tnni_forward_part(net, stage, part, panel);
    else if (stage == count)
        tnni_last_delta(pass, part.rows);
    else if (stage < 2 * count)
        tnni_delta_part(net, 2 * count - 1 - stage, part, panel);
    else
        tnni_input_gradient(pass, part.rows, panel);
}

/* ---- Loops ----------------------------------------------------------------------------------- */

/* Stages first ... end - 1; there is only one if its units are shared out, and there may be none
 * after the scaling of the inputs. */
typedef struct stage_loop {
    const tnni_pass *pass;
    size_t first, end;
    size_t tasks;
    bool by_units;
    bool scales_inputs;
} stage_loop;

static void loop_task(void *argument, size_t index) {
    const stage_loop *loop = argument;
    const tnni_pass *pass = loop->pass;
    if (loop->scales_inputs)
        tnni_scale_inputs(pass->net, tnni_share(pass->rows, index, loop->tasks));
    for (size_t stage = loop->first; stage < loop->end; stage++) {
        const tnni_layer *layer = layer_of(pass->net, stage);
        size_t units = layer ? layer->units : 0;
        tnni_part part = {whole(pass->rows), whole(units)};
        if (loop->by_units)
            part.units = share_units(units, index, loop->tasks);
        else
            part.rows = tnni_share(pass->rows, index, loop->tasks);
        run_stage(pass, stage, part, tnni_panel(pass->net, index));
    }
}

void tnni_pass_run(const tnni_pass *pass, size_t first, size_t end) {
    const tnn_net *net = pass->net;
    size_t tasks = tnni_net_tasks(net, pass->rows);
    size_t row_tasks = tasks < pass->rows ? tasks : pass->rows;
    bool scales_inputs = first == 0 && net->input_scaling;
    while (first < end) {
        stage_loop loop = {pass, first, first, row_tasks, false, scales_inputs};
        while (loop.end < end && !stage_splits_units(pass, loop.end, tasks))
            loop.end++;
        if (loop.end == first && !scales_inputs) {
            loop.end = first + 1;
            loop.tasks = tasks;
            loop.by_units = true;
        }
        tnni_parallel_for(net->executor, loop.tasks, loop_task, &loop);
        first = loop.end;
        scales_inputs = false;
    }
}
