/* fuzz_fann.c: FANN's text format. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_bytes left = {bytes, count};
    tnn_source source = {.context = &left, .read = fuzz_read};
    tnn_read_options options = {.limits = fuzz_limits};
    tnn_data *data = NULL;
    tnn_status status = tnn_read_fann_from(&data, &source, &options);
    fuzz_check(status, data);
    return 0;
}
