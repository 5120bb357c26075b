/* Prints the scalars of a YAML file, each with its line. */
#include <stdio.h>
#include <yaml.h>

int main(int argc, char **argv)
{
    yaml_parser_t parser;
    yaml_token_t token;
    int done = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

    if (!file || !yaml_parser_initialize(&parser))
        return 2;
    yaml_parser_set_input_file(&parser, file);
    while (!done) {
        if (!yaml_parser_scan(&parser, &token)) {
            fprintf(stderr, "%s: %s\n", argv[1], parser.problem);
            return 1;
        }
        if (token.type == YAML_SCALAR_TOKEN)
            printf("%zu %s\n", token.start_mark.line + 1, (char *)token.data.scalar.value);
        done = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return 0;
}
