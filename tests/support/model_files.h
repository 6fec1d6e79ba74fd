/*
 * model_files.h: nets worth saving, model files in memory, and ways to change them: byte by byte,
 * with keys of any kind, and with a checksum that fits again.
 */
#ifndef TINYNN_TESTS_MODEL_FILES_H
#define TINYNN_TESTS_MODEL_FILES_H

#include "test_nets.h"

enum {
    SAMPLE_NETS = 3,
    CHECKSUM_AT = 97 /* in every file that the library writes */
};

/*
 * 0: plain, of 2-3-1 units. 1: all that a file can hold, with parameters that are powers of 2; it
 * has the custom activation bend. 2: one weight that is infinite and a bias that is a signaling
 * NaN. All of them have been through some forward passes.
 */
tnn_net *new_sample_net(size_t index);

/* Options that know bend. */
const tnn_load_options *options_with_bend(void);

typedef struct model_file {
    unsigned char *bytes;
    size_t count;
} model_file;

/* What tnn_net_save_to_memory makes, to be freed. */
model_file saved_net(const tnn_net *net);
model_file saved_sample(size_t index);
/* All of a file on the disk. */
model_file read_file(const char *path);
/* In a block that is exactly as long, so that sanitizers see what is beyond. */
model_file exact_copy(const model_file *file);
void free_file(model_file *file);

/* Where text stands first; the test fails if it does not. */
size_t find_text(const model_file *file, const char *text);
void put_number(model_file *file, size_t at, size_t bytes, uint64_t value);
void insert_bytes(model_file *file, size_t at, const void *bytes, size_t count);
/* Cuts at that length, or appends zeros. */
void set_length(model_file *file, size_t count);
/* Adds a key behind the checksum, whose name is filled up with x so that nothing loses its
 * alignment. */
void insert_key(model_file *file, const char *name, uint32_t type, const void *value, size_t bytes);
void renew_checksum(model_file *file);

/* Loads with options_with_bend. */
tnn_net *loaded_file(const model_file *file);
/* The same sizes, bits, behaviour with and without dropout, and the same file. */
void assert_same_model(tnn_net *actual, tnn_net *expected);

#endif /* TINYNN_TESTS_MODEL_FILES_H */
