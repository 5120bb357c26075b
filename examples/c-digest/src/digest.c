#include <openssl/evp.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	unsigned char block[4096], digest[EVP_MAX_MD_SIZE];
	unsigned int length;
	size_t count;
	FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!file || !context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		return 1;
	while ((count = fread(block, 1, sizeof block, file)) > 0)
		EVP_DigestUpdate(context, block, count);
	EVP_DigestFinal_ex(context, digest, &length);
	for (unsigned int at = 0; at < length; at++)
		printf("%02x", digest[at]);
	putchar('\n');
	return 0;
}
