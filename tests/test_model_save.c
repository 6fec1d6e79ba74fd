/*
 * test_model_save.c: whatever happens to a save, its file is the old one or the new one, whole: the
 * file may not grow, the folder may not be written to, the process may be killed at any moment. And
 * no temporary file stays behind, unless it was killed.
 */
#ifdef __linux__
#    define _GNU_SOURCE /* unshare */
#    include <sched.h>
#    include <sys/mount.h>
#endif

#include "support/model_files.h"
#include "support/test_allocators.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "test_model_save.folder"
#define PATH FOLDER "/net.gguf"
#define PIPE "test_model_save.pipe"
enum { KILLS = 25, NOBODY = 65534 };

/* The old and the new net of a test: two sizes, so that no mixture of both is either. */
static tnn_net *old_net, *new_one;
static model_file old_file, new_file;

static size_t for_each_file(bool unlink_all) {
    char path[512];
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        snprintf(path, sizeof path, FOLDER "/%s", entry->d_name);
        if (unlink_all)
            unlink(path);
    }
    closedir(folder);
    return count;
}

static int set_up(void **state) {
    (void)state;
    const tnn_layer wide = {.units = 2000};
    mkdir(FOLDER, 0755);
    chmod(FOLDER, 0755);
    for_each_file(true);
    old_net = new_sample_net(0);
    new_one = new_net(40, &wide, 1, NULL);
    old_file = saved_net(old_net);
    new_file = saved_net(new_one);
    assert_ok(tnn_net_save(old_net, PATH));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    chmod(FOLDER, 0755);
    for_each_file(true);
    rmdir(FOLDER);
    tnn_net_destroy(old_net);
    tnn_net_destroy(new_one);
    free_file(&old_file);
    free_file(&new_file);
    return 0;
}

static bool holds(const model_file *expected) {
    struct stat status;
    if (stat(PATH, &status) != 0 || (size_t)status.st_size != expected->count)
        return false;
    unsigned char *bytes = malloc(expected->count);
    FILE *stream = fopen(PATH, "rb");
    bool is_same = bytes && stream && fread(bytes, 1, expected->count, stream) == expected->count &&
        memcmp(bytes, expected->bytes, expected->count) == 0;
    if (stream)
        fclose(stream);
    free(bytes);
    return is_same;
}

static mode_t mode_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void test_model_save_replaces_a_file(void **state) {
    (void)state;
    assert_true(holds(&old_file));
    assert_ok(tnn_net_save(new_one, PATH));
    assert_true(holds(&new_file));
    assert_int_equal(for_each_file(false), 1);
}

static void test_model_save_keeps_permissions_and_obeys_umask(void **state) {
    (void)state;
    mode_t before = umask(027);
    chmod(PATH, 0604);
    assert_ok(tnn_net_save(new_one, PATH));
    assert_int_equal(mode_of(PATH), 0604);
    assert_ok(tnn_net_save(new_one, FOLDER "/other.gguf"));
    assert_int_equal(mode_of(FOLDER "/other.gguf"), 0640);
    umask(before);
}

static void test_model_save_path_may_have_no_folder(void **state) {
    (void)state;
    tnn_net *net = NULL;
    assert_int_equal(chdir(FOLDER), 0);
    tnn_status status = tnn_net_save(new_one, "net.gguf");
    if (status == TNN_OK)
        status = tnn_net_load(&net, "net.gguf", NULL);
    assert_int_equal(chdir(".."), 0);
    assert_ok(status);
    tnn_net_destroy(net);
    assert_true(holds(&new_file));
    assert_int_equal(for_each_file(false), 1);
}

