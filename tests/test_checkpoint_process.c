/*
 * test_checkpoint_process.c: a training goes on in another process, with the bits that it would
 * have had in the first one; and one that is killed again and again, at any moment, comes to the
 * same end.
 *
 * The other process is this program, started anew: "test_checkpoint_process --resume".
 */
#include "support/trainings.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "test_checkpoint_process.folder"

enum { BASE_METHODS = 8, MANY_EPOCHS = 200, KILLS = 36 };

static const char *program;

/* ---- Cases ----------------------------------------------------------------------------------- */

typedef enum way { THROUGH_PATH, AFTER_EPOCH, AFTER_BATCH, BY_TRAIN, BY_VERBS, WAYS } way;

typedef struct one_case {
    training training;
    way way;
    unsigned threads; /* of the process that goes on */
} one_case;

enum { CASES = BASE_METHODS * SCHEDULES * NETS * VALIDATIONS * WAYS };

/* Loops of one's own have neither schedules nor validation: false where they would. */
static bool case_at(size_t index, one_case *c) {
    size_t i = index;
    *c = (one_case){.threads = index % 8 == 0 ? 3 : 1};
    c->way = (way)(i % WAYS), i /= WAYS;
    c->training.validation = i % VALIDATIONS, i /= VALIDATIONS;
    c->training.net = i % NETS, i /= NETS;
    c->training.schedule = i % SCHEDULES, i /= SCHEDULES;
    /* Every third method has a weight decay, or l1 and clipped gradients. */
    c->training.method = i + BASE_METHODS * (index % 3 == 0 ? index / 3 % 4 : 0);
    return c->way < BY_TRAIN || c->training.validation + c->training.schedule == 0;
}

static const char *path_of(size_t index, const char *ending) {
    static char path[128];
    snprintf(path, sizeof path, FOLDER "/%zu.%s", index, ending);
    return path;
}

/* ---- Halves of a training -------------------------------------------------------------------- */

static void loop(trainee *who, way by, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        tnn_dataset batch = *training_data();
        batch.rows = 7;
        batch.x += i * 5 % 15 * 3;
        batch.target += i * 5 % 15 * 2;
        batch.row_weights = NULL;
        if (by == BY_TRAIN) {
            assert_ok(tnn_train(who->net, who->optimizer, tnn_mean_squared_error(), &batch, NULL));
            continue;
        }
        assert_ok(tnn_forward(who->net, batch.rows, batch.x, NULL));
        assert_ok(tnn_backward(who->net, tnn_mean_squared_error(), batch.target, NULL));
        if (i % 2 == 1)
            assert_ok(tnn_step(who->net, who->optimizer));
    }
}

enum { LOOP_STEPS = 18, LOOP_BREAK = 9 };

static bool stop_after_break(void *context, const tnn_progress *progress) {
    (void)context;
    return progress->epoch + 1 < BREAK;
}

static void write_file(const char *path, const model_file *file) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file->bytes, 1, file->count, stream), file->count);
    assert_int_equal(fclose(stream), 0);
}

/* Leaves the checkpoint of a case in the folder. */
static void begin_case(size_t index, const one_case *c) {
    const char *path = path_of(index, "gguf");
    model_file file = {0};
    if (c->way == THROUGH_PATH) {
        trainee who = new_trainee(&c->training, NULL);
        tnn_fit_options options = training_options(&c->training);
        options.checkpoint = path;
        options.checkpoint_epochs = BREAK;
        options.after_epoch = stop_after_break;
        assert_ok(fit_trainee(&who, &options));
        destroy_trainee(&who);
        return;
    }
    if (c->way < BY_TRAIN) {
        file = broken_training(&c->training, c->way == AFTER_BATCH ? 1 + index % 3 : 0);
    } else {
        trainee who = new_trainee(&c->training, NULL);
        loop(&who, c->way, 0, LOOP_BREAK);
        file = saved_checkpoint(who.net, who.optimizer, NULL);
        destroy_trainee(&who);
    }
    write_file(path, &file);
    free_file(&file);
}

static trainee load_case(size_t index, unsigned threads) {
    trainee who = {0};
    const tnn_net_options net_options = {.threads = threads};
    tnn_load_options options = *options_with_bend();
    options.net = &net_options;
    assert_ok(tnn_checkpoint_load(
        &who.net, &who.optimizer, &who.state, path_of(index, "gguf"), &options));
    share_out_everything(who.net);
    return who;
}

/* All but seconds. */
static void print_report(FILE *file, const tnn_fit_report *report) {
    const tnn_progress *p = &report->progress;
    fprintf(
        file,
        "end %d, epoch %zu of %zu, step %llu of %llu, rate %a, training %a, validation %a, "
        "score %a, best %a in %zu\n",
        (int)report->end, p->epoch, p->epochs, (unsigned long long)p->step,
        (unsigned long long)p->steps, (double)p->learning_rate, p->training_loss,
        p->validation_loss, p->validation_score, p->best_loss, p->best_epoch);
    for (size_t i = 0; i < report->finding_count; i++) {
        const tnn_finding *f = &report->findings[i];
        fprintf(
            file, "%d, epoch %zu, batch %zu, layer %zu, %a: %s\n", (int)f->kind, f->epoch, f->batch,
            f->layer, f->value, f->message);
    }
}

/* What a training came to, as two files that end so. */
static void write_result(size_t index, const trainee *who, const char *ending, const char *report) {
    model_file file = saved_checkpoint(who->net, who->optimizer, NULL);
    write_file(path_of(index, ending), &file);
    free_file(&file);
    FILE *stream = fopen(path_of(index, report), "w");
    assert_non_null(stream);
    print_report(stream, &who->report);
    assert_int_equal(fclose(stream), 0);
}

