/*
 * test_unload.c LIBRARY: a program loads the shared library, uses its threads, unloads it and
 * forks. Neither workers nor handlers may be left without their code.
 */
#include "support/testing.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path;

/* C has no cast from void * to a pointer to a function; POSIX says that the bits are the same. */
static void find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    assert_non_null(symbol);
    memcpy(function, &symbol, sizeof symbol);
}

/* Workers wait for more after a call: without any, there is nothing here to test. */
static void assert_workers(void) {
#if defined(TINYNN_OPENMP) && defined(__linux__)
    size_t threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *entry = readdir(tasks); entry; entry = readdir(tasks))
        threads += entry->d_name[0] != '.';
    closedir(tasks);
    assert_true(threads > 1);
#endif
}

/* A forward that is worth several tasks. */
static void use(void *library) {
    enum { INPUTS = 128, UNITS = 512, ROWS = 64 };
    static const float x[ROWS * INPUTS];
    const tnn_layer layer = {.units = UNITS};
    const tnn_net_options options = {.threads = 4};
    tnn_net *net = NULL;
    tnn_status (*create)(tnn_net **, size_t, const tnn_layer *, size_t, const tnn_net_options *) =
        NULL;
    tnn_status (*forward)(tnn_net *, size_t, const float *, float *) = NULL;
    void (*destroy)(tnn_net *) = NULL;
    find(library, "tnn_net_create", &create);
    find(library, "tnn_forward", &forward);
    find(library, "tnn_net_destroy", &destroy);
    assert_int_equal(create(&net, INPUTS, &layer, 1, &options), TNN_OK);
    assert_int_equal(forward(net, ROWS, x, NULL), TNN_OK);
    assert_workers();
    destroy(net);
}

static void assert_forks(void) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(EXIT_SUCCESS);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
}

static void test_unload_leaves_nothing_behind(void **state) {
    (void)state;
    for (int time = 0; time < 3; time++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!library)
            fail_msg("%s", dlerror());
        use(library);
        assert_int_equal(dlclose(library), 0);
        usleep(50000); /* for workers to notice what they have lost */
        assert_forks();
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unload_leaves_nothing_behind),
    };
    if (argc != 2)
        return EXIT_FAILURE;
    path = argv[1];
    return cmocka_run_group_tests_name("unload", tests, NULL, NULL);
}
