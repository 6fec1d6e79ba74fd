#include "support/parallel.h"

#if defined(__x86_64__) || defined(_M_X64)
#    include <xmmintrin.h>
#endif

/* A host may compile everything with OpenMP; what counts here is whether ours was asked for. */
#if defined(TINYNN_OPENMP) && defined(_OPENMP)
#    define HAS_OPENMP 1
#    ifndef _WIN32
#        include <pthread.h>
#    endif
#else
#    define HAS_OPENMP 0
#endif

/* More threads than any machine this is made for has cores. */
enum { MOST_THREADS = 256 };

/*
 * The floating-point control word: rounding mode and flush-to-zero. A host's worker threads may
 * have another one than the thread that called us, and a result must not depend on who computes it.
 */
#if defined(__x86_64__) || defined(_M_X64)
typedef unsigned control_word;

static control_word get_control_word(void) {
    return _mm_getcsr();
}

static void set_control_word(control_word word) {
    _mm_setcsr(word);
}
#elif defined(__aarch64__) && defined(__GNUC__)
typedef uint64_t control_word;

static control_word get_control_word(void) {
    control_word word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}

static void set_control_word(control_word word) {
    __asm__ volatile("msr fpcr, %0" : : "r"(word));
}
#else
typedef int control_word;

static control_word get_control_word(void) {
    return 0;
}

static void set_control_word(control_word word) {
    (void)word;
}
#endif

/* ---- OpenMP ---------------------------------------------------------------------------------- */

#if HAS_OPENMP
/*
 * GNU's runtime hangs in the child of a fork: its first parallel region there waits for workers
 * that only the parent has. So in a child every loop runs on the thread that asks for it, which
 * changes no bit. To ask for the process in every loop would be a system call each time; a handler
 * costs nothing. It is registered before the first region and not by a constructor, since the
 * library may have been loaded, by dlopen perhaps, into a process that will never use its threads.
 * If whatever holds this code is unloaded, the handler goes with it: pthread_atfork is linked into
 * each object of its own and tells the C library which one calls.
 */
#    ifndef _WIN32
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Written once before anyone reads it, and by the only thread of a new process. */
static bool without_workers;

static void leave_workers_behind(void) {
    without_workers = true;
}

static void register_handler(void) {
    without_workers = pthread_atfork(NULL, NULL, leave_workers_behind) != 0;
}

static bool has_workers(void) {
    pthread_once(&once, register_handler);
    return !without_workers;
}
#    else
static bool has_workers(void) {
    return true;
}
#    endif

/* The runtime may give fewer threads than it is asked for; they share out all rounds. */
static void run_on_openmp(
    void *context, size_t count, void (*task)(void *argument, size_t index), void *argument) {
    int rounds = (int)count; /* signed, since MSVC has OpenMP 2.0 */
    (void)context;
#    pragma omp parallel for schedule(static, 1) num_threads(rounds)
    for (int index = 0; index < rounds; index++)
        task(argument, (size_t)index);
}

static const tnn_executor *own_executor(void) {
    static const tnn_executor openmp = {NULL, run_on_openmp};
    return has_workers() ? &openmp : NULL;
}
#else
static const tnn_executor *own_executor(void) {
    return NULL;
}
#endif

/* ---- Loops ----------------------------------------------------------------------------------- */

typedef struct parallel_loop {
    void (*task)(void *argument, size_t index);
    void *argument;
    control_word caller;
} parallel_loop;

static void run_round(void *argument, size_t index) {
    const parallel_loop *loop = argument;
    control_word worker = get_control_word();
    set_control_word(loop->caller);
    loop->task(loop->argument, index);
    set_control_word(worker);
}

void tnni_parallel_for(
    const tnn_executor *executor, size_t count, void (*task)(void *argument, size_t index),
    void *argument) {
    if (count > 1 && !executor)
        executor = own_executor();
    if (count == 1 || !executor) {
        for (size_t index = 0; index < count; index++)
            task(argument, index);
        return;
    }
    parallel_loop loop = {task, argument, get_control_word()};
    executor->run(executor->context, count, run_round, &loop);
}

unsigned tnni_parallel_threads(const tnn_executor *executor, unsigned wanted) {
    if (wanted == 0 || !(executor || HAS_OPENMP))
        return 1;
    return wanted < MOST_THREADS ? wanted : MOST_THREADS;
}

tnni_range tnni_share(size_t length, size_t index, size_t count) {
    size_t size = length / count;
    size_t longer = length % count; /* the first rounds take one more */
    size_t begin = index * size + (index < longer ? index : longer);
    return (tnni_range){begin, begin + size + (index < longer)};
}
