/* fuzz_csv.c: the first byte chooses the options, the others are the file. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static const char separators[] = {',', ';', ' ', '\t'};
    static const char *const names[] = {"kind"};
    static const char *const ignored[] = {"id"};
    static const size_t zero = 0, one = 1;
    if (count == 0)
        return 0;
    fuzz_bytes left = {bytes + 1, count - 1};
    tnn_source source = {.context = &left, .read = fuzz_read};
    tnn_csv_options options = {
        .separator = separators[bytes[0] & 3],
        .has_header = bytes[0] & 4,
        .no_target = bytes[0] & 32,
        .is_class = (bytes[0] & 40) == 8,
        .weight_name = (bytes[0] & 132) == 132 ? "w" : NULL,
        .weight_column = (bytes[0] & 132) == 128 ? &zero : NULL,
        .limits = fuzz_limits};
    if (bytes[0] & 64) {
        options.ignored_names = options.has_header ? ignored : NULL;
        options.ignored_columns = options.has_header ? NULL : &one;
        options.ignored_count = 1;
    }
    if ((bytes[0] & 16) && options.has_header && !options.no_target) {
        options.target_names = names;
        options.target_count = 1;
    }
    tnn_data *data = NULL;
    tnn_status status = tnn_read_csv_from(&data, &source, &options);
    fuzz_check(status, data);
    return 0;
}
