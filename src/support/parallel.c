#include "support/parallel.h"

#if defined(__x86_64__) || defined(_M_X64)
#    include <xmmintrin.h>
#endif

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
    if (count == 1 || !executor) {
        for (size_t index = 0; index < count; index++)
            task(argument, index);
        return;
    }
    parallel_loop loop = {task, argument, get_control_word()};
    executor->run(executor->context, count, run_round, &loop);
}

tnni_range tnni_share(size_t length, size_t index, size_t count) {
    size_t size = length / count;
    size_t longer = length % count; /* the first rounds take one more */
    size_t begin = index * size + (index < longer ? index : longer);
    return (tnni_range){begin, begin + size + (index < longer)};
}
