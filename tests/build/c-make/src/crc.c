/* Prints the CRC-32 of each file, or of the standard input. */
#include <stdio.h>
#include <zlib.h>

static int print(FILE *file, const char *name)
{
    unsigned char buffer[65536];
    uLong crc = crc32(0, Z_NULL, 0);
    size_t n;

    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        crc = crc32(crc, buffer, n);
    if (ferror(file))
        return 1;
    printf("%08lx %s\n", crc, name);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc == 1)
        return print(stdin, "-");
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            failed = 1;
            continue;
        }
        failed |= print(file, argv[i]);
        fclose(file);
    }
    return failed;
}
