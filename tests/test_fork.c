/*
 * test_fork.c: a process that has used the library's threads may fork, and parent and child go on,
 * with the same bits.
 */
#include "support/train_wide.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Far more than a child needs; what hangs is ended by the alarm. */
enum { PATIENCE = 120, THREADS = 4 };

static float alone[WIDE_PARAMETERS];

static int train_alone(void **state) {
    (void)state;
    return train_wide(1, alone) == TNN_OK ? 0 : -1;
}

static bool is_as_alone(const float *parameters) {
    return memcmp(parameters, alone, sizeof alone) == 0;
}

static bool trains(void) {
    static float parameters[WIDE_PARAMETERS];
    return train_wide(THREADS, parameters) == TNN_OK && is_as_alone(parameters);
}

static bool trains_net(tnn_net *net) {
    return train_wide_net(net) == TNN_OK && is_as_alone(tnn_net_read_parameters(net));
}

/* Does work(net) in a child; it must end well, and in time. */
static void assert_in_child(bool (*work)(tnn_net *net), tnn_net *net) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(PATIENCE);
        _exit(work(net) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status)); /* a hang is SIGALRM */
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

static bool trains_a_net_of_its_own(tnn_net *net) {
    (void)net;
    return trains();
}

static void test_fork_child_and_parent_train_new_nets(void **state) {
    (void)state;
    assert_true(trains());
    assert_in_child(trains_a_net_of_its_own, NULL);
    assert_true(trains());
    assert_in_child(trains_a_net_of_its_own, NULL);
}

static void test_fork_child_and_parent_train_the_net_of_the_parent(void **state) {
    (void)state;
    tnn_net *net = NULL;
    assert_true(trains());
    assert_ok(new_wide_net(THREADS, &net));
    assert_in_child(trains_net, net);
    assert_true(trains_net(net));
    tnn_net_destroy(net);
}

static bool trains_in_a_grandchild(tnn_net *net) {
    int status = 0;
    bool trained = trains();
    pid_t grandchild = fork();
    if (grandchild == 0)
        _exit(trains_net(net) ? EXIT_SUCCESS : EXIT_FAILURE);
    return trained && waitpid(grandchild, &status, 0) == grandchild && WIFEXITED(status) &&
        WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void test_fork_grandchild_trains(void **state) {
    (void)state;
    tnn_net *net = NULL;
    assert_ok(new_wide_net(THREADS, &net));
    assert_in_child(trains_in_a_grandchild, net);
    assert_true(trains_net(net));
    tnn_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_child_and_parent_train_new_nets),
        cmocka_unit_test(test_fork_child_and_parent_train_the_net_of_the_parent),
        cmocka_unit_test(test_fork_grandchild_trains),
    };
    return cmocka_run_group_tests_name("fork", tests, train_alone, NULL);
}
