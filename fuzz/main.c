/*
 * fuzz/main.c - runs a fuzz target over files, without a fuzzer.
 *
 * Corpora so become ordinary tests under any compiler. Each argument is a file or a
 * folder of files; inputs run in the order of their names, after the empty one. With
 * no argument only the empty input runs.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 64 * 1024 * 1024
};

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat facts;
    if (file == NULL || fstat(fileno(file), &facts) != 0 || facts.st_size > INPUT_MAX) {
        fprintf(stderr, "%s: cannot be read\n", path);
        if (file != NULL) {
            fclose(file);
        }
        return -1;
    }
    size_t size = (size_t)facts.st_size;
    /* Exactly as large as the input, so that a sanitizer sees one byte too far. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    int status = -1;
    if (data != NULL && fread(data, 1, size, file) == size) {
        LLVMFuzzerTestOneInput(data, size);
        status = 0;
    }
    free(data);
    fclose(file);
    return status;
}

static int run_folder(const char *path, unsigned *count)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    int status = n < 0 ? -1 : 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        int len = snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof inner) {
            status |= run_file(inner);
            (*count)++;
        }
        free(names[i]);
    }
    free(names);
    return status;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    unsigned count = 1;
    int status = 0;
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        struct stat facts;
        if (stat(argv[i], &facts) == 0 && S_ISDIR(facts.st_mode)) {
            status |= run_folder(argv[i], &count);
        } else {
            status |= run_file(argv[i]);
            count++;
        }
    }
    printf("%u inputs\n", count);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
