/*
 * test_checkpoint_damage.c: checkpoints that are cut, changed or made up. Whatever is in them,
 * loading gives an error with words or a training that can be saved again and resumed or refused.
 */
#include "support/test_allocators.h"
#include "support/trainings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT "tnn_checkpoint_load_from: memory: "
#define BAD TNN_BAD_FORMAT
#define NO TNN_UNSUPPORTED

enum { SAMPLES = 3 };

static const training samples[SAMPLES] = {
    {.method = 0, .net = 0},
    {.method = 6, .schedule = 5, .validation = 1},
    {.method = 7, .schedule = 7, .net = 1, .validation = 2},
};

/*
 * 0: of a loop of one's own, with gradients that are pending. 1: in the midst of an epoch, with
 * best weights, finite ones to go back to, two moments, and a schedule that has a state. 2: with a
 * custom schedule, after an epoch.
 */
static model_file sample(size_t index) {
    static const float x[] = {1, 0.5f, -1};
    static const float target[] = {1, 0};
    if (index > 0)
        return broken_training(&samples[index], index == 1 ? 2 : 0);
    trainee who = new_trainee(&samples[0], NULL);
    assert_ok(tnn_forward(who.net, 1, x, NULL));
    assert_ok(tnn_backward(who.net, tnn_mean_squared_error(), target, NULL));
    model_file file = saved_checkpoint(who.net, who.optimizer, NULL);
    destroy_trainee(&who);
    return file;
}

/* An error, with words, and nothing is left. */
static void assert_refused(const model_file *file, tnn_status expected) {
    static test_allocator memory;
    trainee who;
    model_file exact = exact_copy(file);
    assert_status(load_checkpoint(&who, &exact, init_test_allocator(&memory)), expected);
    assert_string_not_equal(tnn_error_message(), "");
    assert_int_equal(memory.live, 0);
    free_file(&exact);
}

static void assert_refused_with(model_file *file, tnn_status expected, const char *message) {
    renew_checksum(file);
    assert_refused(file, expected);
    assert_string_equal(tnn_error_message(), message);
    free_file(file);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void test_checkpoint_damage_cut_file_is_refused_at_every_length(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        model_file file = sample(i);
        while (file.count > 0) {
            file.count--;
            assert_refused(&file, BAD);
        }
        free_file(&file);
    }
}

static void test_checkpoint_damage_every_flipped_bit_is_noticed(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        model_file file = sample(i);
        for (size_t bit = 0; bit < 8 * file.count; bit++) {
            bool is_version = bit / 8 >= 4 && bit / 8 < 8;
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_refused(&file, is_version ? NO : BAD);
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        free_file(&file);
    }
}

/* What was loaded is saved to a file that loads to the same file, and can be resumed or not. */
static void assert_sound(const training *t, trainee *who, const tnn_allocator *allocator) {
    trainee second;
    model_file file = saved_checkpoint(who->net, who->optimizer, who->state);
    assert_ok(load_checkpoint(&second, &file, allocator));
    model_file again = saved_checkpoint(second.net, second.optimizer, second.state);
    assert_int_equal(again.count, file.count);
    assert_memory_equal(again.bytes, file.bytes, file.count);
    free_file(&file);
    free_file(&again);
    destroy_trainee(&second);
    tnn_fit_options options = training_options(t);
    options.resume = who->state;
    tnn_status status = fit_trainee(who, &options);
    assert_true(status == TNN_OK || status == TNN_INVALID_ARGUMENT || status == TNN_NOT_FINITE);
}

/* Some of the bits of every byte: the fuzz target tries far more. */
static void test_checkpoint_damage_with_a_checksum_that_fits_is_an_error_or_sound(void **state) {
    (void)state;
    static test_allocator memory;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t sound = 0;
        model_file file = sample(i);
        size_t stride = i == 1 ? 3 : 7; /* the second has nearly all that the others have */
        for (size_t bit = 0; bit < 8 * file.count; bit += stride) {
            trainee who;
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            renew_checksum(&file);
            tnn_status status = load_checkpoint(&who, &file, init_test_allocator(&memory));
            assert_true(status == TNN_OK || status == BAD || status == NO);
            if (status == TNN_OK)
                assert_sound(&samples[i], &who, &memory.base);
            sound += status == TNN_OK;
            destroy_trainee(&who);
            assert_int_equal(memory.live, 0);
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_true(sound > 0);
        free_file(&file);
    }
}

