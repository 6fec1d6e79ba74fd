/* fuzz_idx.c: the first byte is the length of the labels' file, which comes before the images'. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0)
        return 0;
    size_t label_bytes = bytes[0] < count ? bytes[0] : count - 1;
    fuzz_bytes labels = {bytes + 1, label_bytes};
    fuzz_bytes images = {bytes + 1 + label_bytes, count - 1 - label_bytes};
    tnn_source label_source = {.context = &labels, .read = fuzz_read};
    tnn_source image_source = {.context = &images, .read = fuzz_read};
    tnn_read_options options = {.limits = fuzz_limits};
    tnn_data *data = NULL;
    tnn_status status = tnn_read_idx_from(&data, &image_source, &label_source, &options);
    fuzz_check(status, data);
    return 0;
}