/* The other process. */
static void end_case(size_t index, const one_case *c) {
    trainee who = load_case(index, c->threads);
    tnn_fit_options options = training_options(&c->training);
    options.resume = who.state;
    if (c->way < BY_TRAIN)
        assert_ok(fit_trainee(&who, &options));
    else
        loop(&who, c->way, LOOP_BREAK, LOOP_STEPS);
    write_result(index, &who, "resumed", "resumed-report");
    destroy_trainee(&who);
}

static void do_whole_case(size_t index, const one_case *c) {
    trainee who = new_trainee(&c->training, NULL);
    tnn_fit_options options = training_options(&c->training);
    if (c->way < BY_TRAIN)
        assert_ok(fit_trainee(&who, &options));
    else
        loop(&who, c->way, 0, LOOP_STEPS);
    write_result(index, &who, "whole", "whole-report");
    destroy_trainee(&who);
}

static void for_each_case(void (*what)(size_t index, const one_case *c)) {
    one_case c;
    for (size_t i = 0; i < CASES; i++)
        if (case_at(i, &c))
            what(i, &c);
}

/* ---- Another process ------------------------------------------------------------------------- */

static int remove_folder(void **state) {
    (void)state;
    DIR *folder = opendir(FOLDER);
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, FOLDER "/%s", entry->d_name);
        unlink(path);
    }
    closedir(folder);
    return rmdir(FOLDER);
}

static int make_folder(void **state) {
    return remove_folder(state) || mkdir(FOLDER, 0700);
}

static void resume_all(void **state) {
    (void)state;
    for_each_case(end_case);
}

static void run_other_process(void) {
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl(program, program, "--resume", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_same_files(size_t index, const char *ending, const char *other) {
    model_file a = read_file(path_of(index, ending));
    model_file b = read_file(path_of(index, other));
    assert_true(a.count > 0);
    if (a.count != b.count || memcmp(a.bytes, b.bytes, a.count) != 0)
        fail_msg("case %zu: %s is not %s", index, ending, other);
    free_file(&a);
    free_file(&b);
}

static void assert_same_results(size_t index, const one_case *c) {
    assert_same_files(index, "resumed", "whole");
    if (c->way < BY_TRAIN)
        assert_same_files(index, "resumed-report", "whole-report");
}

static void test_checkpoint_process_that_loads_it_goes_on_as_the_first_would(void **state) {
    (void)state;
    for_each_case(begin_case);
    run_other_process();
    for_each_case(do_whole_case);
    for_each_case(assert_same_results);
}

/* ---- kill -9 --------------------------------------------------------------------------------- */

#define KILLED FOLDER "/killed.gguf"

static tnn_fit_options long_options(const training *t) {
    tnn_fit_options options = training_options(t);
    options.epochs = MANY_EPOCHS;
    options.patience = 0;
    return options;
}

/* From its file, if there is one: as a program would that is to survive anything. */
static tnn_status train_on(const training *t, trainee *who) {
    tnn_fit_options options = long_options(t);
    tnn_status status = TNN_OK;
    options.checkpoint = KILLED;
    if (access(KILLED, F_OK) == 0)
        status = tnn_checkpoint_load(
            &who->net, &who->optimizer, &who->state, KILLED, options_with_bend());
    else
        *who = new_trainee(t, NULL);
    options.resume = who->state;
    return status == TNN_OK ? fit_trainee(who, &options) : status;
}

/* Returns whether it was killed before it was done. */
static bool train_and_be_killed(const training *t, long microseconds) {
    const struct timespec delay = {0, microseconds * 1000};
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        trainee who = {0};
        _exit(train_on(t, &who) == TNN_OK ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    nanosleep(&delay, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return true;
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
    return false;
}

static void assert_file_is_whole(void) {
    trainee who = {0};
    if (access(KILLED, F_OK) != 0)
        return; /* none was written yet */
    assert_ok(
        tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, KILLED, options_with_bend()));
    destroy_trainee(&who);
}

/* Returns how often it was. Later kills come later, so that there is an end to it. */
static size_t train_through_kills(const training *t, uint64_t *random) {
    size_t kills = 0;
    trainee whole = new_trainee(t, NULL), who = {0};
    tnn_fit_options options = long_options(t);
    assert_ok(fit_trainee(&whole, &options));
    unlink(KILLED);
    while (train_and_be_killed(t, (long)(next_random(random) % (3000 + 3000 * kills)))) {
        kills++;
        assert_file_is_whole();
    }
    assert_ok(train_on(t, &who)); /* nothing is left to do, but it is there as the first left it */
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    return kills;
}

static void test_checkpoint_process_killed_at_any_moment_comes_to_the_same_end(void **state) {
    (void)state;
    uint64_t random = (uint64_t)time(NULL);
    size_t kills = 0;
    for (size_t turn = 0; kills < KILLS; turn++) {
        const training t = {turn * 5 % METHODS, turn % SCHEDULES, turn % 2, turn % VALIDATIONS};
        kills += train_through_kills(&t, &random);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_checkpoint_process_that_loads_it_goes_on_as_the_first_would, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(
            test_checkpoint_process_killed_at_any_moment_comes_to_the_same_end, make_folder,
            remove_folder),
    };
    const struct CMUnitTest others[] = {cmocka_unit_test(resume_all)};
    program = argv[0];
    if (argc == 2 && strcmp(argv[1], "--resume") == 0)
        return cmocka_run_group_tests_name("checkpoint_process --resume", others, NULL, NULL);
    return cmocka_run_group_tests_name("checkpoint_process", tests, NULL, NULL);
}