/* ---- What is wrong where --------------------------------------------------------------------- */

/* A number in place of that behind some text of a sample. */
typedef struct change {
    const char *text;
    size_t behind;
    size_t bytes;
    uint64_t value;
    tnn_status status;
    const char *message;
} change;

static void assert_changes_refused(size_t of_sample, const change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const change *c = &changes[i];
        model_file file = sample(of_sample);
        put_number(
            &file, find_text(&file, c->text) + strlen(c->text) + c->behind, c->bytes, c->value);
        assert_refused_with(&file, c->status, c->message);
    }
}

#define NAN_64 UINT64_C(0x7ff8000000000000)
#define INFINITY_64 UINT64_C(0x7ff0000000000000)
#define MINUS_INFINITY_64 UINT64_C(0xfff0000000000000)
#define MORE_THAN_1_64 UINT64_C(0x3ff0000000000001)
#define NAN_32 0x7fc00000u
#define IS_NOT(key, what) AT "the key tinynn." key " is not " what

static void test_checkpoint_damage_version_is_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"tinynn.checkpoint.version", 4, 4, 2, NO,
         AT "version 2 of the checkpoint format, expected 1"},
        {"tinynn.checkpoint.has_fit", 4, 1, 2, BAD,
         AT "the key tinynn.checkpoint.has_fit is 2, expected 0 or 1"},
        {"tinynn.checkpoint.has_fi", 0, 1, 'x', BAD,
         AT "the key tinynn.checkpoint.has_fit is missing"},
        {"tinynn.checkpoint.has_fit", 4, 1, 0, BAD, AT "8 tensors, net and training have 6"},
    };
    assert_changes_refused(1, changes, COUNT_OF(changes));
    static const change without[] = {
        {"tinynn.checkpoint.has_fit", 4, 1, 1, BAD, AT "the key tinynn.fit.seed is missing"},
    };
    assert_changes_refused(0, without, COUNT_OF(without));
}

static void test_checkpoint_damage_optimizer_is_told(void **state) {
    (void)state;
    static const change adam[] = {
        {"tinynn.optimizer.method", 12, 1, 'x', NO, AT "the method \"xdamw\" is not known"},
        {"tinynn.optimizer.nesterov", 4, 1, 3, BAD,
         AT "the key tinynn.optimizer.nesterov is 3, expected 0 or 1"},
        {"tinynn.optimizer.learning_rate", 4, 4, NAN_32, BAD,
         AT "method.learning_rate is nan, expected a finite number of at least 0"},
        {"tinynn.optimizer.beta1", 4, 8, 0x3ff0000000000000, BAD,
         AT "method.beta1 is 1, expected at least 0 and less than 1"},
        {"tinynn.optimizer.beta1_power", 4, 8, 0x4000000000000000, BAD,
         IS_NOT("optimizer.beta1_power", "from 0 to 1")},
        {"tinynn.optimizer.beta2_power", 4, 8, NAN_64, BAD,
         IS_NOT("optimizer.beta2_power", "from 0 to 1")},
        {"checkpoint.moments.", 0, 1, '5', BAD, AT "tensor checkpoint.moments.0 is missing"},
        {"checkpoint.moments.1", 4, 8, 49, BAD,
         AT "tensor checkpoint.moments.1 is 49, the layer list says 50"},
        {"checkpoint.bes", 0, 1, 'y', BAD, AT "8 tensors, net and training have 7"},
    };
    static const change rprop[] = {
        {"tinynn.optimizer.shrink", 4, 4, 0x3f800000, BAD,
         AT "method.shrink is 1, expected more than 0 and less than 1"},
        {"tinynn.optimizer.min_move", 4, 4, 0x42c80000, BAD,
         AT "method.min_move is 100, expected at least 0 and at most max_move, 50"},
        {"tinynn.optimizer.max_move", 4, 4, NAN_32, BAD,
         AT "method.min_move is 0, expected at least 0 and at most max_move, nan"},
    };
    assert_changes_refused(2, rprop, COUNT_OF(rprop));
    assert_changes_refused(1, adam, COUNT_OF(adam));
}