/* The link becomes a file; what it led to is not touched. */
static void test_model_save_symbolic_link_is_replaced(void **state) {
    (void)state;
    struct stat status;
    assert_int_equal(rename(PATH, FOLDER "/other.gguf"), 0);
    assert_int_equal(symlink("other.gguf", PATH), 0);
    assert_ok(tnn_net_save(new_one, PATH));
    assert_int_equal(lstat(PATH, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_true(holds(&new_file));
    assert_int_equal(rename(FOLDER "/other.gguf", PATH), 0);
    assert_true(holds(&old_file));
}

/* ---- Groups ---------------------------------------------------------------------------------- */

enum { NO_GROUPS = 2, ANY_GROUP = 12345 };

static void save_with_group(gid_t group, mode_t mode, uid_t as, mode_t expected, bool keeps_group) {
    struct stat status;
    if (chmod(FOLDER, 0777) != 0 || chown(PATH, (uid_t)-1, group) != 0 || chmod(PATH, mode) != 0)
        _exit(NO_GROUPS);
    if (as != 0 && (setgid(as) != 0 || setuid(as) != 0 || access(FOLDER, W_OK | X_OK) != 0))
        _exit(NO_GROUPS);
    if (tnn_net_save(new_one, PATH) != TNN_OK || stat(PATH, &status) != 0)
        _exit(1);
    bool is_right = (status.st_mode & 07777) == expected && (status.st_gid == group) == keeps_group;
    _exit(is_right ? 0 : 1);
}

static void assert_group_after_save(mode_t mode, uid_t as, mode_t expected, bool keeps_group) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_with_group(ANY_GROUP, mode, as, expected, keeps_group);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(for_each_file(false), 1);
    if (WEXITSTATUS(status) == NO_GROUPS)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Only root can make a file of a group that is not its own. */
static void test_model_save_keeps_the_group_or_nothing_for_groups(void **state) {
    (void)state;
    if (geteuid() != 0 || chown(PATH, (uid_t)-1, ANY_GROUP) != 0)
        skip();
    assert_group_after_save(0664, 0, 0664, true);
    assert_group_after_save(0640, 0, 0640, true);
    assert_group_after_save(0664, NOBODY, 0604, false);
    assert_group_after_save(0660, NOBODY, 0600, false);
    assert_group_after_save(0604, NOBODY, 0600, false);
    assert_group_after_save(0646, NOBODY, 0604, false);
}

/* ---- What fails ------------------------------------------------------------------------------ */

static void assert_save_fails(const char *path, const char *words) {
    assert_status(tnn_net_save(new_one, path), TNN_IO_ERROR);
    assert_non_null(strstr(tnn_error_message(), "tnn_net_save: "));
    assert_non_null(strstr(tnn_error_message(), words));
    assert_true(holds(&old_file));
    assert_int_equal(for_each_file(false), 1);
}

static void test_model_save_folder_that_is_not_there_is_told(void **state) {
    (void)state;
    assert_save_fails(FOLDER "/none/net.gguf", "cannot open the folder " FOLDER "/none/: No such");
}

static void test_model_save_only_regular_files_are_replaced(void **state) {
    (void)state;
    struct stat pipe;
    remove(PIPE);
    assert_int_equal(mkfifo(PIPE, 0600), 0);
    assert_save_fails(PIPE, PIPE " is not a regular file, and cannot be replaced");
    assert_int_equal(stat(PIPE, &pipe), 0);
    assert_true(S_ISFIFO(pipe.st_mode));
    remove(PIPE);
    assert_save_fails(FOLDER, FOLDER " is not a regular file");
}

/* Whatever stands in the way of the name, it is known before the first byte is written. */
static void test_model_save_name_that_cannot_be_is_told(void **state) {
    (void)state;
    char path[400] = FOLDER "/";
    assert_save_fails("", "\"\" is not the name of a file");
    assert_save_fails(FOLDER "/", "\"" FOLDER "/\" is not the name of a file");
    assert_save_fails(PATH "/net.gguf", "cannot open the folder " PATH "/: Not a directory");
    memset(path + strlen(path), 'x', 300);
    assert_save_fails(path, "cannot look at " FOLDER "/xxx");
    assert_non_null(strstr(tnn_error_message(), strerror(ENAMETOOLONG)));
    assert_int_equal(symlink("loop.gguf", FOLDER "/loop.gguf"), 0);
    tnn_status status = tnn_net_save(new_one, FOLDER "/loop.gguf");
    remove(FOLDER "/loop.gguf");
    assert_status(status, TNN_IO_ERROR);
    assert_non_null(strstr(tnn_error_message(), strerror(ELOOP)));
}

/* As one whom permissions stop, which root is not. */
static void save_in_a_folder_that_is_read_only(void) {
    if ((geteuid() == 0 && setuid(NOBODY) != 0) || access(FOLDER, R_OK | X_OK) != 0)
        _exit(2);
    bool is_told = tnn_net_save(new_one, PATH) == TNN_IO_ERROR &&
        strstr(tnn_error_message(), "cannot create " FOLDER "/.tinynn-") &&
        strstr(tnn_error_message(), ": Permission denied");
    if (!is_told)
        fprintf(stderr, "%s\n", tnn_error_message());
    _exit(is_told ? 0 : 1);
}

/* A read-only mount would say it with other words. */
static void test_model_save_read_only_folder_is_told(void **state) {
    (void)state;
    int status = 0;
    assert_int_equal(chmod(FOLDER, 0555), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_in_a_folder_that_is_read_only();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(chmod(FOLDER, 0755), 0);
    assert_true(holds(&old_file));
    assert_int_equal(for_each_file(false), 1);
    if (WEXITSTATUS(status) == 2)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A limit of the process on the size of files: each write in turn is short, and the next fails. */
static void test_model_save_write_that_fails_is_told_wherever_it_does(void **state) {
    (void)state;
    struct rlimit before, limit;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    for (size_t most = 0; most < new_file.count; most += most < 1200 ? 97 : 9973) {
        limit.rlim_cur = most;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        tnn_status status = tnn_net_save(new_one, PATH);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_status(status, TNN_IO_ERROR);
        assert_non_null(strstr(tnn_error_message(), "tnn_net_save: cannot write " PATH ": "));
        assert_true(holds(&old_file));
        assert_int_equal(for_each_file(false), 1);
    }
    signal(SIGXFSZ, handler);
    assert_ok(tnn_net_save(new_one, PATH));
    assert_true(holds(&new_file));
}

/* ---- Every call of the system fails once ------------------------------------------------------
 */

/* The linker leads the library's calls to these (--wrap). Call number fail_at, from 1, gets EIO;
 * one that closes does so all the same. */
static size_t calls, fail_at;
static char order[4096]; /* a letter for each */

static bool fails(char letter) {
    errno = EIO;
    if (calls + 1 < sizeof order)
        order[calls] = letter;
    return ++calls == fail_at;
}

int __real_open(const char *path, int flags, ...);
int __real_fchmod(int file, mode_t mode);
ssize_t __real_write(int file, const void *data, size_t bytes);
int __real_fsync(int file);
int __real_close(int file);
int __real_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, unsigned mode);
int __wrap_fchmod(int file, mode_t mode);
ssize_t __wrap_write(int file, const void *data, size_t bytes);
int __wrap_fsync(int file);
int __wrap_close(int file);
int __wrap_rename(const char *from, const char *to);

int __wrap_open(const char *path, int flags, unsigned mode) {
    return fails('o') ? -1 : __real_open(path, flags, mode);
}

int __wrap_fchmod(int file, mode_t mode) {
    return fails('m') ? -1 : __real_fchmod(file, mode);
}

ssize_t __wrap_write(int file, const void *data, size_t bytes) {
    return fails('w') ? -1 : __real_write(file, data, bytes);
}

int __wrap_fsync(int file) {
    return fails('s') ? -1 : __real_fsync(file);
}

int __wrap_close(int file) {
    int result = __real_close(file);
    return fails('c') ? -1 : result;
}

int __wrap_rename(const char *from, const char *to) {
    return fails('r') ? -1 : __real_rename(from, to);
}

static size_t count_calls_of_a_save(void) {
    calls = 0;
    fail_at = 0;
    assert_ok(tnn_net_save(new_one, PATH));
    size_t count = calls;
    assert_ok(tnn_net_save(old_net, PATH));
    return count;
}

/* The bytes are on the disk before the name, and that is before anyone is told. */
static void test_model_save_order_is_write_sync_rename_sync(void **state) {
    (void)state;
    size_t count = count_calls_of_a_save();
    calls = 0;
    assert_ok(tnn_net_save(new_one, PATH));
    assert_true(count < sizeof order);
    order[count] = '\0';
    assert_memory_equal(order, "oomw", 4);
    assert_int_equal(strspn(order + 3, "w"), count - 3 - 5);
    assert_string_equal(order + count - 5, "scrsc");
}

/* The last two calls sync and close the folder, which has the new file by then; a folder that was
 * only opened to be synced may fail to close. */
static void test_model_save_call_that_fails_is_told_whichever_it_is(void **state) {
    (void)state;
    size_t count = count_calls_of_a_save();
    assert_true(count > 10);
    for (size_t failing = 1; failing <= count; failing++) {
        calls = 0;
        fail_at = failing;
        tnn_status status = tnn_net_save(new_one, PATH);
        fail_at = 0;
        assert_status(status, failing < count ? TNN_IO_ERROR : TNN_OK);
        if (failing < count)
            assert_non_null(strstr(tnn_error_message(), strerror(EIO)));
        assert_true(holds(failing < count - 1 ? &old_file : &new_file));
        assert_int_equal(for_each_file(false), 1);
    }
}

/* ---- A full disk ----------------------------------------------------------------------------- */

enum { NO_MOUNT = 2 };

/* A file system of 64 KB, which this process alone sees. */
static void save_on_a_full_disk(void) {
#ifdef __linux__
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", FOLDER, "tmpfs", 0, "size=64k") != 0)
        _exit(NO_MOUNT);
    bool is_told = tnn_net_save(old_net, PATH) == TNN_OK &&
        tnn_net_save(new_one, PATH) == TNN_IO_ERROR &&
        strstr(tnn_error_message(), strerror(ENOSPC)) && holds(&old_file) &&
        for_each_file(false) == 1;
    _exit(is_told ? 0 : 1);
#else
    _exit(NO_MOUNT);
#endif
}

static void test_model_save_full_disk_is_told(void **state) {
    (void)state;
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_on_a_full_disk();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_MOUNT)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- No memory ------------------------------------------------------------------------------- */

static void test_model_save_fails_clean_without_memory(void **state) {
    (void)state;
    test_allocator memory;
    const tnn_layer layer = {.units = 1};
    const tnn_net_options options = {.allocator = init_test_allocator(&memory)};
    tnn_net *net = new_net(1, &layer, 1, &options);
    memory.fail_at = memory.calls + 1;
    assert_status(tnn_net_save(net, PATH), TNN_OUT_OF_MEMORY);
    assert_true(holds(&old_file));
    assert_int_equal(for_each_file(false), 1);
    assert_ok(tnn_net_save(net, PATH));
    assert_int_equal(memory.live, 2);
    tnn_net_destroy(net);
}

/* ---- Killed ---------------------------------------------------------------------------------- */

/* Saves the one and the other until it is killed. */
static void save_forever(void) {
    for (;;)
        if (tnn_net_save(new_one, PATH) != TNN_OK || tnn_net_save(old_net, PATH) != TNN_OK)
            _exit(1);
}

static void test_model_save_killed_at_any_moment_leaves_a_whole_file(void **state) {
    (void)state;
    uint64_t random = 3;
    const char *kills = getenv("TINYNN_KILLS");
    int count = kills ? atoi(kills) : KILLS;
    for (int i = 0; i < count; i++) {
        int status = 0;
        const struct timespec moment = {.tv_nsec = (long)(next_random(&random) % 20000000)};
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_forever();
        nanosleep(&moment, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_true(holds(&old_file) || holds(&new_file));
        tnn_net *net = NULL;
        assert_ok(tnn_net_load(&net, PATH, NULL));
        tnn_net_destroy(net);
        assert_in_range(for_each_file(false), 1, (size_t)i + 2); /* a child may leave one */
    }
}

#define SAVE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SAVE_TEST(test_model_save_replaces_a_file),
        SAVE_TEST(test_model_save_keeps_permissions_and_obeys_umask),
        SAVE_TEST(test_model_save_path_may_have_no_folder),
        SAVE_TEST(test_model_save_symbolic_link_is_replaced),
        SAVE_TEST(test_model_save_keeps_the_group_or_nothing_for_groups),
        SAVE_TEST(test_model_save_name_that_cannot_be_is_told),
        SAVE_TEST(test_model_save_folder_that_is_not_there_is_told),
        SAVE_TEST(test_model_save_only_regular_files_are_replaced),
        SAVE_TEST(test_model_save_read_only_folder_is_told),
        SAVE_TEST(test_model_save_write_that_fails_is_told_wherever_it_does),
        SAVE_TEST(test_model_save_order_is_write_sync_rename_sync),
        SAVE_TEST(test_model_save_call_that_fails_is_told_whichever_it_is),
        SAVE_TEST(test_model_save_full_disk_is_told),
        SAVE_TEST(test_model_save_fails_clean_without_memory),
        SAVE_TEST(test_model_save_killed_at_any_moment_leaves_a_whole_file),
    };
    return cmocka_run_group_tests_name("model_save", tests, NULL, NULL);
}
