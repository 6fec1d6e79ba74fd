#include "schedule.h"

#include "support/special.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

static double constant_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)self, (void)progress, (void)state;
    return base_rate;
}

static double step_decay(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)state;
    double times = floor((double)progress->epoch / self->second);
    return base_rate * tnni_power(self->first, (uint64_t)times);
}

static double exponential_decay(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)state;
    return base_rate * tnni_power(self->first, progress->epoch);
}

/* From begin at share 0 to end at share 1, as half a cosine. */
static double half_cosine(double begin, double end, double share) {
    return end + 0.5 * (begin - end) * (1.0 + tnni_cos_pi(share));
}

static double cosine_decay(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)state;
    double step = (double)progress->step;
    double steps = (double)progress->steps;
    double warmup = self->first * steps;
    if (step < warmup)
        return base_rate * fmin(1.0, (step + 1.0) / warmup);
    return half_cosine(base_rate, self->second * base_rate, (step - warmup) / (steps - warmup));
}

/* state: reductions so far, epochs without a better loss, the best loss if there is one, whether
 * there is. A loss that is not a number is no better one. */
static double reduce_on_plateau(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    const double least_share = 1e-4;
    if (progress->epoch > 0) {
        double loss =
            isnan(progress->validation_loss) ? progress->training_loss : progress->validation_loss;
        bool is_better =
            isfinite(loss) && (state[3] == 0.0 || loss < state[2] - least_share * fabs(state[2]));
        state[1] = is_better ? 0.0 : state[1] + 1.0;
        state[2] = is_better ? loss : state[2];
        state[3] = is_better ? 1.0 : state[3];
        if (state[1] > self->second) {
            state[0] += 1.0;
            state[1] = 0.0;
        }
    }
    return base_rate * tnni_power(self->first, (uint64_t)state[0]);
}

static double one_cycle(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)self, (void)state;
    double step = (double)progress->step;
    double last = (double)progress->steps - 1.0;
    double peak = 0.3 * (double)progress->steps - 1.0;
    double begin = base_rate / 25.0;
    double end = begin / 1e4;
    if (step <= peak)
        return peak > 0.0 ? half_cosine(begin, base_rate, step / peak) : base_rate;
    double fall = last - fmax(peak, 0.0);
    return fall > 0.0 ? half_cosine(base_rate, end, (step - fmax(peak, 0.0)) / fall) : base_rate;
}

enum { CONSTANT, STEP_DECAY, EXPONENTIAL_DECAY, COSINE_DECAY, REDUCE_ON_PLATEAU, ONE_CYCLE, KINDS };

static const tnn_schedule_vtable catalogue[KINDS] = {
    [CONSTANT] = {"constant", false, constant_rate},
    [STEP_DECAY] = {"step_decay", false, step_decay},
    [EXPONENTIAL_DECAY] = {"exponential_decay", false, exponential_decay},
    [COSINE_DECAY] = {"cosine_decay", true, cosine_decay},
    [REDUCE_ON_PLATEAU] = {"reduce_on_plateau", false, reduce_on_plateau},
    [ONE_CYCLE] = {"one_cycle", true, one_cycle},
};

tnn_schedule tnn_constant_rate(void) {
    return (tnn_schedule){.vtable = &catalogue[CONSTANT]};
}

tnn_schedule tnn_step_decay(size_t epochs, double factor) {
    return (tnn_schedule){&catalogue[STEP_DECAY], factor, (double)epochs, 0.0, NULL};
}

tnn_schedule tnn_exponential_decay(double factor) {
    return (tnn_schedule){.vtable = &catalogue[EXPONENTIAL_DECAY], .first = factor};
}

tnn_schedule tnn_cosine_decay(double warmup, double end) {
    return (tnn_schedule){&catalogue[COSINE_DECAY], warmup, end, 0.0, NULL};
}

tnn_schedule tnn_reduce_on_plateau(double factor, size_t patience) {
    return (tnn_schedule){&catalogue[REDUCE_ON_PLATEAU], factor, (double)patience, 0.0, NULL};
}

tnn_schedule tnn_one_cycle(void) {
    return (tnn_schedule){.vtable = &catalogue[ONE_CYCLE]};
}

/* The kind of a built-in schedule; KINDS for a user's. */
static size_t find(const tnn_schedule_vtable *vtable) {
    size_t kind = 0;
    while (kind < KINDS && vtable != &catalogue[kind])
        kind++;
    return kind;
}

static tnn_status check_custom(const char *caller, const tnn_schedule_vtable *vtable) {
    if (!vtable->rate)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: options->schedule has no rate function", caller);
    if (!vtable->name || !*vtable->name)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: options->schedule has no name", caller);
    for (size_t k = 0; k < KINDS; k++)
        if (strcmp(vtable->name, catalogue[k].name) == 0)
            return tnni_fail(
                TNN_INVALID_ARGUMENT,
                "%s: options->schedule has the name %s of a built-in schedule", caller,
                vtable->name);
    return TNN_OK;
}

static tnn_status wrong(
    const char *caller, const char *parameter, double value, const char *expected) {
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: options->schedule has %s %g, expected %s", caller, parameter,
        value, expected);
}

/* Of the built-in ones, one has a state: counts that are cast to integers, and a loss. */
bool tnni_schedule_has_state(const char *name, const double state[4]) {
    const double most = 9007199254740992.0; /* 2^53 */
    if (strcmp(name, catalogue[REDUCE_ON_PLATEAU].name) != 0)
        return true;
    return state[0] >= 0.0 && state[0] <= most && state[1] >= 0.0 && state[1] <= most &&
        isfinite(state[2]) && (state[3] == 0.0 || state[3] == 1.0);
}

tnn_status tnni_schedule_check(const char *caller, const tnn_schedule *schedule) {
    double first = schedule->first;
    double second = schedule->second;
    if (!schedule->vtable)
        return TNN_OK;
    switch (find(schedule->vtable)) {
    case STEP_DECAY:
        if (!(second >= 1.0 && isfinite(second)))
            return wrong(caller, "epochs", second, "at least 1");
        /* fall through */
    case EXPONENTIAL_DECAY:
        if (!(first > 0.0 && first <= 1.0))
            return wrong(caller, "factor", first, "more than 0 and at most 1");
        return TNN_OK;
    case REDUCE_ON_PLATEAU:
        if (!(first > 0.0 && first < 1.0))
            return wrong(caller, "factor", first, "more than 0 and less than 1");
        if (!(second >= 0.0))
            return wrong(caller, "patience", second, "at least 0");
        return TNN_OK;
    case COSINE_DECAY:
        if (!(first >= 0.0 && first < 1.0))
            return wrong(caller, "warmup", first, "at least 0 and less than 1");
        if (!(second >= 0.0 && second <= 1.0))
            return wrong(caller, "end", second, "from 0 to 1");
        return TNN_OK;
    case KINDS:
        return check_custom(caller, schedule->vtable);
    default:
        return TNN_OK;
    }
}