static void test_checkpoint_damage_counts_are_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"tinynn.fit.data_rows", 4, 8, 0, BAD, IS_NOT("fit.data_rows", "at least 1")},
        {"tinynn.fit.rows", 4, 8, 0, BAD, IS_NOT("fit.rows", "from 1 to data_rows")},
        {"tinynn.fit.rows", 4, 8, 23, BAD, IS_NOT("fit.rows", "from 1 to data_rows")},
        {"tinynn.fit.rows", 4, 8, 17, BAD, IS_NOT("fit.validation_rows", "data_rows - rows")},
        {"tinynn.fit.data_rows", 4, 8, UINT64_MAX, NO,
         AT "the key tinynn.fit.data_rows is 18446744073709551615, more than size_t counts"},
        {"tinynn.fit.batch_rows", 4, 8, 0, BAD, IS_NOT("fit.batch_rows", "from 1 to rows")},
        {"tinynn.fit.batch_rows", 4, 8, 19, BAD, IS_NOT("fit.batch_rows", "from 1 to rows")},
        {"tinynn.fit.batch", 4, 8, 0, BAD,
         IS_NOT("fit.batch", "a number of batches that have ended")},
        {"tinynn.fit.batch", 4, 8, 4, BAD,
         IS_NOT("fit.batch", "a number of batches that have ended")},
        {"tinynn.fit.epoch_ended", 4, 1, 1, BAD,
         IS_NOT("fit.batch", "a number of batches that have ended")},
        {"tinynn.fit.best_epoch", 4, 8, 5, BAD,
         IS_NOT("fit.best_epoch", "an epoch that has ended")},
        {"tinynn.fit.rises", 4, 8, 5, BAD,
         IS_NOT("fit.rises", "at most the number of epochs that have ended")},
        {"tinynn.fit.falls", 4, 8, 5, BAD,
         IS_NOT("fit.falls", "at most the number of epochs that have ended")},
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        /* "tinynn.fit.batch" begins another key: the length before it makes the difference. */
        const change *c = &changes[i];
        model_file file = sample(1);
        unsigned char key[64] = {(unsigned char)strlen(c->text)};
        memcpy(key + 8, c->text, strlen(c->text));
        size_t at = 0;
        while (memcmp(file.bytes + at, key, 8 + strlen(c->text)) != 0)
            at++;
        put_number(&file, at + 8 + strlen(c->text) + c->behind, c->bytes, c->value);
        assert_refused_with(&file, c->status, c->message);
    }
    static const change late[] = {
        {"tinynn.fit.epoch", 4, 8, UINT64_MAX / 2, BAD,
         IS_NOT("fit.epoch", "an epoch whose batches can be counted")},
    };
    assert_changes_refused(1, late, COUNT_OF(late));
}

static void test_checkpoint_damage_values_are_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"tinynn.fit.validation_loss", 4, 8, NAN_64, BAD, IS_NOT("fit.validation_loss", "finite")},
        {"tinynn.fit.validation_score", 4, 8, INFINITY_64, BAD,
         IS_NOT("fit.validation_score", "at most 1")},
        {"tinynn.fit.validation_score", 4, 8, MORE_THAN_1_64, BAD,
         IS_NOT("fit.validation_score", "at most 1")},
        {"tinynn.fit.best_loss", 4, 8, NAN_64, BAD, IS_NOT("fit.best_loss", "finite")},
        {"tinynn.fit.best_loss", 4, 8, INFINITY_64, BAD, IS_NOT("fit.best_loss", "finite")},
        {"tinynn.fit.best_loss", 4, 8, MINUS_INFINITY_64, BAD, IS_NOT("fit.best_loss", "finite")},
        {"tinynn.fit.keep_last", 4, 1, 1, BAD,
         AT "tensor checkpoint.best in a training that has no best weights"},
        {"tinynn.fit.seconds", 4, 8, INFINITY_64, BAD,
         IS_NOT("fit.seconds", "a finite number of at least 0")},
        {"tinynn.fit.base_rate", 4, 4, 0xbf800000, BAD,
         IS_NOT("fit.base_rate", "a finite number of at least 0")},
        {"tinynn.fit.has_safe", 4, 1, 0, BAD,
         IS_NOT("fit.has_safe", "whether there are finite weights")},
        {"tinynn.fit.schedule_state", 16, 8, NAN_64, BAD,
         IS_NOT("fit.schedule_state", "a state of the schedule")},
        {"tinynn.fit.loss", 12, 1, 0, BAD, IS_NOT("fit.loss", "a name")},
    };
    assert_changes_refused(1, changes, COUNT_OF(changes));
}

