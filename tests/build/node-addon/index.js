const { checksum } = require("bindings")("adler");

for (const word of process.argv.slice(2)) {
  console.log(word, checksum(word).toString(16));
}
