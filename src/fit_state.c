#include "fit_state.h"

#include "optimizer.h"
#include "support/checksum.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <string.h>

#define RESUME "options->resume has"

static tnn_status check_number(
    const char *caller, const char *what, uint64_t number, uint64_t before) {
    if (number == before)
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is %" PRIu64 ", " RESUME " %" PRIu64, caller, what, number,
        before);
}

/* By their bits, so that NaN is NaN. */
static tnn_status check_double(const char *caller, const char *what, double number, double before) {
    if (memcmp(&number, &before, sizeof number) == 0)
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is %.17g, " RESUME " %.17g", caller, what, number, before);
}

static tnn_status check_name(
    const char *caller, const char *what, const char *name, const char *before) {
    if (strcmp(name, before) == 0)
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is \"%s\", " RESUME " \"%s\"", caller, what,
        tnni_excerpt_of(name, strlen(name)).text, tnni_excerpt_of(before, strlen(before)).text);
}

static tnn_status check_counts(
    const char *caller, const tnn_fit_state *training, const tnn_fit_state *resume) {
    const struct {
        const char *what;
        uint64_t number;
        uint64_t before;
    } counts[] = {
        {"train->rows", training->data_rows, resume->data_rows},
        {"the number of rows to learn from", training->rows, resume->rows},
        {"the number of validation rows", training->validation_rows, resume->validation_rows},
        {"options->batch_rows", training->batch_rows, resume->batch_rows},
        {"options->seed", training->seed, resume->seed},
        {"options->keep_order", training->keep_order, resume->keep_order},
        {"options->keep_last", training->keep_last, resume->keep_last},
    };
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] && status == TNN_OK; i++)
        status = check_number(caller, counts[i].what, counts[i].number, counts[i].before);
    return status;
}

static tnn_status check_behaviours(
    const char *caller, const tnn_fit_state *training, const tnn_fit_state *resume) {
    static const char *const names[] = {
        "options->schedule.first", "options->schedule.second", "options->schedule.third"};
    tnn_status status = check_name(caller, "loss", training->loss, resume->loss);
    if (status == TNN_OK)
        status = check_double(
            caller, "loss.parameter", training->loss_parameter, resume->loss_parameter);
    if (status == TNN_OK)
        status = check_name(caller, "options->schedule", training->schedule, resume->schedule);
    for (size_t i = 0; i < 3 && status == TNN_OK; i++)
        status = check_double(
            caller, names[i], training->schedule_parameters[i], resume->schedule_parameters[i]);
    return status;
}

static uint64_t add_floats(uint64_t sum, const float *values, size_t count) {
    return tnni_checksum(sum, (const unsigned char *)values, count * sizeof *values);
}

uint64_t tnni_fit_checksum(const tnn_net *net, const tnn_optimizer *optimizer) {
    size_t count = net->parameter_count;
    uint64_t sum = add_floats(0, net->parameters, count);
    for (size_t m = 0; m < optimizer->moment_count; m++)
        sum = add_floats(sum, optimizer->moments + m * optimizer->stride, count);
    return sum;
}

tnn_status tnni_fit_check_resume(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer,
    const tnn_fit_state *training, const tnn_fit_state *resume, size_t epochs) {
    if (resume->layout != training->layout || resume->parameter_count != training->parameter_count)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: options->resume is of another layout (%zu parameters, the net has %zu)", caller,
            resume->parameter_count, training->parameter_count);
    tnn_status status =
        check_number(caller, "the net's number of forward passes", net->passes, resume->passes);
    if (status == TNN_OK)
        status = check_name(
            caller, "the optimizer's method", tnni_method_name(training->method),
            tnni_method_name(resume->method));
    if (status == TNN_OK)
        status = check_counts(caller, training, resume);
    if (status == TNN_OK)
        status = check_behaviours(caller, training, resume);
    if (status == TNN_OK && epochs <= resume->progress.epoch)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: options->epochs is %zu, " RESUME " begun %zu", caller,
            epochs, resume->progress.epoch + 1);
    if (status == TNN_OK && resume->bytes > 0 &&
        resume->loaded_as != tnni_fit_checksum(net, optimizer))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: net or optimizer is not as it was loaded with options->resume: other parameters "
            "or "
            "moments",
            caller);
    return status;
}

void tnn_fit_state_destroy(tnn_fit_state *state) {
    if (state)
        tnni_release(state->allocator, state, state->bytes);
}