static model_file changed_number(const training *t, const char *key, uint64_t value) {
    model_file file = broken_training(t, 0);
    put_number(&file, find_text(&file, key) + strlen(key) + 4, 8, value);
    renew_checksum(&file);
    return file;
}

/* What rows that weigh nothing, or targets that hardly differ, make of a score. */
static void test_checkpoint_damage_score_need_not_be_finite(void **state) {
    (void)state;
    static const uint64_t scores[] = {NAN_64, MINUS_INFINITY_64};
    for (size_t i = 0; i < COUNT_OF(scores); i++) {
        trainee who;
        model_file file = changed_number(&samples[1], "tinynn.fit.validation_score", scores[i]);
        assert_ok(load_checkpoint(&who, &file, NULL));
        destroy_trainee(&who);
        free_file(&file);
    }
}

static void test_checkpoint_damage_values_without_validation_are_told(void **state) {
    (void)state;
    const training t = {.method = 1};
    model_file file = changed_number(&t, "tinynn.fit.validation_score", 0);
    assert_refused_with(
        &file, BAD, IS_NOT("fit.validation_score", "NaN, and nothing was validated"));
    file = changed_number(&t, "tinynn.fit.validation_loss", 0);
    assert_refused_with(
        &file, BAD, IS_NOT("fit.validation_loss", "NaN, and nothing was validated"));
    file = changed_number(&t, "tinynn.fit.best_loss", NAN_64);
    assert_refused_with(&file, BAD, IS_NOT("fit.best_loss", "a number"));
}

/* The numbers of a schedule of one's own are its own matter. */
static void test_checkpoint_damage_state_of_a_custom_schedule_may_be_any(void **state) {
    (void)state;
    model_file file = sample(2);
    trainee who;
    put_number(&file, find_text(&file, "tinynn.fit.schedule_state") + 25 + 16, 8, NAN_64);
    renew_checksum(&file);
    assert_ok(load_checkpoint(&who, &file, NULL));
    destroy_trainee(&who);
    free_file(&file);
}

static void test_checkpoint_damage_weights_to_go_back_to_are_finite(void **state) {
    (void)state;
    model_file file = sample(1);
    put_number(&file, file.count - 256, 4, NAN_32); /* the last tensor, of 50 floats */
    assert_refused_with(&file, BAD, IS_NOT("fit.has_safe", "whether there are finite weights"));
}

static void test_checkpoint_damage_memory_is_in_proportion_to_the_file(void **state) {
    (void)state;
    static test_allocator memory;
    model_file file = sample(1);
    trainee who;
    init_test_allocator(&memory);
    memory.most_bytes = 1 << 17; /* of which half is the reader's buffer */
    assert_ok(load_checkpoint(&who, &file, &memory.base));
    assert_true(memory.live_bytes < 4 * file.count);
    destroy_trainee(&who);
    free_file(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_damage_cut_file_is_refused_at_every_length),
        cmocka_unit_test(test_checkpoint_damage_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_checkpoint_damage_with_a_checksum_that_fits_is_an_error_or_sound),
        cmocka_unit_test(test_checkpoint_damage_version_is_told),
        cmocka_unit_test(test_checkpoint_damage_optimizer_is_told),
        cmocka_unit_test(test_checkpoint_damage_counts_are_told),
        cmocka_unit_test(test_checkpoint_damage_values_are_told),
        cmocka_unit_test(test_checkpoint_damage_score_need_not_be_finite),
        cmocka_unit_test(test_checkpoint_damage_values_without_validation_are_told),
        cmocka_unit_test(test_checkpoint_damage_state_of_a_custom_schedule_may_be_any),
        cmocka_unit_test(test_checkpoint_damage_weights_to_go_back_to_are_finite),
        cmocka_unit_test(test_checkpoint_damage_memory_is_in_proportion_to_the_file),
    };
    return cmocka_run_group_tests_name("checkpoint_damage", tests, NULL, NULL);
}
